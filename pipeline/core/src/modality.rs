use serde::{Deserialize, Serialize};

/// One of the three ways an answer speaks. The order is the contract's: verbal, vocal, visual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Modality {
    /// The words.
    Verbal,
    /// The voice.
    Vocal,
    /// The face.
    Visual,
}

impl Modality {
    /// All modalities in the contract's order.
    pub const ALL: [Modality; 3] = [Modality::Verbal, Modality::Vocal, Modality::Visual];

    /// Lower-case name, as in messages, tables and graph inputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Modality::Verbal => "verbal",
            Modality::Vocal => "vocal",
            Modality::Visual => "visual",
        }
    }
}

impl std::fmt::Display for Modality {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
