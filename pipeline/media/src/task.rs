use std::fs::File;

use ffmpeg_next::log;
use serde::{Deserialize, Serialize};

use crate::types::{Event, Probe, Request};
use crate::{MediaSettings, Refusal, decode, input, streams};

/// What the child is asked to do; its only command line argument, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) work: Work,
    pub(crate) settings: MediaSettings,
}

/// The two things that can be done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Work {
    /// Describe it.
    Probe,
    /// Describe it, then decode it.
    Decode(Request),
}

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

/// Does the task with the open file; every message but a refusal goes through `emit`.
pub(crate) fn perform(file: File, task: &Task, emit: &mut Emit<'_>) -> Result<(), Stop> {
    log::set_level(log::Level::Error);
    let (mut input, bytes) = input::open(file)?;
    let mut plan = streams::Plan::new(&input, &task.settings)?;
    let head = plan.read_head(&mut input);
    let mut probe = plan.describe(&input, bytes);
    match task.work {
        Work::Probe => {
            if probe.duration_s.is_none() {
                probe.duration_s = streams::measure(&mut input, &plan, &head);
                probe.duration_measured = probe.duration_s.is_some();
            }
            emit(Message::Opened(Box::new(probe)))
        }
        Work::Decode(request) => decode::decode(&mut input, &plan, &head, probe, request, &task.settings, emit),
    }
}
