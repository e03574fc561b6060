//! Commands on what the daemon has stored.

mod bundles;
mod check;
mod comparison;
mod data_set;
mod erase;
mod export;
mod export_folder;
mod report;
mod rescore;
mod results;

use hirenet_core::Code;
use hirenet_store::Store;
use tokio::runtime::Builder;

use crate::cli::RecordsCommand;
use crate::config::Config;
use crate::failure::{Failure, Outcome};

pub(super) use report::{PageOf, write_page_of};

/// Runs the command.
pub(super) fn run(config: &Config, command: RecordsCommand) -> Result<Outcome, Failure> {
    block_on(async {
        match command {
            RecordsCommand::Results(arguments) => results::run(config, arguments).await,
            RecordsCommand::Rescore(arguments) => rescore::run(config, arguments).await,
            RecordsCommand::Bundles { command } => bundles::run(config, command).await,
            RecordsCommand::Export { out, tenant } => export::run(config, &out, tenant.tenant).await,
            RecordsCommand::Erase(arguments) => erase::run(config, arguments).await,
            RecordsCommand::Check { json } => check::run(config, json).await,
        }
    })
}

fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::internal(&error.into()))?.block_on(work)
}

/// The tenant that was named, or the only one that there is.
async fn tenant(store: &Store, named: Option<String>) -> Result<String, Failure> {
    if let Some(tenant) = named {
        return Ok(tenant);
    }
    let mut tenants = store.tenants().await?;
    match (tenants.pop(), tenants.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(Failure::new(Code::InterviewUnknown, "the database has no interview yet")),
        (Some(_), false) => Err(Failure::new(Code::UsageInvalid, "there are several tenants: name one with --tenant")),
    }
}
