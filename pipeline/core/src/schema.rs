//! What the rows and columns of a track are. Changed columns, units, signs or meaning make a new id.

use std::sync::{Arc, LazyLock};

use serde::Serialize;

/// What one row of a track stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rows {
    /// One word of a transcript, a question or a title.
    Word,
    /// One window of the common clock.
    Window,
}

/// One named column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Name; unique in its schema.
    pub name: String,
    /// Unit; `1` for a pure number.
    pub unit: String,
}

/// A track's schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Schema {
    /// Stable id with its version, such as `vocal/lld51/1`.
    pub id: String,
    /// What a row is.
    pub rows: Rows,
    /// The columns in order.
    pub columns: Vec<Column>,
}

impl Schema {
    /// A schema of `dim` unnamed vector components `v000`, `v001`, ... a word.
    #[must_use]
    pub fn word_vectors(id: &str, dim: usize) -> Schema {
        let columns = (0..dim).map(|i| Column { name: format!("v{i:03}"), unit: "1".to_owned() }).collect();
        Schema { id: id.to_owned(), rows: Rows::Word, columns }
    }

    /// What one row stands for, as a word.
    #[must_use]
    pub fn row_name(&self) -> &'static str {
        match self.rows {
            Rows::Word => "word",
            Rows::Window => "window",
        }
    }

    /// Number of columns.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.columns.len()
    }
}

/// The 25 low-level descriptors with their units, in order, under openSMILE's eGeMAPSv02 names.
pub const LLD_COLUMNS: [(&str, &str); 25] = [
    ("Loudness_sma3", "1"),
    ("alphaRatio_sma3", "dB"),
    ("hammarbergIndex_sma3", "dB"),
    ("slope0-500_sma3", "dB/Hz"),
    ("slope500-1500_sma3", "dB/Hz"),
    ("spectralFlux_sma3", "1"),
    ("mfcc1_sma3", "1"),
    ("mfcc2_sma3", "1"),
    ("mfcc3_sma3", "1"),
    ("mfcc4_sma3", "1"),
    ("F0semitoneFrom27.5Hz_sma3nz", "semitone"),
    ("jitterLocal_sma3nz", "1"),
    ("shimmerLocaldB_sma3nz", "dB"),
    ("HNRdBACF_sma3nz", "dB"),
    ("logRelF0-H1-H2_sma3nz", "dB"),
    ("logRelF0-H1-A3_sma3nz", "dB"),
    ("F1frequency_sma3nz", "Hz"),
    ("F1bandwidth_sma3nz", "Hz"),
    ("F1amplitudeLogRelF0_sma3nz", "dB"),
    ("F2frequency_sma3nz", "Hz"),
    ("F2bandwidth_sma3nz", "Hz"),
    ("F2amplitudeLogRelF0_sma3nz", "dB"),
    ("F3frequency_sma3nz", "Hz"),
    ("F3bandwidth_sma3nz", "Hz"),
    ("F3amplitudeLogRelF0_sma3nz", "dB"),
];

/// Index of the first LLD that exists only in voiced frames; all after it do too.
pub const LLD_VOICED_FROM: usize = 10;

/// The 51 blendshapes of the visual track, by ARKit's anatomical names (`_neutral` left out), in the network's order.
#[rustfmt::skip]
pub const BLENDSHAPES: [&str; 51] = [
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff", 
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", 
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", 
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight", 
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel", "mouthLeft", 
    "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight", 
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight", 
    "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight",
];

fn mean_and_std<'a>(columns: &(impl Iterator<Item = (&'a str, &'a str)> + Clone)) -> Vec<Column> {
    let named = |suffix: &'static str| {
        columns.clone().map(move |(name, unit)| Column { name: format!("{name}_{suffix}"), unit: unit.to_owned() })
    };
    named("mean").chain(named("std")).collect()
}

/// `verbal/hash256/1`: 256 hashed character n-grams a word of the transcript.
#[must_use]
pub fn verbal_hash256() -> Arc<Schema> {
    static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| Arc::new(Schema::word_vectors("verbal/hash256/1", 256)));
    SCHEMA.clone()
}

/// `context/hash256/1`: 256 hashed character n-grams a word of a question or a title.
#[must_use]
pub fn context_hash256() -> Arc<Schema> {
    static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| Arc::new(Schema::word_vectors("context/hash256/1", 256)));
    SCHEMA.clone()
}

/// `vocal/lld51/1`: means of the 25 LLDs, their standard deviations, and the share of speech.
#[must_use]
pub fn vocal_lld51() -> Arc<Schema> {
    static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
        let mut columns = mean_and_std(&LLD_COLUMNS.iter().copied());
        columns.push(Column { name: "speech_share".to_owned(), unit: "1".to_owned() });
        Arc::new(Schema { id: "vocal/lld51/1".to_owned(), rows: Rows::Window, columns })
    });
    SCHEMA.clone()
}

/// `visual/face/1`: means and standard deviations of pose (3), gaze (2) and the 51 blendshapes.
#[must_use]
pub fn visual_face() -> Arc<Schema> {
    static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
        let angles = ["yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg"].map(|name| (name, "deg"));
        let columns = mean_and_std(&angles.into_iter().chain(BLENDSHAPES.into_iter().map(|name| (name, "1"))));
        Arc::new(Schema { id: "visual/face/1".to_owned(), rows: Rows::Window, columns })
    });
    SCHEMA.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn widths_and_names_are_those_of_their_ids() {
        for (schema, dim) in
            [(verbal_hash256(), 256), (context_hash256(), 256), (vocal_lld51(), 51), (visual_face(), 112)]
        {
            assert_eq!(schema.dim(), dim, "{}", schema.id);
            let names: HashSet<_> = schema.columns.iter().map(|c| &c.name).collect();
            assert_eq!(names.len(), dim, "{}: a name twice", schema.id);
        }
    }

    #[test]
    fn no_column_speaks_of_position_or_emotion() {
        for column in &visual_face().columns {
            assert!(!["x_", "y_", "width", "height", "emotion", "mood"].iter().any(|s| column.name.starts_with(s)));
        }
    }
}
