use std::sync::Arc;

use hirenet_core::SAMPLE_RATE;
use whisper_rs::{FullParams, SamplingStrategy, WhisperContext, WhisperState, get_lang_str};

use crate::words::{Spoken, Token, collapse_loops, join};
use crate::{SpeechError, SpeechSettings};

/// whisper.cpp returns nothing for less sound than 100 ms: shorter sound is filled up with silence.
const SHORTEST: usize = SAMPLE_RATE as usize / 5;
/// Encoder positions a second of sound: two mel frames of 10 ms each.
const POSITIONS_PER_S: f64 = 50.0;

/// What was heard in one stretch. Times in seconds since the start of the stretch.
#[derive(Debug, Default)]
pub(crate) struct HeardStretch {
    /// The words in order.
    pub(crate) words: Vec<Spoken>,
    /// End of each of the recogniser's segments.
    pub(crate) segment_ends: Vec<f64>,
    /// True where a repeated phrase was removed.
    pub(crate) looped: bool,
}

/// Recognition of one recording, stretch by stretch; nothing is carried over from one stretch to the next.
pub(crate) struct Recognition {
    state: WhisperState,
    settings: Arc<SpeechSettings>,
    language: Option<&'static str>,
    start_of_transcript: i32,
    no_speech: i32,
    end_of_text: i32,
    full_context: usize,
}

impl Recognition {
    pub(crate) fn new(
        context: &WhisperContext,
        settings: Arc<SpeechSettings>,
        language: Option<&'static str>,
    ) -> Result<Recognition, SpeechError> {
        Ok(Recognition {
            state: context.create_state()?,
            settings,
            language,
            start_of_transcript: context.token_sot(),
            no_speech: context.token_nosp(),
            end_of_text: context.token_eot(),
            full_context: context.n_audio_ctx() as usize,
        })
    }

    /// The language in use; `None` until it is chosen or detected.
    pub(crate) fn language(&self) -> Option<&'static str> {
        self.language
    }

    /// Settles on a language for the rest of the recording.
    pub(crate) fn set_language(&mut self, language: &'static str) {
        self.language = Some(language);
    }

    /// Probability of each language that whisper.cpp knows, by its index, in one stretch. Costs one encoder pass.
    pub(crate) fn language_probabilities(&mut self, samples: &[f32]) -> Result<Vec<f32>, SpeechError> {
        let threads = self.settings.threads;
        self.state.pcm_to_mel(&at_least_shortest(samples), threads)?;
        Ok(self.state.lang_detect(0, threads)?.1)
    }

    /// Recognises one stretch of at most 30 s, 16 kHz mono.
    pub(crate) fn hear(&mut self, samples: &[f32]) -> Result<HeardStretch, SpeechError> {
        let language = self.language.unwrap_or("en");
        let samples = at_least_shortest(samples);
        self.state.full(self.parameters(language, samples.len()), &samples)?;
        let (segments, mean_logprob) = self.read();
        let has_text = segments.iter().any(|tokens| !tokens.is_empty());
        if has_text && mean_logprob < self.settings.logprob_threshold && self.is_no_speech(&samples)? {
            return Ok(HeardStretch::default());
        }
        // Loops run over the borders of segments: they are looked for in all words at once.
        let mut words: Vec<Spoken> =
            segments.iter().enumerate().flat_map(|(segment, tokens)| join(tokens, segment, language)).collect();
        let looped = collapse_loops(&mut words, self.settings.loop_phrase_repeats, self.settings.loop_word_repeats);
        let segment_ends = self.state.as_iter().map(|segment| segment.end_timestamp() as f64 / 100.0).collect();
        Ok(HeardStretch { words, segment_ends, looped })
    }

    fn parameters<'a>(&self, language: &'a str, samples: usize) -> FullParams<'a, 'static> {
        let settings = &self.settings;
        let mut params = FullParams::new(if settings.beam_size > 1 {
            SamplingStrategy::BeamSearch { beam_size: settings.beam_size as i32, patience: -1.0 }
        } else {
            SamplingStrategy::Greedy { best_of: settings.best_of as i32 }
        });
        params.set_language(Some(language));
        params.set_n_threads(settings.threads as i32);
        params.set_no_context(true);
        params.set_n_max_text_ctx(0);
        params.set_token_timestamps(true);
        params.set_temperature_inc(settings.temperature_step);
        params.set_logprob_thold(settings.logprob_threshold);
        params.set_entropy_thold(settings.entropy_threshold);
        // whisper.cpp 1.8.3 reads its no-speech probability from a row of logits that it never wrote: above 1 the
        // threshold takes it out of every decision. `is_no_speech` asks for the true one.
        params.set_no_speech_thold(2.0);
        params.set_max_tokens(settings.max_tokens as i32);
        params.set_suppress_nst(settings.suppress_non_speech);
        params.set_print_special(false);
        params.set_print_progress(false);
        params.set_print_realtime(false);
        params.set_print_timestamps(false);
        if settings.fit_audio_context {
            let positions = (samples as f64 / f64::from(SAMPLE_RATE) * POSITIONS_PER_S).ceil() as usize + 32;
            params.set_audio_ctx(positions.min(self.full_context) as i32);
        }
        params
    }

    /// The text tokens of each segment, and the mean log-probability of all tokens.
    fn read(&self) -> (Vec<Vec<Token>>, f32) {
        let (mut sum, mut count) = (0.0_f32, 0_u32);
        let mut segments = Vec::new();
        for segment in self.state.as_iter() {
            let mut tokens = Vec::new();
            for token in (0..segment.n_tokens()).filter_map(|k| segment.get_token(k)) {
                let data = token.token_data();
                sum += data.plog;
                count += 1;
                if data.id >= self.end_of_text {
                    continue;
                }
                tokens.push(Token {
                    bytes: token.to_bytes().map(<[u8]>::to_vec).unwrap_or_default(),
                    probability: data.p.clamp(0.0, 1.0),
                    start: data.t0 as f64 / 100.0,
                    end: data.t1 as f64 / 100.0,
                });
            }
            segments.push(tokens);
        }
        (segments, if count == 0 { 0.0 } else { sum / count as f32 })
    }

    /// True where the probability of `<|nospeech|>` right after the start token is above its threshold.
    fn is_no_speech(&mut self, samples: &[f32]) -> Result<bool, SpeechError> {
        let threads = self.settings.threads;
        self.state.pcm_to_mel(samples, threads)?;
        self.state.encode(0, threads)?;
        self.state.decode(&[self.start_of_transcript], 0, threads)?;
        let logits = self.state.get_logits()?;
        let highest = logits.iter().fold(f32::NEG_INFINITY, |a, b| a.max(*b));
        let sum: f32 = logits.iter().map(|logit| (logit - highest).exp()).sum();
        let no_speech = logits.get(self.no_speech as usize).map_or(0.0, |logit| (logit - highest).exp() / sum);
        Ok(no_speech > self.settings.no_speech_threshold)
    }
}

/// The most likely language of probabilities by index.
pub(crate) fn most_likely(probabilities: &[f64]) -> Option<(&'static str, f64)> {
    let (index, probability) = probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    Some((get_lang_str(index as i32)?, *probability))
}

fn at_least_shortest(samples: &[f32]) -> std::borrow::Cow<'_, [f32]> {
    if samples.len() >= SHORTEST {
        return samples.into();
    }
    let mut filled = samples.to_vec();
    filled.resize(SHORTEST, 0.0);
    filled.into()
}
