//! The transcript of an answer: words that seek, shaded by attention, marked where the recogniser was unsure.

use hirenet_core::{AnswerResult, Modality, Source, Transcript, Word};

use super::lane::relative_attention;
use super::moments::Moment;
use super::text::{clock, count, percent};

/// Below this recogniser's probability a word is marked as uncertain.
const LOW_CONFIDENCE: f32 = 0.5;
/// Relative attention (1 = an even share) from which a word takes the next stronger highlight.
const WORD_LEVELS: [f64; 5] = [0.75, 1.25, 2.0, 3.0, 5.0];
/// What was said, as paragraphs of words.
#[derive(Debug)]
pub(super) struct TranscriptView {
    pub(super) language: String,
    pub(super) origin: String,
    pub(super) demo: bool,
    pub(super) timed: bool,
    pub(super) paragraphs: Vec<Paragraph>,
}

/// One segment.
#[derive(Debug)]
pub(super) struct Paragraph {
    pub(super) time: Option<String>,
    pub(super) words: Vec<WordView>,
}

/// One word.
#[derive(Debug)]
pub(super) struct WordView {
    pub(super) index: usize,
    pub(super) text: String,
    pub(super) class: String,
    pub(super) start: String,
    pub(super) end: String,
    pub(super) title: String,
}

impl TranscriptView {
    pub(super) fn new(answer: &AnswerResult, transcript: &Transcript, here: &[&Moment], demo: bool) -> Self {
        let relative = relative_attention(answer, Modality::Verbal);
        let view = |index: usize, word: &Word| {
            let spoken_in = here.iter().find(|moment| {
                let span = &moment.span;
                span.modality == Modality::Verbal
                    && span.word_first.zip(span.word_last).is_some_and(|(first, last)| (first..=last).contains(&index))
            });
            WordView::new(index, word, relative.get(index).copied(), spoken_in.copied())
        };
        let words = &transcript.words;
        let mut paragraphs: Vec<Paragraph> = Vec::new();
        let mut next = 0;
        // Words that no segment names are kept too: a page must not lose what was said.
        let ends = transcript.segments.iter().map(|s| s.word_last.saturating_add(1)).chain([words.len()]);
        for end in ends {
            let end = end.min(words.len());
            if end > next {
                let time = words[next].start.map(clock);
                paragraphs.push(Paragraph { time, words: (next..end).map(|k| view(k, &words[k])).collect() });
                next = end;
            }
        }
        TranscriptView {
            language: transcript.language.clone().unwrap_or_default(),
            origin: origin(transcript),
            demo,
            timed: words.iter().any(|word| word.start.is_some()),
            paragraphs,
        }
    }
}

fn origin(transcript: &Transcript) -> String {
    let language = transcript.language.as_deref().map(|code| format!(", language {code}")).unwrap_or_default();
    let words = count(transcript.words.len(), "word");
    match transcript.source {
        Source::Given => format!("{words}, sent along with the interview{language}"),
        Source::Recognised => {
            let unsure = transcript.words.iter().filter(|word| is_unsure(word)).count();
            format!("{words}, recognised by machine{language}; {unsure} uncertain")
        }
    }
}

fn is_unsure(word: &Word) -> bool {
    word.confidence.is_some_and(|confidence| confidence < LOW_CONFIDENCE)
}

impl WordView {
    fn new(index: usize, word: &Word, relative: Option<f64>, moment: Option<&Moment>) -> Self {
        let level = relative.map_or(0, |value| WORD_LEVELS.iter().filter(|from| value >= **from).count());
        let seconds = |time: Option<f64>| time.map(|t| format!("{t:.3}")).unwrap_or_default();
        let mut class = format!("w a{level}");
        let mut title = Vec::new();
        if let Some(value) = relative.filter(|_| level > 1) {
            title.push(format!("attention {value:.1} times an even share"));
        }
        if is_unsure(word) {
            class.push_str(" unsure");
            title.push(format!("uncertain, confidence {}", percent(f64::from(word.confidence.unwrap_or(0.0)))));
        }
        if let Some(moment) = moment {
            class.push_str(" in");
            title.push(format!("moment {}", moment.rank));
        }
        WordView {
            index,
            text: word.text.clone(),
            class,
            start: seconds(word.start),
            end: seconds(word.end),
            title: title.join("; "),
        }
    }
}
