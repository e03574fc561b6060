use std::ops::Range;

use hirenet_core::{Code, Modality, Reason, SAMPLE_RATE, Source, SpeechProbability, Transcript, Word};

use crate::activity::{ACTIVITY_HOP_S, ActivityStream, VoiceActivity};
use crate::level::Levels;
use crate::recogniser::{Recogniser, language_code};
use crate::recognition::{Recognition, most_likely};
use crate::shortened::Shortened;
use crate::stretch::{Stretch, StretchFinder};
use crate::times::place;
use crate::transcript::TranscriptBuilder;
use crate::{SpeechError, SpeechSettings};

/// A language that was detected.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectedLanguage {
    /// ISO 639-1 code.
    pub language: &'static str,
    /// Its probability, 0..1.
    pub probability: f64,
}

/// What was heard in one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The words; `None` where only voice activity was asked for.
    pub transcript: Option<Transcript>,
    /// Probability of speech over the whole answer.
    pub probability: SpeechProbability,
    /// The stretches of speech.
    pub stretches: Vec<Stretch>,
    /// The language, where it was detected.
    pub detected: Option<DetectedLanguage>,
    /// What is missing or to be read with care.
    pub reasons: Vec<Reason>,
}

/// Listens to one answer as its sound arrives. A stretch is recognised as soon as it closes, so that recognition runs
/// beside decoding; no more sound is kept than the open stretch needs.
pub struct Listener {
    activity: ActivityStream,
    finder: StretchFinder,
    settings: SpeechSettings,
    /// Sound from sample `kept_from` on.
    sound: Vec<f32>,
    kept_from: usize,
    stretches: Vec<Stretch>,
    levels: Levels,
    words: Option<Words>,
    /// The answer's language, where words were asked for and the model does not know it.
    unknown_language: Option<String>,
}

/// The part of a listener that recognises.
struct Words {
    recognition: Recognition,
    transcript: TranscriptBuilder,
    /// Stretches that wait for the language to be known.
    waiting: Vec<(Shortened, Vec<f32>)>,
    detected: Option<DetectedLanguage>,
    looped: bool,
}

impl Listener {
    /// A listener that only runs voice activity: for answers with a human transcript or without consent to the words.
    #[must_use]
    pub fn for_activity(activity: &VoiceActivity, settings: &SpeechSettings) -> Listener {
        Listener {
            activity: activity.stream(),
            finder: StretchFinder::new(settings),
            settings: settings.clone(),
            sound: Vec::new(),
            kept_from: 0,
            stretches: Vec::new(),
            levels: Levels::default(),
            words: None,
            unknown_language: None,
        }
    }

    /// A listener that recognises words. `language`: an ISO 639-1 code, or `None` to detect it once for the answer. In a
    /// language that the model does not know it would invent words: none are recognised, and the reasons say so.
    ///
    /// # Errors
    /// [`SpeechError::Recognition`] where whisper.cpp has no memory.
    pub fn for_words(
        activity: &VoiceActivity,
        recogniser: &Recogniser,
        language: Option<&str>,
    ) -> Result<Listener, SpeechError> {
        let mut listener = Listener::for_activity(activity, recogniser.settings());
        let known = |code| language_code(code).is_ok_and(|code| recogniser.knows(code));
        if let Some(unknown) = language.filter(|code| !known(code)) {
            listener.unknown_language = Some(unknown.to_owned());
            return Ok(listener);
        }
        listener.words = Some(Words {
            recognition: recogniser.start(language)?,
            transcript: TranscriptBuilder::default(),
            waiting: Vec::new(),
            detected: None,
            looped: false,
        });
        Ok(listener)
    }

    /// Takes the next samples, 16 kHz mono in -1..1, of any number.
    ///
    /// # Errors
    /// [`SpeechError::Onnx`] or [`SpeechError::Recognition`] where a network fails.
    pub fn push(&mut self, samples: &[f32]) -> Result<(), SpeechError> {
        // Not more than one stretch can close within a second of sound.
        for part in samples.chunks(SAMPLE_RATE as usize) {
            self.sound.extend(part);
            for probability in self.activity.push(part)? {
                if let Some(stretch) = self.finder.push(probability) {
                    self.take(stretch)?;
                }
            }
            self.forget();
        }
        Ok(())
    }

    /// Ends the answer.
    ///
    /// # Errors
    /// As [`Listener::push`].
    pub fn finish(mut self) -> Result<Heard, SpeechError> {
        let duration_s = (self.kept_from + self.sound.len()) as f64 / f64::from(SAMPLE_RATE);
        if let Some(probability) = self.activity.finish()?
            && let Some(stretch) = self.finder.push(probability)
        {
            self.take(stretch)?;
        }
        if let Some(stretch) = self.finder.finish(duration_s) {
            self.take(stretch)?;
        }
        if let Some(words) = &mut self.words {
            words.recognise_waiting()?;
        }
        let reasons = self.reasons();
        let probability = SpeechProbability { hop_s: ACTIVITY_HOP_S, values: self.finder.probabilities().to_vec() };
        let (transcript, detected) = match self.words {
            Some(words) => {
                let language = words.recognition.language().map(str::to_owned);
                (Some(words.transcript.build(language, Source::Recognised)), words.detected)
            }
            None => (self.unknown_language.map(|code| Transcript::empty(Source::Recognised, Some(code))), None),
        };
        Ok(Heard { transcript, probability, stretches: self.stretches, detected, reasons })
    }

    /// Takes a stretch that has closed.
    fn take(&mut self, stretch: Stretch) -> Result<(), SpeechError> {
        let shortened = Shortened::new(&stretch, self.settings.longest_pause_s);
        let mut samples = Vec::new();
        for (start, end) in &shortened.kept {
            let at = |time_s: f64| sample(time_s).saturating_sub(self.kept_from).min(self.sound.len());
            samples.extend(&self.sound[at(*start)..at(*end)]);
        }
        let speech = shortened.stretch.speech.iter().map(|(from, to)| sample(*from)..sample(*to).min(samples.len()));
        let speech: Vec<Range<usize>> = speech.collect();
        self.levels.prepare(&mut samples, speech.into_iter(), &self.settings);
        self.stretches.push(stretch);
        if let Some(words) = &mut self.words {
            words.take(shortened, samples, self.settings.language_speech_s)?;
        }
        Ok(())
    }

    /// Drops the sound that no open stretch needs.
    fn forget(&mut self) {
        let needed = (self.finder.needed_from() * f64::from(SAMPLE_RATE)) as usize;
        let spare = needed.saturating_sub(self.kept_from).min(self.sound.len());
        self.sound.drain(..spare);
        self.kept_from += spare;
    }

    fn reasons(&self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if self.levels.clipped_share() > f64::from(self.settings.clipped_share) {
            reasons.push(Reason::new(Code::SoundClipped).of(Modality::Vocal));
        }
        if self.levels.raised() {
            reasons.push(Reason::new(Code::SoundQuiet).of(Modality::Vocal));
        }
        let wants_words = self.words.is_some() || self.unknown_language.is_some();
        if wants_words && self.stretches.is_empty() {
            reasons.push(Reason::new(Code::NoSpeech).of(Modality::Verbal));
            return reasons;
        }
        if let Some(code) = &self.unknown_language {
            let detail = format!("The speech model does not know the language `{code}`.");
            reasons.push(Reason::new(Code::LanguageUnsupported).of(Modality::Verbal).detail(detail));
        }
        let Some(words) = &self.words else { return reasons };
        if words.transcript.is_empty() {
            reasons.push(Reason::new(Code::SpeechUnintelligible).of(Modality::Verbal));
        }
        if words.looped {
            reasons.push(Reason::new(Code::TextLooped).of(Modality::Verbal));
        }
        if words.transcript.median_confidence().is_some_and(|median| median < self.settings.low_confidence) {
            reasons.push(Reason::new(Code::LowConfidence).of(Modality::Verbal));
        }
        reasons
    }
}

impl Words {
    fn take(&mut self, part: Shortened, samples: Vec<f32>, language_speech_s: f64) -> Result<(), SpeechError> {
        if self.recognition.language().is_some() {
            return self.recognise(&part, &samples);
        }
        self.waiting.push((part, samples));
        let speech_s: f64 = self.waiting.iter().map(|(part, _)| part.stretch.speech_s()).sum();
        if speech_s >= language_speech_s { self.recognise_waiting() } else { Ok(()) }
    }

    /// Detects the language in the stretches that wait for it, each weighted by its seconds of speech, and recognises
    /// them.
    fn recognise_waiting(&mut self) -> Result<(), SpeechError> {
        let waiting = std::mem::take(&mut self.waiting);
        let total: f64 = waiting.iter().map(|(part, _)| part.stretch.speech_s()).sum();
        let mut probabilities: Vec<f64> = Vec::new();
        for (part, samples) in &waiting {
            let of_stretch = self.recognition.language_probabilities(samples)?;
            probabilities.resize(of_stretch.len(), 0.0);
            for (sum, p) in probabilities.iter_mut().zip(of_stretch) {
                *sum += f64::from(p) * part.stretch.speech_s() / total;
            }
        }
        if let Some((language, probability)) = most_likely(&probabilities) {
            self.recognition.set_language(language);
            self.detected = Some(DetectedLanguage { language, probability });
        }
        waiting.iter().try_for_each(|(part, samples)| self.recognise(part, samples))
    }

    fn recognise(&mut self, part: &Shortened, samples: &[f32]) -> Result<(), SpeechError> {
        let heard = self.recognition.hear(samples)?;
        self.looped |= heard.looped;
        let on_recording = |word: &Word| Word {
            start: word.start.map(|time| part.recording_time(time)),
            end: word.end.map(|time| part.recording_time(time)),
            ..word.clone()
        };
        for words in place(&heard.words, &heard.segment_ends, &part.stretch).chunk_by(|a, b| a.0 == b.0) {
            self.transcript.add_segment(words.iter().map(|(_, word)| on_recording(word)).collect());
        }
        Ok(())
    }
}

/// The sample at a time.
fn sample(time_s: f64) -> usize {
    (time_s * f64::from(SAMPLE_RATE)).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_shared_and_a_listener_moves_to_its_own_thread() {
        fn shared<T: Send + Sync + Clone>() {}
        fn moves<T: Send>() {}
        shared::<Recogniser>();
        shared::<VoiceActivity>();
        moves::<Listener>();
    }
}
