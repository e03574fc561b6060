//! The last words of a child.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Bytes that are kept of what a child wrote.
const KEPT: usize = 2048;
/// How long the rest of the words is waited for after the child ended: whoever inherited the pipe may hold it open.
const PATIENCE: Duration = Duration::from_millis(500);

/// Collects the end of a stream on a thread of its own, however much comes.
#[derive(Debug)]
pub(crate) struct Tail {
    done: Receiver<Vec<u8>>,
}

impl Tail {
    pub(crate) fn new(mut stream: impl Read + Send + 'static) -> std::io::Result<Self> {
        let (sender, done) = channel();
        std::thread::Builder::new().name("decoder-stderr".to_owned()).spawn(move || {
            let mut tail = VecDeque::with_capacity(2 * KEPT);
            let mut part = [0; KEPT];
            while let Ok(count) = stream.read(&mut part) {
                if count == 0 {
                    break;
                }
                tail.extend(&part[..count]);
                tail.drain(..tail.len().saturating_sub(KEPT));
            }
            // The other end may be gone already.
            let _gone = sender.send(tail.into());
        })?;
        Ok(Tail { done })
    }

    /// The last words, printable and on one line; empty where they do not come to an end.
    pub(crate) fn finish(&self) -> String {
        let bytes = self.done.recv_timeout(PATIENCE).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        text.split(|c: char| c.is_control())
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("; ")
    }
}
