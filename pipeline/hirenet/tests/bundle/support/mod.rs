//! Random interviews, and HireNet's equations a second time: plain loops in f64, one answer after another, without
//! padding, masks or packing.

pub(crate) mod reference;
pub(crate) mod toy;

use std::sync::Arc;

use hirenet_core::{ByModality, Modality, Schema, Track, context_hash256, verbal_hash256, visual_face, vocal_lld51};
use hirenet_model::{AnswerTracks, InterviewTracks};
use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// All schemas that extractors produce.
pub(crate) fn known() -> Vec<Arc<Schema>> {
    vec![verbal_hash256(), vocal_lld51(), visual_face(), context_hash256()]
}

pub(crate) fn schema(modality: Modality) -> Arc<Schema> {
    match modality {
        Modality::Verbal => verbal_hash256(),
        Modality::Vocal => vocal_lld51(),
        Modality::Visual => visual_face(),
    }
}

/// A track of random rows, all valid.
pub(crate) fn track(rng: &mut ChaCha8Rng, schema: Arc<Schema>, rows: usize) -> Track {
    let scale = if schema.dim() == 256 { 0.12 } else { 3.0 };
    let values = Array2::from_shape_simple_fn((rows, schema.dim()), || rng.random_range(-scale..scale));
    Track { schema, values, valid: vec![true; rows] }
}

/// An interview whose answers have `rows(answer, modality)` rows; 0 leaves the track out.
pub(crate) fn interview(seed: u64, answers: usize, rows: impl Fn(usize, Modality) -> usize) -> InterviewTracks {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let title_words = rng.random_range(0..5);
    let title = track(&mut rng, context_hash256(), title_words);
    let answers = (0..answers)
        .map(|answer| {
            let words = rng.random_range(0..9);
            let question = track(&mut rng, context_hash256(), words);
            let mut tracks = ByModality::default();
            for modality in Modality::ALL {
                let rows = rows(answer, modality);
                tracks.set(modality, (rows > 0).then(|| track(&mut rng, schema(modality), rows)));
            }
            AnswerTracks { id: format!("a{answer}"), question, tracks }
        })
        .collect();
    InterviewTracks { title, answers }
}
