//! Commands on what the daemon has stored: results, bundles, the training data set, erasure, and the check of it all.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[derive(Debug, Subcommand)]
pub(crate) enum RecordsCommand {
    /// Print what recruiters see: scores with their evidence, by rank
    #[command(
        after_help = "Examples:\n  hirenet results --position sales-1\n  hirenet results --json\n  hirenet results --follow\n\n\
        With a recruiter's own login set HIRENET_STORE__ROLE to nothing: the login then decides what is seen."
    )]
    Results(Results),
    /// Score what is stored under another bundle; no recording is touched
    #[command(after_help = "Example:\n  hirenet rescore --bundle new.onnx --position sales-1 --since 2026-01-01\n\n\
        The jobs go through the queue score.bulk. `hirenet bundles compare` shows what changed, `hirenet bundles activate` shows it to everybody.")]
    Rescore(Rescore),
    /// List, switch or compare the bundles that score
    #[command(
        after_help = "Examples:\n  hirenet bundles list\n  hirenet bundles compare 3f2a 9c41\n  hirenet bundles activate 9c41\n\n\
        A bundle is named by its sha256, or by as much of it as is unique."
    )]
    Bundles {
        #[command(subcommand)]
        command: BundlesCommand,
    },
    /// Write the training data set: tracks, words and recruiters' decisions
    #[command(after_help = "Example:\n  hirenet export --out dataset\n\n\
        Interviews that the table recruiter_decisions knows are written; the others are counted.\n\
        An older export in the folder is replaced whole, so that nothing stays of interviews that were erased meanwhile.")]
    Export {
        /// Folder to write to: a new or empty one, or an older export; made where it is missing
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        tenant: Tenant,
    },
    /// Erase an interview, or everything of a candidate
    #[command(
        after_help = "Examples:\n  hirenet erase --tenant acme --interview i-17\n  hirenet erase --tenant acme --candidate 8d1f\n\n\
        Final: nothing is left but ids, hashes, versions and times, and what arrives later is not written."
    )]
    Erase(Erase),
    /// Look in the database for anything that breaks what must always hold
    #[command(
        after_help = "Example:\n  hirenet check\n\nExit status: 0 all holds, 5 something does not: it is printed with its number in docs/invariants.md."
    )]
    Check {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Whose rows.
#[derive(Debug, Clone, Args)]
pub(crate) struct Tenant {
    /// Whose; left out: the only tenant there is
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Results {
    #[command(flatten)]
    pub(crate) tenant: Tenant,
    /// Only this position
    #[arg(long, value_name = "POSITION")]
    pub(crate) position: Option<String>,
    /// Rows at most
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(crate) limit: i64,
    /// Go on, printing each row that changes, until interrupted
    #[arg(long)]
    pub(crate) follow: bool,
    /// Print JSON, one row a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Rescore {
    /// The bundle: a file, or a name of the manifest
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: String,
    /// Only this tenant's interviews; left out: everybody's
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
    /// Only this position
    #[arg(long, value_name = "POSITION")]
    pub(crate) position: Option<String>,
    /// Only interviews received since, as 2026-01-31 or 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) since: Option<OffsetDateTime>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BundlesCommand {
    /// List the bundles that were ever used; * marks the one that people see
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show this bundle's scores to everybody, and score new interviews under it
    Activate {
        /// Its sha256
        bundle: String,
    },
    /// Compare two bundles on the interviews that both have scored
    Compare {
        /// sha256 of the first
        first: String,
        /// sha256 of the second
        second: String,
        /// Only this position
        #[arg(long, value_name = "POSITION")]
        position: Option<String>,
        /// Only this tenant's interviews; left out: everybody's
        #[arg(long, value_name = "TENANT")]
        tenant: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Erase {
    #[command(flatten)]
    pub(crate) tenant: Tenant,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// What to erase: one of the two.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Target {
    /// The interview, as the tenant names it
    #[arg(long, value_name = "ID")]
    pub(crate) interview: Option<String>,
    /// The candidate's pseudonym
    #[arg(long, value_name = "PSEUDONYM")]
    pub(crate) candidate: Option<String>,
}

fn moment(text: &str) -> Result<OffsetDateTime, String> {
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    OffsetDateTime::parse(&whole, &Rfc3339).map_err(|_| "a day such as 2026-01-31, or a time with its zone".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_day_or_a_time_with_its_zone() {
        assert_eq!(moment("2026-01-31"), moment("2026-01-31T01:00:00+01:00"));
        assert!(moment("31.1.2026").is_err() && moment("2026-01-31T12:00:00").is_err());
    }
}
