//! Honest word times: inside their stretch, never backwards.

use hirenet_core::Word;

use crate::stretch::Stretch;
use crate::words::Spoken;

/// Words of a stretch on the recording's clock, each with the segment that it belongs to.
pub(crate) fn place(words: &[Spoken], stretch: &Stretch) -> Vec<(usize, Word)> {
    let mut not_before = stretch.start;
    let mut placed = Vec::with_capacity(words.len());
    for spoken in words {
        let start = (stretch.start + spoken.start).clamp(not_before, stretch.end);
        let end = (stretch.start + spoken.end).clamp(start, stretch.end);
        not_before = end;
        let word =
            Word { text: spoken.text.clone(), start: Some(start), end: Some(end), confidence: Some(spoken.confidence) };
        placed.push((spoken.segment, word));
    }
    placed
}
