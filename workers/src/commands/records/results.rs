//! `hirenet results`

use std::fmt::Write as _;
use std::time::Duration;

use hirenet_core::Code;
use hirenet_store::{ResultFilter, ResultRow, Store};

use crate::cli::Results;
use crate::commands::print;
use crate::config::Config;
use crate::failure::{Failure, Outcome};

/// Seconds between two looks of `--follow`.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) async fn run(config: &Config, arguments: Results) -> Result<Outcome, Failure> {
    let store = Store::connect(&config.store).await?;
    // A recruiter's login has no right on the list of tenants, and needs none: it sees its own.
    let tenant = if config.store.role.is_empty() {
        arguments.tenant.tenant
    } else {
        Some(super::tenant(&store, arguments.tenant.tenant).await?)
    };
    if let Some(named) = &tenant {
        may_see(&store, named).await?;
    }
    let mut filter = ResultFilter { tenant, position: arguments.position, changed_after: None, limit: arguments.limit };
    let rows = store.results(&filter).await?;
    print(as_text(&rows, arguments.json, true)?.as_bytes())?;
    if !arguments.follow {
        return Ok(Outcome::Done);
    }
    filter.changed_after = rows.iter().map(|row| row.changed_at).max();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let rows = store.results(&filter).await?;
        if let Some(newest) = rows.iter().map(|row| row.changed_at).max() {
            print(as_text(&rows, arguments.json, false)?.as_bytes())?;
            filter.changed_after = Some(newest);
        }
    }
}

/// Refuses a tenant whose rows the login is not shown: another one's would be printed under its name, or none.
async fn may_see(store: &Store, named: &str) -> Result<(), Failure> {
    let sentence = match store.viewer_tenant(named).await? {
        Some(shown) if shown == named => return Ok(()),
        Some(shown) => {
            format!("this login sees the rows of tenant `{shown}` alone: leave --tenant out, or use another login")
        }
        None => "this login belongs to no tenant: see recruiter_logins in docs/database.md".to_owned(),
    };
    Err(Failure::new(Code::UsageInvalid, sentence))
}

fn as_text(rows: &[ResultRow], as_json: bool, heading: bool) -> Result<String, Failure> {
    let mut text = String::new();
    if as_json {
        for row in rows {
            text += &serde_json::to_string(row).map_err(|error| Failure::internal(&error.into()))?;
            text.push('\n');
        }
        return Ok(text);
    }
    if heading {
        text += "POSITION         RANK      INTERVIEW                STATUS    SCORE  VERBAL VOCAL  VISUAL COMPLETE REVIEW            STRONGEST MOMENT\n";
    }
    for row in rows {
        let rank = row.rank.zip(row.comparable).map_or("-".to_owned(), |(rank, of)| format!("{rank}/{of}"));
        let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
        let complete = row.completeness.map_or("-".to_owned(), |share| format!("{:.0} %", share * 100.0));
        let moment = row.top_spans[0]["text"].as_str().unwrap_or_default();
        let _ = writeln!(
            text,
            "{:<16} {rank:<9} {:<24} {:<9} {:<6} {:<6} {:<6} {:<6} {complete:<8} {:<17} {}",
            row.position_id.as_deref().unwrap_or("-"),
            row.interview_id,
            row.status,
            number(row.score),
            number(row.verbal_score),
            number(row.vocal_score),
            number(row.visual_score),
            row.review,
            moment.chars().take(60).collect::<String>()
        );
    }
    Ok(text)
}
