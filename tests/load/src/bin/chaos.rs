//! `make chaos`: the soak under faults. Settings: `HIRENET_CHAOS_SEED`, `HIRENET_CHAOS_FAULTS_S`,
//! `HIRENET_CHAOS_STAND_INS`, `HIRENET_CHAOS_REAL`.

use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result};
use hirenet_load::chaos::{Plan, run};

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let default = Plan::default();
    let plan = Plan {
        seed: setting("SEED", default.seed)?,
        faults: Duration::from_secs(setting("FAULTS_S", default.faults.as_secs())?),
        stand_ins: setting("STAND_INS", default.stand_ins)?,
        real: setting("REAL", default.real)?,
        ..default
    };
    Ok(if run(&plan).await? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn setting<T: FromStr>(name: &str, default: T) -> Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let name = format!("HIRENET_CHAOS_{name}");
    match std::env::var(&name) {
        Ok(text) => text.parse().with_context(|| format!("{name}={text}")),
        Err(_) => Ok(default),
    }
}
