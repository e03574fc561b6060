//! `hirenet bundles`

use std::fmt::Write as _;

use hirenet_core::Code;
use hirenet_store::{BundleRow, Store};
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use super::comparison::Comparison;
use crate::cli::BundlesCommand;
use crate::commands::{print, print_json};
use crate::config::Config;
use crate::failure::{Failure, Outcome};

/// Decision thresholds of bundles whose card names none.
const EVEN: f64 = 0.5;

pub(super) async fn run(config: &Config, command: BundlesCommand) -> Result<Outcome, Failure> {
    let store = Store::connect(&config.store).await?;
    let known = store.bundles().await?;
    match command {
        BundlesCommand::List { json } => list(&known, json)?,
        BundlesCommand::Activate { bundle } => {
            let sha256 = &named(&known, &bundle)?.info.sha256;
            store.activate_bundle(sha256).await?;
            print(format!("active  {sha256}\n").as_bytes())?;
        }
        BundlesCommand::Compare { first, second, position, tenant, json } => {
            let (first, second) = (named(&known, &first)?, named(&known, &second)?);
            let tenants = match tenant {
                Some(tenant) => vec![tenant],
                None => store.tenants().await?,
            };
            let mut pairs = Vec::new();
            for tenant in tenants {
                let (a, b) = (&first.info.sha256, &second.info.sha256);
                pairs.extend(store.paired_scores(&tenant, position.as_deref(), a, b).await?);
            }
            let thresholds = (first.threshold.unwrap_or(EVEN), second.threshold.unwrap_or(EVEN));
            compare(&Comparison::new(&pairs, thresholds), json)?;
        }
    }
    Ok(Outcome::Done)
}

/// The bundle whose hash begins so.
fn named<'a>(known: &'a [BundleRow], start: &str) -> Result<&'a BundleRow, Failure> {
    let mut fitting = known.iter().filter(|row| !start.is_empty() && row.info.sha256.starts_with(start));
    match (fitting.next(), fitting.next()) {
        (Some(row), None) => Ok(row),
        (None, _) => {
            Err(Failure::new(Code::UsageInvalid, format!("no registered bundle's sha256 begins with `{start}`")))
        }
        (Some(_), Some(_)) => Err(Failure::new(Code::UsageInvalid, format!("several bundles begin with `{start}`"))),
    }
}

fn list(known: &[BundleRow], as_json: bool) -> Result<(), Failure> {
    let since = |row: &BundleRow| row.registered_at.format(&Rfc3339).unwrap_or_default();
    if as_json {
        let rows =
            known.iter().map(|row| json!({"bundle": row.info, "active": row.active, "registered_at": since(row)}));
        return print_json(&rows.collect::<Vec<_>>());
    }
    let mut text = String::from("  SHA256            KIND       NAME                     VERSION    REGISTERED\n");
    for row in known {
        let mark = if row.active { '*' } else { ' ' };
        let (info, kind) = (&row.info, row.info.kind.as_str());
        let short = info.sha256.get(..16).unwrap_or(&info.sha256);
        let _ = writeln!(text, "{mark} {short}  {kind:<10} {:<24} {:<10} {}", info.name, info.version, since(row));
    }
    print(text.as_bytes())
}

fn compare(found: &Comparison, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return print_json(found);
    }
    let correlation = found.rank_correlation.map_or("-".to_owned(), |rho| format!("{rho:.4}"));
    let text = format!(
        "interviews scored under both  {}\nrank correlation (Spearman)   {correlation}\nflips across the thresholds   {}\n\
        mean absolute difference      {:.4}\nlargest absolute difference   {:.4}\n",
        found.interviews, found.flips, found.mean_difference, found.largest_difference
    );
    print(text.as_bytes())
}
