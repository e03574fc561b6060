//! `hirenet-train inspect` and `hirenet-train import`

use std::fmt::Write;

use super::print;
use crate::cli::{Import, Inspect};
use crate::data::inspect::inspect;
use crate::data::{Corpus, Limits, import};
use crate::{Result, TrainError};

pub(super) fn run(arguments: &Inspect) -> Result<()> {
    let corpus = Corpus::open(&arguments.dataset, &[], Limits::default())?;
    let found = inspect(&corpus)?;
    if arguments.json {
        return print(&serde_json::json!(found).to_string());
    }
    let mut text = format!(
        "{}\n{} interviews for {} positions, {} answers, {:.1} % positive\n",
        corpus.header().name,
        found.interviews,
        found.positions,
        found.answers,
        100.0 * found.positive
    );
    for (split, (count, positive)) in &found.splits {
        let _ = writeln!(text, "  {split:<11} {count:>6} interviews, {:.1} % positive", 100.0 * positive);
    }
    for (group, count) in &found.groups {
        let _ = writeln!(text, "  group {group}: {count}");
    }
    for (modality, t) in &found.tracks {
        let _ = writeln!(
            text,
            "  {modality:<7} {} interviews, {} answers, missing in {}; rows {:.1} on average, {} at most, {:.1} % not valid; \
             {} answers are longer than `fit` reads by default",
            t.interviews,
            t.answers,
            t.missing,
            t.mean_rows,
            t.longest,
            100.0 * t.invalid,
            t.beyond_limit
        );
    }
    print(&text)
}

pub(super) fn import(arguments: &Import) -> Result<()> {
    if arguments.out.join("dataset.json").exists() {
        return Err(TrainError::Usage(format!("{} is a data set already", arguments.out.display())));
    }
    let made = import::import(&arguments.results, &arguments.decisions, &arguments.out, &arguments.name)?;
    let (interviews, undecided, out) = (made.interviews, made.undecided, arguments.out.display());
    let mut text = format!("{interviews} interviews in {out}; {undecided} results without a decision left out");
    if let Some(first) = made.without_result.first() {
        let count = made.without_result.len();
        let _ = write!(text, "\n{count} interviews with a decision have no result here, the first is `{first}`");
    }
    print(&text)
}
