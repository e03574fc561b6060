//! Counting what could not be decoded.

use ffmpeg_next::Error;
use ffmpeg_next::error::EAGAIN;
use hirenet_core::Code;

use crate::{Refusal, input};

/// Damage of one stream.
#[derive(Debug, Default)]
pub(crate) struct Damage {
    /// Packets seen.
    pub(crate) packets: u64,
    /// Failures since the first piece that could be decoded.
    pub(crate) errors: u64,
    /// Failures since the last piece that could be decoded.
    trailing: u64,
    started: bool,
}

impl Damage {
    /// A piece was decoded.
    pub(crate) fn decoded(&mut self) {
        self.started = true;
        self.errors += self.trailing;
        self.trailing = 0;
    }

    /// A piece was decoded, but the decoder had to conceal damage in it.
    pub(crate) fn concealed(&mut self) {
        self.decoded();
        self.errors += 1;
    }

    /// A packet or piece could not be decoded. Running out of memory is refused, everything else is counted.
    pub(crate) fn failed(&mut self, error: Error) -> Result<(), Refusal> {
        if input::is_memory(error) {
            return Err(Refusal::plain(Code::LimitMemory));
        }
        // Streams cut from a longer one begin with pieces that nothing can be made of.
        if self.started {
            self.trailing += 1;
        }
        Ok(())
    }

    /// Number of failures that count. One failure at the very end is no damage: files end with padding or tags.
    pub(crate) fn count(&self) -> u64 {
        self.errors + if self.trailing > 1 { self.trailing } else { 0 }
    }
}

/// True where a decoder has nothing to give yet, or nothing any more.
pub(crate) fn is_dry(error: Error) -> bool {
    error == Error::Eof || error == (Error::Other { errno: EAGAIN })
}
