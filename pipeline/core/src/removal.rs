//! The messages that take something away: `interview.erase` and `consent.withdrawn`, version 1.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::form::{self, from_json};
use crate::{MessageError, Modality};

/// `interview.erase`: everything of an interview, or of all interviews of a candidate, goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EraseRequest {
    /// Identifies the job; a replay carries the same id.
    #[serde(deserialize_with = "form::read_job_id")]
    pub job_id: Uuid,
    /// Whose interview it is.
    pub tenant: String,
    /// The interview to erase; exactly one of this and `candidate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interview_id: Option<String>,
    /// The candidate of whom everything is to be erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<String>,
}

/// What an erasure aims at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EraseTarget {
    /// One interview, by the tenant's id of it.
    Interview(String),
    /// Every interview of a candidate, by the candidate's pseudonym.
    Candidate(String),
}

/// `consent.withdrawn`: the named modalities of an interview may no longer be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentWithdrawn {
    /// Identifies the job; a replay carries the same id.
    #[serde(deserialize_with = "form::read_job_id")]
    pub job_id: Uuid,
    /// Whose interview it is.
    pub tenant: String,
    /// The interview.
    pub interview_id: String,
    /// The modalities that the candidate no longer agrees to.
    pub modalities: Vec<Modality>,
}

impl EraseRequest {
    /// Reads and validates a message.
    ///
    /// # Errors
    /// [`MessageError`] with the path of the first thing that is wrong.
    pub fn from_json(text: &str) -> Result<Self, MessageError> {
        let request: EraseRequest = from_json(text)?;
        form::name("tenant", &request.tenant)?;
        match (&request.interview_id, &request.candidate) {
            (Some(id), None) => form::name("interview_id", id)?,
            (None, Some(candidate)) => form::name("candidate", candidate)?,
            _ => {
                return Err(MessageError::at(
                    "interview_id",
                    "exactly one of interview_id and candidate must be given",
                ));
            }
        }
        Ok(request)
    }

    /// What is to be erased. `None` only for a request that [`EraseRequest::from_json`] would have refused.
    #[must_use]
    pub fn target(&self) -> Option<EraseTarget> {
        let interview = self.interview_id.clone().map(EraseTarget::Interview);
        interview.or_else(|| self.candidate.clone().map(EraseTarget::Candidate))
    }
}

impl ConsentWithdrawn {
    /// Reads and validates a message.
    ///
    /// # Errors
    /// [`MessageError`] with the path of the first thing that is wrong.
    pub fn from_json(text: &str) -> Result<Self, MessageError> {
        let withdrawn: ConsentWithdrawn = from_json(text)?;
        form::name("tenant", &withdrawn.tenant)?;
        form::name("interview_id", &withdrawn.interview_id)?;
        if withdrawn.modalities.is_empty() {
            return Err(MessageError::at("modalities", "names no modality"));
        }
        Ok(withdrawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "7f8f2f4e-6d0b-4f0c-9a51-0d9f6f3f5f10";

    #[test]
    fn an_erasure_names_exactly_one_target() {
        let read = |value: serde_json::Value| EraseRequest::from_json(&value.to_string()).map_err(|e| e.path);
        let interview = read(json!({"job_id": ID, "tenant": "t", "interview_id": "i"})).unwrap();
        assert_eq!(interview.target(), Some(EraseTarget::Interview("i".into())));
        let candidate = read(json!({"job_id": ID, "tenant": "t", "candidate": "c"})).unwrap();
        assert_eq!(candidate.target(), Some(EraseTarget::Candidate("c".into())));
        assert_eq!(read(json!({"job_id": ID, "tenant": "t"})), Err("interview_id".into()));
        let both = json!({"job_id": ID, "tenant": "t", "interview_id": "i", "candidate": "c"});
        assert_eq!(read(both), Err("interview_id".into()));
        assert_eq!(read(json!({"job_id": ID, "tenant": " ", "candidate": "c"})), Err("tenant".into()));
        let long = "c".repeat(201);
        assert_eq!(read(json!({"job_id": ID, "tenant": "t", "candidate": long})), Err("candidate".into()));
        assert_eq!(read(json!({"job_id": ID, "tenant": "t", "candidate": "c\u{0}"})), Err("candidate".into()));
        let simple = ID.replace('-', "");
        assert_eq!(read(json!({"job_id": simple, "tenant": "t", "candidate": "c"})), Err("job_id".into()));
        assert_eq!(read(json!([ID, "t", "i", null])), Err("message".into()));
    }

    #[test]
    fn a_withdrawal_names_modalities() {
        let read = |value: serde_json::Value| ConsentWithdrawn::from_json(&value.to_string()).map_err(|e| e.path);
        let base = json!({"job_id": ID, "tenant": "t", "interview_id": "i", "modalities": ["visual"]});
        assert_eq!(read(base.clone()).unwrap().modalities, [Modality::Visual]);
        let mut none = base.clone();
        none["modalities"] = json!([]);
        assert_eq!(read(none), Err("modalities".into()));
        let mut mood = base.clone();
        mood["modalities"] = json!(["mood"]);
        assert_eq!(read(mood), Err("modalities[0]".into()));
        let mut object = base.clone();
        object["modalities"] = json!([{"visual": null}]);
        assert_eq!(read(object), Err("modalities[0]".into()));
        let mut nul = base;
        nul["interview_id"] = json!("i\u{0}");
        assert_eq!(read(nul), Err("interview_id".into()));
    }
}
