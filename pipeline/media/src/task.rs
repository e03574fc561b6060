use std::fs::File;

use ffmpeg_next::log;
use hirenet_core::{Code, Reason};
use serde::{Deserialize, Serialize};

use crate::error::too_many_bytes;
use crate::message::{Emit, Message, Stop};
use crate::types::{Probe, Request};
use crate::{MediaSettings, decode, extent, input, streams};

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
            // A file above the limit is described by its head alone.
            if probe.duration_s.is_none() && bytes <= task.settings.max_bytes {
                probe.duration_s = extent::measure(&mut input, &plan, &head, &task.settings);
                probe.duration_measured = probe.duration_s.is_some();
            }
            probe.reasons.extend(exceeded(&probe, &task.settings));
            emit(Message::Opened(Box::new(probe)))
        }
        Work::Decode(request) => decode::decode(&mut input, &plan, &head, probe, request, &task.settings, emit),
    }
}

/// The limits on bytes and duration that keep a file from being decoded.
fn exceeded(probe: &Probe, settings: &MediaSettings) -> Vec<Reason> {
    let (bytes, limit) = (probe.bytes, settings.max_bytes);
    let large = (bytes > limit).then(|| Reason::new(Code::LimitBytes).detail(too_many_bytes(bytes, limit)));
    let long = probe.duration_s.is_some_and(|duration_s| duration_s > settings.max_duration_s);
    large.into_iter().chain(long.then(|| Reason::new(Code::LimitDuration))).collect()
}
