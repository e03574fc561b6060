use std::fs::File;

use ffmpeg_next::log;
use serde::{Deserialize, Serialize};

use crate::message::{Emit, Message, Stop};
use crate::types::Request;
use crate::{MediaSettings, decode, input, streams};

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
