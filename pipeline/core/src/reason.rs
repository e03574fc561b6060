use serde::{Deserialize, Serialize};

use crate::{Code, Modality};

/// Why something is missing, refused, or to be read with care.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The stable code.
    pub code: Code,
    /// The answer it concerns; `None` for the whole interview.
    pub answer: Option<String>,
    /// The modality it concerns; `None` for all.
    pub modality: Option<Modality>,
    /// One sentence with the particulars. Never a transcript, a name or a path.
    pub detail: String,
}

impl Reason {
    /// A reason about no particular answer or modality, with the code's own meaning as its detail.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Reason { code, answer: None, modality: None, detail: code.meaning().to_owned() }
    }

    /// The same reason about one modality.
    #[must_use]
    pub fn of(mut self, modality: Modality) -> Self {
        self.modality = Some(modality);
        self
    }

    /// The same reason about one answer.
    #[must_use]
    pub fn in_answer(mut self, answer: &str) -> Self {
        self.answer = Some(answer.to_owned());
        self
    }

    /// The same reason with particulars.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }
}
