//! The closed sets that tables, queues and events share, with their one spelling.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// Every word, in the order of this list.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The spelling in tables, queues and events.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),* }
            }

            /// The word of a spelling.
            #[must_use]
            pub fn from_word(text: &str) -> Option<Self> {
                match text { $($text => Some($name::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// A stage that works on jobs of the table `jobs`; `admit` and `erase` work on messages instead.
    Stage {
        /// One answer's recording to tracks and transcript.
        Extract "extract",
        /// Everything that was extracted of an interview to an assessment.
        Score "score",
    }
}

words! {
    /// Which of a stage's two queues a job goes through.
    Priority {
        /// Somebody waits for the result.
        Interactive "interactive",
        /// Many at once, behind everything interactive.
        Bulk "bulk",
    }
}

words! {
    /// The state that a submission ends in, exactly once.
    FinalState {
        /// A score with all its evidence.
        Scored "scored",
        /// A score that lacks pieces; reasons say which.
        Partial "partial",
        /// No score, because of the message or of what was sent; reasons say why.
        Refused "refused",
        /// No score, because the program could not do its work.
        Failed "failed",
        /// Everything of it was erased.
        Erased "erased",
    }
}

impl FinalState {
    /// Name of the event that tells of this end.
    #[must_use]
    pub fn event(self) -> &'static str {
        match self {
            FinalState::Scored => "interview.scored",
            FinalState::Partial => "interview.partial",
            FinalState::Refused => "interview.refused",
            FinalState::Failed => "interview.failed",
            FinalState::Erased => "interview.erased",
        }
    }
}

words! {
    /// What a submission asks for.
    Request {
        /// An interview to assess.
        Submitted "submitted",
        /// An interview or a candidate to erase.
        Erase "erase",
        /// Consent taken back.
        Withdrawn "withdrawn",
        /// A job of the dead letters to run again, asked for by an operator.
        Replayed "replayed",
        /// The end of an interview's retention, asked for by the clock.
        Retention "retention",
    }
}

words! {
    /// Where a row of the outbox goes.
    Destination {
        /// The queue of a stage.
        Stage "stage",
        /// A wait queue, and from there the queue of a stage.
        Wait "wait",
        /// The exchange of events.
        Event "event",
        /// The final dead letters.
        Dead "dead",
    }
}
