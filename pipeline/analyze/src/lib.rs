//! An interview in, an assessment out. The only room that knows all the others.
//!
//! [`Extractor::extract`] turns one recording into tracks and a transcript in one streaming pass: the decoder's child
//! feeds samples to the speech and voice rooms and frames to the face room, each on its own thread. [`Assessor::assess`]
//! turns the extractions of an interview into an assessment under one bundle; it needs no media.

mod assess;
mod audio;
mod error;
mod extract;
mod load;
mod observer;
mod opened;
mod output;
mod plan;
mod tracks;

pub use assess::{AnswerEvidence, Assessed, Assessor, Subject};
pub use error::AnalyzeError;
pub use extract::{Extraction, Extractor, Task};
pub use load::{ExtractorSettings, ModelFiles, Rooms};
pub use observer::{NoObserver, Observer};
pub use opened::Opened;
pub use output::write_whole;
pub use plan::{FaceWaiverPolicy, PolicySettings, allowed};
pub use tracks::TrackFile;
