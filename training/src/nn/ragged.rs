//! Sequences of different lengths laid end to end: no padding exists, so none can change a result.

use std::sync::Arc;

use candle_core::{Device, Tensor};

/// Sequences that one task of a recurrence works through side by side: enough for a matrix product, few enough for all
/// cores. It does not depend on the machine, so that sums are formed in the same order everywhere.
const SEQUENCES_A_BLOCK: usize = 20;

/// Where each sequence starts in a tensor of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ragged {
    /// `S + 1` row numbers; sequence `s` is `starts[s]..starts[s + 1]`.
    starts: Arc<[usize]>,
}

impl Ragged {
    /// Sequences of these lengths; 0 is allowed.
    pub fn new(lengths: impl IntoIterator<Item = usize>) -> Ragged {
        let mut starts = vec![0];
        let mut end = 0;
        for length in lengths {
            end += length;
            starts.push(end);
        }
        Ragged { starts: starts.into() }
    }

    /// Number of sequences.
    #[must_use]
    pub fn sequences(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of rows of all sequences.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.starts[self.sequences()]
    }

    /// First row of a sequence.
    #[must_use]
    pub fn start(&self, sequence: usize) -> usize {
        self.starts[sequence]
    }

    /// Rows of a sequence.
    #[must_use]
    pub fn len(&self, sequence: usize) -> usize {
        self.starts[sequence + 1] - self.starts[sequence]
    }

    /// Whether there is no row at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    /// The sequence of each row, u32 `[R]`.
    ///
    /// # Errors
    /// Those of the device.
    pub fn sequence_of_rows(&self, device: &Device) -> candle_core::Result<Tensor> {
        let sequences: Vec<u32> =
            (0..self.sequences()).flat_map(|s| std::iter::repeat_n(s as u32, self.len(s))).collect();
        Tensor::new(sequences, device)
    }

    /// Runs of whole sequences that tasks take, as ranges of sequences.
    pub(crate) fn blocks(&self) -> Vec<std::ops::Range<usize>> {
        let count = self.sequences();
        (0..count).step_by(SEQUENCES_A_BLOCK).map(|first| first..(first + SEQUENCES_A_BLOCK).min(count)).collect()
    }

    /// The rows of a run of sequences.
    pub(crate) fn rows_of(&self, sequences: &std::ops::Range<usize>) -> std::ops::Range<usize> {
        self.starts[sequences.start]..self.starts[sequences.end]
    }

    /// Cuts a buffer with `width` numbers a row into the blocks' parts.
    pub(crate) fn split_mut<'a>(&self, mut buffer: &'a mut [f32], width: usize) -> Vec<&'a mut [f32]> {
        let mut parts = Vec::new();
        for block in self.blocks() {
            let (part, rest) = buffer.split_at_mut(self.rows_of(&block).len() * width);
            parts.push(part);
            buffer = rest;
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_every_sequence_once() {
        for count in [0, 1, 20, 21, 160] {
            let ragged = Ragged::new((0..count).map(|s| s % 4));
            let covered: Vec<usize> = ragged.blocks().into_iter().flatten().collect();
            assert_eq!(covered, (0..count).collect::<Vec<_>>());
            let mut rows = vec![0.0; ragged.rows() * 3];
            assert_eq!(ragged.split_mut(&mut rows, 3).iter().map(|p| p.len()).sum::<usize>(), ragged.rows() * 3);
        }
    }
}
