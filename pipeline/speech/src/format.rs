//! Transcripts as subtitles and plain text: SubRip (SRT), WebVTT (W3C, section 4), text.

use std::fmt::Write;

use hirenet_core::{Transcript, Word};

use crate::SpeechError;

/// Characters a line and lines a cue: the common reading standard of broadcasters.
const LINE_CHARS: usize = 42;
const CUE_LINES: usize = 2;
/// The longest cue in seconds; a shorter one than the least is stretched where there is room.
const CUE_MOST_S: f64 = 7.0;
const CUE_LEAST_S: f64 = 0.5;

/// One subtitle.
struct Cue {
    start: f64,
    end: f64,
    lines: Vec<String>,
}

/// The transcript as SubRip.
///
/// # Errors
/// [`SpeechError::NoTimes`] where a word has no times.
pub fn to_srt(transcript: &Transcript) -> Result<String, SpeechError> {
    let mut out = String::new();
    for (k, cue) in cues(transcript)?.iter().enumerate() {
        // SubRip has no escapes; an arrow inside the text would be read as times.
        let text = cue.lines.join("\n").replace("-->", "->");
        let _ = write!(out, "{}\n{} --> {}\n{text}\n\n", k + 1, clock(cue.start, ','), clock(cue.end, ','));
    }
    Ok(out)
}

/// The transcript as WebVTT.
///
/// # Errors
/// [`SpeechError::NoTimes`] where a word has no times.
pub fn to_vtt(transcript: &Transcript) -> Result<String, SpeechError> {
    let mut out = "WEBVTT\n".to_owned();
    for cue in cues(transcript)? {
        let text = cue.lines.join("\n").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = write!(out, "\n{} --> {}\n{text}\n", clock(cue.start, '.'), clock(cue.end, '.'));
    }
    Ok(out)
}

/// The transcript as text, one segment a line.
#[must_use]
pub fn to_txt(transcript: &Transcript) -> String {
    transcript.segments.iter().fold(String::new(), |out, segment| out + &one_line(&segment.text) + "\n")
}

/// `hh:mm:ss` and milliseconds after `point`.
fn clock(time_s: f64, point: char) -> String {
    let ms = (time_s * 1000.0).round() as u64;
    format!("{:02}:{:02}:{:02}{point}{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cues(transcript: &Transcript) -> Result<Vec<Cue>, SpeechError> {
    let mut cues: Vec<Cue> = Vec::new();
    for segment in &transcript.segments {
        let mut open: Option<Cue> = None;
        for word in &transcript.words[segment.word_first..=segment.word_last] {
            let times = word.start.zip(word.end).ok_or(SpeechError::NoTimes)?;
            let added = open.as_mut().is_some_and(|cue| add(cue, word, times.1));
            if !added {
                let next = Cue { start: times.0, end: times.1, lines: vec![one_line(&word.text)] };
                cues.extend(open.replace(next));
            }
        }
        cues.extend(open);
    }
    for k in 0..cues.len() {
        let room = cues.get(k + 1).map_or(f64::INFINITY, |next| next.start);
        let least = (cues[k].start + CUE_LEAST_S).min(room).max(cues[k].start + 0.001);
        cues[k].end = cues[k].end.max(least);
    }
    Ok(cues)
}

/// Adds a word to a cue; false where there is no room for it.
fn add(cue: &mut Cue, word: &Word, end: f64) -> bool {
    let text = one_line(&word.text);
    let lines = cue.lines.len();
    let Some(line) = cue.lines.last_mut() else { return false };
    if end - cue.start > CUE_MOST_S {
        return false;
    }
    if line.chars().count() + 1 + text.chars().count() <= LINE_CHARS {
        line.push(' ');
        line.push_str(&text);
    } else if lines < CUE_LINES {
        cue.lines.push(text);
    } else {
        return false;
    }
    cue.end = end;
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::TranscriptBuilder;
    use hirenet_core::Source;

    /// Sentences of words of 0.4 s every 0.5 s.
    fn spoken(sentences: &[&str]) -> Transcript {
        let mut builder = TranscriptBuilder::default();
        let mut at = 0.0;
        for sentence in sentences {
            let words = sentence.split(' ').map(|text| {
                at += 0.5;
                Word { text: text.to_owned(), start: Some(at - 0.5), end: Some(at - 0.1), confidence: Some(1.0) }
            });
            builder.add_segment(words.collect());
        }
        builder.build(Some("en".to_owned()), Source::Recognised)
    }

    #[test]
    fn a_short_transcript_is_written_in_each_format() {
        let transcript = spoken(&["Yes, I do.", "R&D <3 -->"]);
        assert_eq!(
            to_srt(&transcript).unwrap(),
            "1\n00:00:00,000 --> 00:00:01,400\nYes, I do.\n\n2\n00:00:01,500 --> 00:00:02,900\nR&D <3 ->\n\n"
        );
        assert_eq!(
            to_vtt(&transcript).unwrap(),
            "WEBVTT\n\n00:00:00.000 --> 00:00:01.400\nYes, I do.\n\n00:00:01.500 --> 00:00:02.900\nR&amp;D &lt;3 --&gt;\n"
        );
        assert_eq!(to_txt(&transcript), "Yes, I do.\nR&D <3 -->\n");
    }

    #[test]
    fn long_sentences_are_split_to_readable_cues() {
        let sentence = "word ".repeat(60);
        let srt = to_srt(&spoken(&[sentence.trim()])).unwrap();
        for cue in srt.split("\n\n").filter(|cue| !cue.is_empty()) {
            let lines: Vec<&str> = cue.lines().skip(2).collect();
            assert!((1..=CUE_LINES).contains(&lines.len()), "{cue}");
            assert!(lines.iter().all(|line| line.chars().count() <= LINE_CHARS), "{cue}");
        }
        assert_eq!(srt.matches("word").count(), 60);
    }

    #[test]
    fn times_pass_the_hour_and_no_cue_is_empty_in_time() {
        assert_eq!(clock(3725.25, '.'), "01:02:05.250");
        let mut transcript = spoken(&["a b"]);
        for word in &mut transcript.words {
            (word.start, word.end) = (Some(4.0), Some(4.0));
        }
        assert!(to_vtt(&transcript).unwrap().contains("00:00:04.000 --> 00:00:04.500"));
    }

    #[test]
    fn words_without_times_make_text_but_no_cues() {
        let mut transcript = spoken(&["a b"]);
        transcript.words[1].start = None;
        assert!(matches!(to_srt(&transcript), Err(SpeechError::NoTimes)));
        assert_eq!(to_txt(&transcript), "a b\n");
        assert_eq!(to_vtt(&Transcript::empty(Source::Recognised, None)).unwrap(), "WEBVTT\n");
    }
}
