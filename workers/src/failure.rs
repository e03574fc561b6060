//! How the program ends: exit statuses, and the one line on stderr that says why.

use std::process::ExitCode;

use hirenet_core::{Code, Coded, Kind, Modality};

use crate::logging;

/// Wrong command line or configuration.
pub(crate) const WRONG_USAGE: u8 = 2;
const REFUSED: u8 = 3;
const PARTIAL: u8 = 4;
const INTERNAL: u8 = 5;
const HANDED_BACK: u8 = 6;

/// How a command ended that gave a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything that was asked for.
    Done,
    /// A result that lacks pieces, with reasons.
    Partial,
    /// A worker that was stopped before its jobs were done, and handed them back.
    HandedBack,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => ExitCode::SUCCESS,
            Outcome::Partial => ExitCode::from(PARTIAL),
            Outcome::HandedBack => ExitCode::from(HANDED_BACK),
        }
    }
}

/// Why a command gave no result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    code: Code,
    modality: Option<Modality>,
    sentence: String,
}

impl Failure {
    /// A failure with a code and a sentence of its own.
    pub(crate) fn new(code: Code, sentence: impl Into<String>) -> Self {
        Failure { code, modality: None, sentence: sentence.into() }
    }

    /// The same failure where it concerns one modality alone.
    pub(crate) fn of(mut self, modality: Option<Modality>) -> Self {
        self.modality = modality;
        self
    }

    /// A failure that concerns a named thing: a file, an answer.
    pub(crate) fn about(subject: impl std::fmt::Display, error: &impl Coded) -> Self {
        Failure::new(error.code(), error.to_string()).naming(subject)
    }

    /// A failure of the program's own surroundings: threads, pipes, serialisation.
    pub(crate) fn internal(error: &anyhow::Error) -> Self {
        Failure::new(Code::Internal, format!("{error:#}"))
    }

    /// The same failure, naming a subject that it does not name yet.
    pub(crate) fn naming(mut self, subject: impl std::fmt::Display) -> Self {
        let subject = subject.to_string();
        if !self.sentence.contains(&subject) {
            self.sentence = format!("{subject}: {}", self.sentence);
        }
        self
    }

    /// The stable code.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// Exit status by kind.
    fn status(&self) -> u8 {
        match self.code.kind() {
            Kind::Faulty | Kind::Note => REFUSED,
            Kind::Setup => WRONG_USAGE,
            Kind::Passing | Kind::Unknown => INTERNAL,
        }
    }

    /// Prints the code and the sentence on stderr and gives the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        logging::failure_of(self.code, self.modality, &self.sentence);
        ExitCode::from(self.status())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::new(error.code(), error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_follow_the_kind_of_the_code() {
        for (code, status) in [
            (Code::FileMissing, 3),
            (Code::ConfigInvalid, 2),
            (Code::ModelMissing, 2),
            (Code::Internal, 5),
            (Code::OutputFailed, 5),
        ] {
            assert_eq!(Failure::new(code, "x").status(), status, "{code}");
        }
    }

    #[test]
    fn a_subject_is_named_once() {
        let missing = hirenet_onnx::OnnxError::Missing("a.onnx".into());
        assert_eq!(Failure::about("a.onnx", &missing).sentence.matches("a.onnx").count(), 1);
        assert!(Failure::about("answer a1", &missing).sentence.starts_with("answer a1: "));
    }
}
