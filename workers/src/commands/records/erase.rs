//! `hirenet erase`

use std::collections::HashSet;

use hirenet_core::{Code, EraseRequest, sha256_bytes};
use hirenet_store::{Erasure, Store};
use uuid::Uuid;

use crate::cli::Erase;
use crate::commands::daemon::broker;
use crate::commands::print;
use crate::config::Config;
use crate::failure::{Failure, Outcome};

pub(super) async fn run(config: &Config, arguments: Erase) -> Result<Outcome, Failure> {
    let store = Store::connect(&config.store).await?;
    let tenant = super::tenant(&store, arguments.tenant.tenant).await?;
    // Before anything is erased: without the broker the dead letters would stay, and nobody would come back for them.
    let broker = broker(config, "hirenet erase").await?;
    let request = EraseRequest {
        job_id: Uuid::new_v4(),
        tenant,
        interview_id: arguments.target.interview,
        candidate: arguments.target.candidate,
    };
    let target =
        request.target().ok_or_else(|| Failure::new(Code::UsageInvalid, "name an interview or a candidate"))?;
    let content = serde_json::to_vec(&request).map_err(|error| Failure::internal(&error.into()))?;
    let erasure = store.erase(&request.tenant, &target, request.job_id, sha256_bytes(&content).as_str()).await?;
    let interviews = match erasure {
        Erasure::Erased { interviews } | Erasure::Replay { interviews } => interviews,
        Erasure::Conflict => return Err(Failure::new(Code::MessageConflict, "the job id was taken")),
    };
    let names: HashSet<String> = interviews.iter().map(Uuid::to_string).collect();
    broker.purge_dead_letters(|letter| letter["interview"].as_str().is_some_and(|id| names.contains(id))).await?;
    broker.close().await;
    let text = format!(
        "erased {} interviews; receipt {}\nwhat arrives later of them is not written; a worker sends the event\n",
        interviews.len(),
        request.job_id
    );
    print(text.as_bytes())?;
    Ok(Outcome::Done)
}
