//! `hirenet check`

use std::fmt::Write as _;

use hirenet_core::Code;
use hirenet_store::Store;
use serde_json::json;

use crate::commands::{print, print_json};
use crate::config::Config;
use crate::failure::{Failure, Outcome};

pub(super) async fn run(config: &Config, as_json: bool) -> Result<Outcome, Failure> {
    let store = Store::connect(&config.store).await?;
    store.ready().await?;
    let found = store.check().await?;
    if as_json {
        let rows = found.iter().map(|v| json!({"invariant": v.invariant, "what": v.what, "row": v.row}));
        print_json(&rows.collect::<Vec<_>>())?;
    } else {
        let mut text = String::new();
        for violation in &found {
            let _ = writeln!(text, "invariant {:<3} {}: {}", violation.invariant, violation.what, violation.row);
        }
        if found.is_empty() {
            text.push_str("all invariants hold\n");
        }
        print(text.as_bytes())?;
    }
    if found.is_empty() {
        return Ok(Outcome::Done);
    }
    Err(Failure::new(Code::InvariantBroken, format!("{} rows break what must always hold", found.len())))
}
