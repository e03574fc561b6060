//! What a decoder says while it works.

use crate::Refusal;
use crate::types::{Event, Probe};

/// What comes back: first `Opened`, then events, the last of which is `Ended`; or `Refused` at any point.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Message {
    Opened(Box<Probe>),
    Event(Event),
    Refused(Refusal),
}

/// Why work stops before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The file is refused.
    Refused(Refusal),
    /// Nobody listens any more.
    Closed,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

/// Where messages go. Returns `Stop::Closed` when nobody listens.
pub(crate) type Emit<'a> = dyn FnMut(Message) -> Result<(), Stop> + 'a;
