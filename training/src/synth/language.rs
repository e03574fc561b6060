//! The words of made-up interviews.

/// What a question can be about. The title's family of the same number makes it count most.
pub(super) struct Topic {
    /// What a question calls it.
    pub(super) asked: [&'static str; 3],
    /// What an answer calls it.
    pub(super) said: [&'static str; 3],
    /// A title whose answers to this topic count most.
    pub(super) title: &'static str,
}

pub(super) const TOPICS: [Topic; 4] = [
    Topic {
        asked: ["customer", "client", "shopper"],
        said: ["complaint", "request", "order"],
        title: "Service Advisor",
    },
    Topic {
        asked: ["conflict", "disagreement", "dispute"],
        said: ["argument", "tension", "misunderstanding"],
        title: "Team Leader",
    },
    Topic {
        asked: ["budget", "forecast", "target"],
        said: ["figures", "margin", "invoice"],
        title: "Sales Controller",
    },
    Topic {
        asked: ["deadline", "schedule", "rollout"],
        said: ["calendar", "milestone", "delay"],
        title: "Project Coordinator",
    },
];

/// What an answer says of a topic, for better and for worse.
pub(super) const FOR_BETTER: [&str; 3] = ["settled", "improved", "delivered"];
pub(super) const FOR_WORSE: [&str; 3] = ["ignored", "abandoned", "forgot"];

/// Questions; `{}` is the topic's word.
pub(super) const QUESTIONS: [&str; 6] = [
    "Tell us about the last {} that you had to take care of",
    "How do you go about a difficult {}",
    "What did you learn from a {} that went wrong",
    "Describe a {} that you are proud of and your part in it",
    "Imagine a {} on your first day what would you do",
    "Which {} took most of your time last year",
];

pub(super) const RANKS: [&str; 5] = ["", "Junior", "Senior", "Regional", "Deputy"];
pub(super) const PLACES: [&str; 8] = ["Lyon", "Lille", "Nantes", "Paris", "Rennes", "Bordeaux", "Toulouse", "Nice"];

/// What answers are filled with.
pub(super) const FILLERS: &str = "well so actually then after before always often never maybe really simply first second \
    during where because although since while people company morning office phone question answer example reason place \
    week month year day hour way thing part side case point fact idea work school training experience summer winter \
    started called asked told wrote went came found kept looked thought knew felt gave took made used said began tried \
    good new long small large early late young next own whole clear short open close together again already still also \
    just only quite rather very much more most less some many few other same such here there now today later soon once";
