//! Commands of the daemon: what it needs, what goes in, and what it does.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

#[derive(Debug, Subcommand)]
pub(crate) enum DaemonCommand {
    /// Make what the daemon needs in broker and database; running it again changes nothing
    #[command(
        after_help = "Examples:\n  hirenet setup\n  hirenet setup --check\n\nWhere something is there and differs, it is told and nothing is changed in the broker."
    )]
    Setup {
        /// Make nothing; only tell what is missing or differs
        #[arg(long)]
        check: bool,
    },
    /// Publish interviews for the daemon, and wait until the broker has them safe
    #[command(
        after_help = "Examples:\n  hirenet submit interview.json\n  hirenet submit --dir interviews --priority bulk\n\n\
        Relative media paths are sent as file: addresses; workers fetch them where fetch.allowed_prefixes has their folder."
    )]
    Submit(Submit),
    /// Run a worker
    #[command(
        after_help = "Examples:\n  hirenet work\n  hirenet work --stages extract --slots 4\n  hirenet work --drain\n\n\
        SIGTERM: no new work; what is in hand may finish within work.grace_s, the rest is handed back. A second one hands back at once.\n\
        Exit status: 0 everything was finished, 6 something was handed back, 2 the installation is at fault, 5 the worker must be started anew."
    )]
    Work(Work),
    /// Look at what was given up, and give it another chance
    #[command(
        after_help = "Examples:\n  hirenet dead list\n  hirenet dead show 6f1c2f0e-52a4-4c61-9d55-0b5f7a3c9a10\n  hirenet dead replay 6f1c2f0e-52a4-4c61-9d55-0b5f7a3c9a10\n  hirenet dead drop 0a51c3d2-7be1-4f0a-8f0e-2c9d6f1b7e44\n\n\
        A job can run again. A message that was refused cannot, because nothing of it is stored: its sender mends it and sends\n\
        it under a new job id, and its letter is dropped."
    )]
    Dead {
        #[command(subcommand)]
        command: DeadCommand,
    },
    /// Show queues, workers, and jobs that do not move
    #[command(after_help = "Example:\n  hirenet status --json")]
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Seconds without a move after which a job counts as stuck
        #[arg(long, default_value_t = 600.0, value_name = "SECONDS")]
        stuck_after: f64,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// Interviews to submit
    #[arg(required_unless_present = "dir", value_name = "INTERVIEW.json")]
    pub(crate) files: Vec<PathBuf>,
    /// Submit every *.json of this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Which queues they go through
    #[arg(long, value_enum, default_value_t = SubmitPriority::Interactive)]
    pub(crate) priority: SubmitPriority,
}

/// Which queues an interview goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SubmitPriority {
    /// Somebody waits for the result.
    Interactive,
    /// Behind everything interactive.
    Bulk,
}

#[derive(Debug, Args)]
pub(crate) struct Work {
    /// Stages to serve, separated by commas: admit, extract, score, erase [setting work.stages]
    #[arg(long, value_delimiter = ',', value_name = "STAGE,...")]
    pub(crate) stages: Option<Vec<String>>,
    /// Jobs of a stage at once [setting work.slots]
    #[arg(long, value_name = "N")]
    pub(crate) slots: Option<usize>,
    /// Threads that the slots share [setting work.threads]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// End when the queues are empty
    #[arg(long)]
    pub(crate) drain: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadCommand {
    /// List what was given up, the newest first
    List {
        /// At most so many
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a job with every attempt, or what is known of a message that was refused
    Show {
        /// The job, or the message's id as the list has it
        id: Uuid,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Run jobs again that were given up
    Replay {
        /// The jobs
        #[arg(required_unless_present = "all")]
        jobs: Vec<Uuid>,
        /// Every job that was given up
        #[arg(long, conflicts_with = "jobs")]
        all: bool,
    },
    /// Take letters of refused messages out of the dead letters; the audit keeps that they were there
    Drop {
        /// The messages, by their ids as the list has them
        #[arg(required = true)]
        ids: Vec<Uuid>,
    },
}
