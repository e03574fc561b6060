//! Commands of the daemon.

mod dead;
mod setup;
mod status;
mod submit;
mod work;

use hirenet_queue::Broker;
use tokio::runtime::{Builder, Runtime};

use crate::cli::DaemonCommand;
use crate::config::Config;
use crate::failure::{Failure, Outcome};

/// Runs the command.
pub(super) fn run(config: Config, command: DaemonCommand) -> Result<Outcome, Failure> {
    match command {
        DaemonCommand::Work(arguments) => work::run(config, &arguments),
        command => runtime(1)?.block_on(brief(&config, command)),
    }
}

/// Commands that end by themselves.
async fn brief(config: &Config, command: DaemonCommand) -> Result<Outcome, Failure> {
    match command {
        DaemonCommand::Setup { check } => setup::run(config, check).await,
        DaemonCommand::Submit(arguments) => submit::run(config, &arguments).await,
        DaemonCommand::Dead { command } => dead::run(config, command).await,
        DaemonCommand::Status { json, stuck_after } => status::run(config, json, stuck_after).await,
        // Runs with a runtime of its own.
        DaemonCommand::Work(_) => Ok(Outcome::Done),
    }
}

fn runtime(threads: usize) -> Result<Runtime, Failure> {
    let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    runtime.map_err(|error| Failure::internal(&error.into()))
}

pub(super) async fn broker(config: &Config, name: &str) -> Result<Broker, Failure> {
    Ok(Broker::connect(&config.queue, name).await?)
}
