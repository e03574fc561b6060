//! The message `interview.submitted`, version 1: an interview as it comes in.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::form::{self, from_json};
use crate::{Code, Coded, Consent};

/// One candidate's ordered answers for one position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interview {
    /// Identifies the job; a replay carries the same id.
    #[serde(deserialize_with = "form::read_job_id")]
    pub job_id: Uuid,
    /// Whose interview it is.
    pub tenant: String,
    /// Identifies the interview within the tenant.
    pub interview_id: String,
    /// An opaque pseudonym of the candidate.
    pub candidate: String,
    /// The job opening.
    pub position: Position,
    /// ISO 639-1 code of the spoken language; `None`: detect it.
    #[serde(default)]
    pub language: Option<String>,
    /// What the candidate agreed to.
    pub consent: Consent,
    /// Days after which everything of the interview is erased.
    #[serde(deserialize_with = "form::read_count")]
    pub retention_days: u32,
    /// The answers in the order of the interview.
    pub answers: Vec<Answer>,
}

/// The job opening.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Identifies the position within the tenant.
    pub id: String,
    /// Title: HireNet's global context.
    pub title: String,
}

/// One recorded response to one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Identifies the answer within the interview: letters, digits, `.`, `_` and `-`.
    pub id: String,
    /// The question's text: HireNet's local context.
    pub question: String,
    /// Address of the recording.
    pub media: String,
    /// SHA-256 of the recording in hexadecimal.
    #[serde(default)]
    pub sha256: Option<String>,
    /// A human transcript; replaces speech recognition.
    #[serde(default)]
    pub transcript: Option<GivenTranscript>,
    /// Number of the attempt; of several answers with one id the highest take is scored.
    #[serde(default, deserialize_with = "form::read_optional_count")]
    pub take: Option<u32>,
}

/// A human transcript: plain text, or words with times.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum GivenTranscript {
    /// Text without times.
    Text(String),
    /// Words with times.
    Words {
        /// The words in order.
        words: Vec<GivenWord>,
    },
}

/// One word of a human transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenWord {
    /// The word with its punctuation.
    pub text: String,
    /// Start in seconds since media time zero.
    pub start: f64,
    /// End in seconds since media time zero.
    pub end: f64,
}

impl<'de> Deserialize<'de> for GivenTranscript {
    // By hand: serde's `untagged` loses the path of what is wrong inside.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Words {
            words: Vec<GivenWord>,
        }
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = GivenTranscript;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or {\"words\": [{\"text\", \"start\", \"end\"}]}")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(GivenTranscript::Text(text.to_owned()))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let words = Words::deserialize(serde::de::value::MapAccessDeserializer::new(map))?.words;
                Ok(GivenTranscript::Words { words })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A message that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {detail}")]
pub struct MessageError {
    code: Code,
    /// Where in the message, such as `answers[0].media`.
    pub path: String,
    /// What is wrong there.
    pub detail: String,
}

impl Coded for MessageError {
    fn code(&self) -> Code {
        self.code
    }
}

impl MessageError {
    pub(crate) fn at(path: impl Into<String>, detail: impl Into<String>) -> Self {
        MessageError { code: Code::MessageInvalid, path: path.into(), detail: detail.into() }
    }
}

impl Interview {
    /// Reads and validates a message. `//`, `/* */` and `#` comments are allowed, so that the commented example is valid.
    ///
    /// # Errors
    /// [`MessageError`] with the path of the first thing that is wrong.
    pub fn from_json(text: &str) -> Result<Self, MessageError> {
        let interview: Interview = from_json(text)?;
        interview.validate()?;
        Ok(interview)
    }

    /// Checks what the types alone cannot say.
    ///
    /// # Errors
    /// [`MessageError`] with the path of the first thing that is wrong.
    pub fn validate(&self) -> Result<(), MessageError> {
        for (path, value) in [
            ("tenant", &self.tenant),
            ("interview_id", &self.interview_id),
            ("candidate", &self.candidate),
            ("position.id", &self.position.id),
        ] {
            form::name(path, value)?;
        }
        form::count("retention_days", self.retention_days)?;
        if let Some(language) = &self.language
            && !(language.len() == 2 && language.bytes().all(|b| b.is_ascii_lowercase()))
        {
            return Err(MessageError::at("language", "is not a two-letter ISO 639-1 code"));
        }
        if self.answers.is_empty() {
            let detail = "the interview has no answers".to_owned();
            return Err(MessageError { code: Code::NoAnswers, path: "answers".to_owned(), detail });
        }
        if self.consent.modalities.is_empty() {
            let detail = "the candidate consented to no modality".to_owned();
            return Err(MessageError { code: Code::ConsentMissing, path: "consent.modalities".to_owned(), detail });
        }
        if self.consent.given().is_none() {
            return Err(MessageError::at("consent.given_at", "is no date of RFC 3339, with or without a time"));
        }
        for (i, answer) in self.answers.iter().enumerate() {
            answer.validate(&format!("answers[{i}]"))?;
            let twin = self.answers[..i].iter().find(|a| a.id == answer.id && a.take == answer.take);
            if twin.is_some() {
                return Err(MessageError::at(format!("answers[{i}].id"), "stands twice with the same take"));
            }
        }
        Ok(())
    }

    /// The final take of each answer, in the order of first appearance, and the ids of which an older take was set aside.
    #[must_use]
    pub fn final_takes(&self) -> (Vec<&Answer>, Vec<&str>) {
        let mut finals: Vec<&Answer> = Vec::new();
        let mut superseded = Vec::new();
        for answer in &self.answers {
            match finals.iter_mut().find(|a| a.id == answer.id) {
                None => finals.push(answer),
                Some(kept) => {
                    superseded.push(answer.id.as_str());
                    if answer.take > kept.take {
                        *kept = answer;
                    }
                }
            }
        }
        superseded.dedup();
        (finals, superseded)
    }
}

impl Answer {
    fn validate(&self, path: &str) -> Result<(), MessageError> {
        let id_ok = !self.id.is_empty()
            && self.id.len() <= 100
            && !self.id.starts_with('.')
            && self.id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !id_ok {
            return Err(MessageError::at(format!("{path}.id"), "must be 1 to 100 letters, digits, '.', '_' or '-'"));
        }
        if self.media.trim().is_empty() {
            return Err(MessageError::at(format!("{path}.media"), "is empty"));
        }
        if let Some(sha256) = &self.sha256
            && !(sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            return Err(MessageError::at(format!("{path}.sha256"), "is not 64 hexadecimal digits"));
        }
        if let Some(take) = self.take {
            form::count(&format!("{path}.take"), take)?;
        }
        if let Some(GivenTranscript::Words { words }) = &self.transcript {
            let mut last = 0.0;
            for (k, word) in words.iter().enumerate() {
                if !(word.start >= last && word.end >= word.start && word.end.is_finite()) {
                    let at = format!("{path}.transcript.words[{k}]");
                    return Err(MessageError::at(at, "times must be seconds that never run backwards"));
                }
                last = word.start;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
