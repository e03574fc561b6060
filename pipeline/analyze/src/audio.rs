//! The one copy of an answer's samples: written by the decoder, read by several rooms while it grows.

use std::sync::{Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard};

#[derive(Debug, Default)]
struct Progress {
    length: usize,
    closed: bool,
}

/// A growing buffer of 16 kHz mono samples.
#[derive(Debug, Default)]
pub(crate) struct AudioBuffer {
    samples: RwLock<Vec<f32>>,
    progress: Mutex<Progress>,
    changed: Condvar,
}

impl AudioBuffer {
    /// Appends samples.
    pub(crate) fn push(&self, chunk: &[f32]) {
        self.samples.write().unwrap_or_else(PoisonError::into_inner).extend_from_slice(chunk);
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).length += chunk.len();
        self.changed.notify_all();
    }

    /// Says that no more samples come; readers wake up.
    pub(crate) fn close(&self) {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.notify_all();
    }

    /// Up to `most` samples from `position` on; waits for the first of them. `None` at the end.
    pub(crate) fn read(&self, position: usize, most: usize) -> Option<Vec<f32>> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        while progress.length <= position && !progress.closed {
            progress = self.changed.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
        let end = progress.length.min(position + most);
        drop(progress);
        (end > position).then(|| self.all()[position..end].to_vec())
    }

    /// All samples, once they are complete.
    pub(crate) fn wait_complete(&self) -> RwLockReadGuard<'_, Vec<f32>> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        while !progress.closed {
            progress = self.changed.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
        drop(progress);
        self.all()
    }

    fn all(&self) -> RwLockReadGuard<'_, Vec<f32>> {
        self.samples.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the buffer when the decoder's side ends, however it ends: a reader never waits for ever.
pub(crate) struct CloseOnDrop<'a>(pub(crate) &'a AudioBuffer);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gets_every_sample_once_and_then_the_end() {
        let buffer = AudioBuffer::default();
        let (read, complete) = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut out: Vec<f32> = Vec::new();
                while let Some(chunk) = buffer.read(out.len(), 7) {
                    out.extend(chunk);
                }
                out
            });
            let waiter = scope.spawn(|| buffer.wait_complete().len());
            let close = CloseOnDrop(&buffer);
            for k in 0..10 {
                buffer.push(&[k as f32; 5]);
            }
            drop(close);
            (reader.join().unwrap(), waiter.join().unwrap())
        });
        assert_eq!(read, (0..10).flat_map(|k| [k as f32; 5]).collect::<Vec<_>>());
        assert_eq!(complete, 50);
    }
}
