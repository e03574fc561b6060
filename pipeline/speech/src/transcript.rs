use hirenet_core::{GivenTranscript, Segment, Source, Transcript, Word};

/// A time that lies beyond the recording's end by less, in seconds, is taken for rounding.
const ROUNDING_S: f64 = 0.5;

/// Collects words segment by segment.
#[derive(Debug, Default)]
pub(crate) struct TranscriptBuilder {
    segments: Vec<Segment>,
    words: Vec<Word>,
}

impl TranscriptBuilder {
    /// Adds words that belong together; an empty segment is no segment.
    pub(crate) fn add_segment(&mut self, words: Vec<Word>) {
        let (Some(first), Some(last)) = (words.first(), words.last()) else { return };
        let text = words.iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ");
        let word_first = self.words.len();
        self.segments.push(Segment {
            start: first.start,
            end: last.end,
            word_first,
            word_last: word_first + words.len() - 1,
            text,
        });
        self.words.extend(words);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Median of the words' confidences; `None` without words.
    pub(crate) fn median_confidence(&self) -> Option<f32> {
        let mut confidences: Vec<f32> = self.words.iter().filter_map(|w| w.confidence).collect();
        confidences.sort_by(f32::total_cmp);
        confidences.get(confidences.len() / 2).copied()
    }

    pub(crate) fn build(self, language: Option<String>, source: Source) -> Transcript {
        Transcript { language, source, segments: self.segments, words: self.words }
    }
}

/// A human transcript as a transcript: one segment a sentence. Plain text gives words with null times.
#[must_use]
pub fn given_transcript(given: &GivenTranscript, language: Option<&str>) -> Transcript {
    let words: Vec<Word> = match given {
        GivenTranscript::Text(text) => text.split_whitespace().map(|text| word(text, None, None)).collect(),
        GivenTranscript::Words { words } => words
            .iter()
            .map(|given| word(given.text.trim(), Some(given.start), Some(given.end)))
            .filter(|word| !word.text.is_empty())
            .collect(),
    };
    let mut builder = TranscriptBuilder::default();
    let mut sentence = Vec::new();
    for word in words {
        let ends = ends_sentence(&word.text);
        sentence.push(word);
        if ends {
            builder.add_segment(std::mem::take(&mut sentence));
        }
    }
    builder.add_segment(sentence);
    builder.build(language.map(str::to_owned), Source::Given)
}

/// Takes the times of words that lie beyond the recording's end: there is nothing that they could point at. The words stay.
/// Returns how many words that were.
pub fn forget_late_times(transcript: &mut Transcript, duration_s: f64) -> usize {
    let Transcript { segments, words, .. } = transcript;
    let mut late = 0;
    // A word never ends before it starts.
    for word in words.iter_mut().filter(|word| word.end.is_some_and(|end| end > duration_s + ROUNDING_S)) {
        (word.start, word.end) = (None, None);
        late += 1;
    }
    if late > 0 {
        for segment in segments {
            let words = words.get(segment.word_first..=segment.word_last).unwrap_or_default();
            segment.start = words.iter().find_map(|word| word.start);
            segment.end = words.iter().rev().find_map(|word| word.end);
        }
    }
    late
}

fn word(text: &str, start: Option<f64>, end: Option<f64>) -> Word {
    Word { text: text.to_owned(), start, end, confidence: None }
}

/// True for a word that carries a full stop, question mark or exclamation mark at its end, quotes and brackets aside.
/// Titles and initials (`Dr.`, `J.`) end no sentence.
fn ends_sentence(word: &str) -> bool {
    let word = word.trim_end_matches(['"', '\'', '”', '’', '»', ')', ']']);
    let Some(stem) = word.strip_suffix(['.', '!', '?', '…', '。', '！', '？']) else { return false };
    let initial = stem.chars().count() == 1 && stem.chars().all(char::is_uppercase) && stem != "I";
    !(word.ends_with('.') && (initial || ["Mr", "Mrs", "Ms", "Dr", "Prof", "St", "M", "Mme"].contains(&stem)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hirenet_core::GivenWord;

    #[test]
    fn text_gives_sentences_of_words_without_times() {
        let text = "I work with Dr. Brown. \"Really?\"\n Yes, I do! And more".to_owned();
        let transcript = given_transcript(&GivenTranscript::Text(text), Some("en"));
        let sentences: Vec<&str> = transcript.segments.iter().map(|s| s.text.as_str()).collect();
        assert_eq!(sentences, ["I work with Dr. Brown.", "\"Really?\"", "Yes, I do!", "And more"]);
        assert_eq!((transcript.segments[2].word_first, transcript.segments[2].word_last), (6, 8));
        assert!(transcript.words.iter().all(|w| w.start.is_none() && w.end.is_none() && w.confidence.is_none()));
        assert_eq!((transcript.source, transcript.language.as_deref()), (Source::Given, Some("en")));
    }

    #[test]
    fn words_with_times_keep_them() {
        let given = |text: &str, start, end| GivenWord { text: text.to_owned(), start, end };
        let words = vec![given("Yes.", 0.5, 0.9), given(" ", 0.9, 1.0), given("No", 1.0, 1.5)];
        let transcript = given_transcript(&GivenTranscript::Words { words }, None);
        assert_eq!(transcript.words.len(), 2);
        assert_eq!((transcript.segments[1].start, transcript.segments[1].end), (Some(1.0), Some(1.5)));
    }

    #[test]
    fn words_beyond_the_end_lose_their_times_and_nothing_else() {
        let given = |text: &str, start, end| GivenWord { text: text.to_owned(), start, end };
        let words = vec![
            given("Yes", 0.5, 0.9),
            given("sir.", 2.9, 3.4),
            given("No", 3.2, 3.6),
            given("sir.", 1000.0, 1001.0),
            given("Never.", 1002.0, 2003.0),
        ];
        let whole = given_transcript(&GivenTranscript::Words { words }, None);
        let mut transcript = whole.clone();
        assert_eq!((forget_late_times(&mut transcript, 2003.0), &transcript), (0, &whole));
        // What the recorder and the transcriber round differently is kept.
        assert_eq!(forget_late_times(&mut transcript, 3.01), 3);
        let times: Vec<_> = transcript.words.iter().map(|word| word.start.zip(word.end)).collect();
        assert_eq!(times, [Some((0.5, 0.9)), Some((2.9, 3.4)), None, None, None]);
        let segments: Vec<_> = transcript.segments.iter().map(|segment| (segment.start, segment.end)).collect();
        assert_eq!(segments, [(Some(0.5), Some(3.4)), (None, None), (None, None)]);
        assert_eq!(transcript.text(), whole.text());
        assert_eq!(forget_late_times(&mut transcript, 3.01), 0);
    }

    #[test]
    fn a_blank_text_has_no_segments() {
        assert!(given_transcript(&GivenTranscript::Text(" \n".to_owned()), None).segments.is_empty());
    }
}
