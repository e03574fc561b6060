use serde::{Deserialize, Serialize};

/// Where a transcript comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Speech recognition.
    Recognised,
    /// A human transcript in the message.
    Given,
}

/// One spoken word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// The word with its punctuation, without blanks around it.
    pub text: String,
    /// Start in seconds since media time zero; `None` where a human transcript has no times, or none inside the recording.
    pub start: Option<f64>,
    /// End in seconds since media time zero.
    pub end: Option<f64>,
    /// The recogniser's probability, 0..1; `None` for a human transcript.
    pub confidence: Option<f32>,
}

/// A run of words that belong together (a sentence, a stretch of speech).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Start in seconds since media time zero.
    pub start: Option<f64>,
    /// End in seconds since media time zero.
    pub end: Option<f64>,
    /// Index of the first word.
    pub word_first: usize,
    /// Index of the last word, inclusive.
    pub word_last: usize,
    /// The words joined by blanks.
    pub text: String,
}

/// What was said in one answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// ISO 639-1 code, detected or given; `None` where it is unknown.
    pub language: Option<String>,
    /// Recognised or given.
    pub source: Source,
    /// Runs of words in order; they cover all words.
    pub segments: Vec<Segment>,
    /// All words in order. The verbal track's row `k` is `words[k]`.
    pub words: Vec<Word>,
}

impl Transcript {
    /// A transcript without words.
    #[must_use]
    pub fn empty(source: Source, language: Option<String>) -> Self {
        Transcript { language, source, segments: Vec::new(), words: Vec::new() }
    }

    /// All words joined by blanks.
    #[must_use]
    pub fn text(&self) -> String {
        self.words.iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ")
    }
}
