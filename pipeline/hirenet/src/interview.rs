//! An interview's tracks, and how they are laid out for the graph.

use std::ops::Range;

use hirenet_core::{ByModality, Modality, Track};
use ndarray::{Array1, Array3, Axis, s};

/// The evidence of one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerTracks {
    /// The answer's id.
    pub id: String,
    /// The question's words.
    pub question: Track,
    /// Its tracks; `None` where the modality is missing. An answer that failed has none and keeps its place.
    pub tracks: ByModality<Track>,
}

/// The evidence of an interview.
#[derive(Debug, Clone, PartialEq)]
pub struct InterviewTracks {
    /// The words of the position's title.
    pub title: Track,
    /// The answers in order.
    pub answers: Vec<AnswerTracks>,
}

/// Sequences of different lengths, right-padded with zeros.
#[derive(Debug, Clone)]
pub(crate) struct Padded {
    /// `[B, N, D]`, `N` at least 1.
    pub(crate) values: Array3<f32>,
    /// Rows in use, `[B]`.
    pub(crate) lengths: Array1<i64>,
}

/// One modality of all answers without the rows that are not valid.
#[derive(Debug, Clone)]
pub(crate) struct PackedModality {
    pub(crate) modality: Modality,
    pub(crate) rows: Padded,
    /// For each answer the original index of each row in use.
    pub(crate) kept: Vec<Vec<usize>>,
}

/// The graph's inputs.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    pub(crate) modalities: Vec<PackedModality>,
    pub(crate) question: Padded,
    pub(crate) title: Padded,
}

impl Padded {
    fn new(tracks: &[Option<&Track>], width: usize) -> (Padded, Vec<Vec<usize>>) {
        let (mut compact, mut kept) = (Vec::new(), Vec::new());
        for track in tracks {
            let (values, rows) = track.map_or_else(|| (ndarray::Array2::zeros((0, width)), Vec::new()), Track::compact);
            compact.push(values);
            kept.push(rows);
        }
        let longest = compact.iter().map(ndarray::Array2::nrows).max().unwrap_or(0).max(1);
        let mut values = Array3::zeros((tracks.len(), longest, width));
        for (sequence, rows) in compact.iter().enumerate() {
            values.slice_mut(s![sequence, ..rows.nrows(), ..]).assign(rows);
        }
        let lengths = compact.iter().map(|rows| rows.nrows() as i64).collect();
        (Padded { values, lengths }, kept)
    }

    fn select(&self, sequences: &[usize]) -> Padded {
        Padded { values: self.values.select(Axis(0), sequences), lengths: self.lengths.select(Axis(0), sequences) }
    }

    /// Takes rows out of one sequence; those behind move up.
    fn remove(&mut self, sequence: usize, rows: Range<usize>) {
        let length = self.lengths[sequence] as usize;
        let mut values = self.values.index_axis_mut(Axis(0), sequence);
        for (to, from) in (rows.start..).zip(rows.end..length) {
            let moved = values.row(from).to_owned();
            values.row_mut(to).assign(&moved);
        }
        let left = length - rows.len();
        values.slice_mut(s![left..length, ..]).fill(0.0);
        self.lengths[sequence] = left as i64;
    }
}

impl Packed {
    /// Lays out the tracks of `modalities` with their widths; questions and titles have `context` columns.
    pub(crate) fn new(interview: &InterviewTracks, modalities: &[(Modality, usize)], context: usize) -> Packed {
        let packed = |(modality, width): &(Modality, usize)| {
            let tracks: Vec<_> = interview.answers.iter().map(|answer| answer.tracks.get(*modality)).collect();
            let (rows, kept) = Padded::new(&tracks, *width);
            PackedModality { modality: *modality, rows, kept }
        };
        let questions: Vec<_> = interview.answers.iter().map(|answer| Some(&answer.question)).collect();
        Packed {
            modalities: modalities.iter().map(packed).collect(),
            question: Padded::new(&questions, context).0,
            title: Padded::new(&[Some(&interview.title)], context).0,
        }
    }

    /// Number of answers.
    pub(crate) fn answers(&self) -> usize {
        self.question.lengths.len()
    }

    /// Whether an answer has a row in use in any modality.
    pub(crate) fn has_evidence(&self, answer: usize) -> bool {
        self.modalities.iter().any(|m| m.rows.lengths[answer] > 0)
    }

    /// The same interview with some of its answers.
    pub(crate) fn select(&self, answers: &[usize]) -> Packed {
        let select = |m: &PackedModality| PackedModality {
            modality: m.modality,
            rows: m.rows.select(answers),
            kept: answers.iter().map(|answer| m.kept[*answer].clone()).collect(),
        };
        Packed {
            modalities: self.modalities.iter().map(select).collect(),
            question: self.question.select(answers),
            title: self.title.clone(),
        }
    }

    /// The same interview without some rows (counted among those in use) of one modality of one answer.
    pub(crate) fn without(&self, modality: Modality, answer: usize, rows: Range<usize>) -> Packed {
        let mut packed = self.clone();
        for m in packed.modalities.iter_mut().filter(|m| m.modality == modality) {
            m.rows.remove(answer, rows.clone());
            m.kept[answer].drain(rows.clone());
        }
        packed
    }
}
