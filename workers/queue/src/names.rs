//! The names of exchanges and queues, and the words that make them.

use std::time::Duration;

/// Seconds that the wait queues hold a message at most.
pub const WAITS_S: [u64; 5] = [1, 5, 25, 120, 600];

/// A stage of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// A message to rows and jobs.
    Admit,
    /// One answer's recording to tracks and transcript.
    Extract,
    /// Everything that was extracted of an interview to an assessment.
    Score,
    /// Erasure, and consent taken back.
    Erase,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Stage; 4] = [Stage::Admit, Stage::Extract, Stage::Score, Stage::Erase];

    /// The spelling in names and settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Admit => "admit",
            Stage::Extract => "extract",
            Stage::Score => "score",
            Stage::Erase => "erase",
        }
    }

    /// The stage of a spelling.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.as_str() == word)
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which of a stage's two queues a message goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// Somebody waits for the result.
    Interactive,
    /// Many at once, behind everything interactive.
    Bulk,
}

impl Priority {
    /// Both, the urgent one first.
    pub const ALL: [Priority; 2] = [Priority::Interactive, Priority::Bulk];

    /// The spelling in names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Priority::Interactive => "interactive",
            Priority::Bulk => "bulk",
        }
    }
}

/// The routing key of a stage's queue: `STAGE.PRIORITY`.
#[must_use]
pub fn routing_key(stage: Stage, priority: Priority) -> String {
    format!("{}.{}", stage.as_str(), priority.as_str())
}

/// The names under one prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    prefix: String,
}

impl Names {
    /// Names that begin with `prefix`.
    pub fn new(prefix: impl Into<String>) -> Names {
        Names { prefix: prefix.into() }
    }

    /// The direct exchange in front of the stages' queues.
    #[must_use]
    pub fn exchange(&self) -> String {
        self.prefix.clone()
    }

    /// The queue of a stage.
    #[must_use]
    pub fn stage(&self, stage: Stage, priority: Priority) -> String {
        format!("{}.{}", self.prefix, routing_key(stage, priority))
    }

    /// The exchange and the queue that hold a message for `seconds` at most.
    #[must_use]
    pub fn wait(&self, seconds: u64) -> String {
        format!("{}.wait.{seconds}", self.prefix)
    }

    /// The exchange and the queue of what the broker gave up.
    #[must_use]
    pub fn undelivered(&self) -> String {
        format!("{}.undelivered", self.prefix)
    }

    /// The queue of the final dead letters.
    #[must_use]
    pub fn dead(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    /// The topic exchange of events, and the queue that keeps them for a reader.
    #[must_use]
    pub fn events(&self) -> String {
        format!("{}.events", self.prefix)
    }
}

/// The wait queue for a delay: the shortest that is not shorter, else the longest.
#[must_use]
pub fn wait_for(delay: Duration) -> u64 {
    let longest = WAITS_S[WAITS_S.len() - 1];
    WAITS_S.into_iter().find(|seconds| Duration::from_secs(*seconds) >= delay).unwrap_or(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_goes_to_the_shortest_queue_that_can_hold_it() {
        let wait = |ms| wait_for(Duration::from_millis(ms));
        assert_eq!([wait(0), wait(1_000), wait(1_001), wait(25_000), wait(130_000)], [1, 1, 5, 25, 600]);
        assert_eq!(wait(3_600_000), 600);
    }

    #[test]
    fn words_read_back() {
        for stage in Stage::ALL {
            assert_eq!(Stage::from_word(stage.as_str()), Some(stage));
        }
        assert_eq!(Stage::from_word("mood"), None);
    }
}
