//! Face detection, landmarks, blendshapes, head pose and gaze: frames to the visual track.
//!
//! [`FaceMeter`] measures the main face of a recording frame by frame; [`track()`] puts its rows on the common clock and
//! [`reasons`] says what a reader of the result must know. All names are anatomical; nothing here infers an emotion.

mod blendshapes;
mod continuity;
mod crop;
mod detector;
mod error;
mod fit;
mod gaze;
mod geometry;
mod landmarks;
mod meter;
mod network;
mod pose;
mod procrustes;
mod settings;
mod track;

pub use detector::{Detection, Detector};
pub use error::FaceError;
pub use geometry::{Rect, Region};
pub use landmarks::{LANDMARKS, Landmarks};
pub use meter::{FaceMeasure, FaceMeter, FaceModels, FaceRow};
pub use settings::FaceSettings;
pub use track::{reasons, track};
