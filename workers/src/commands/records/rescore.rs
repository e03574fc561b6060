//! `hirenet rescore`

use hirenet_model::Bundle;
use hirenet_store::{NewBundle, RescoreScope, Store};

use crate::cli::Rescore;
use crate::commands::print;
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::setup::{Installation, known_schemas};

pub(super) async fn run(config: &Config, arguments: Rescore) -> Result<Outcome, Failure> {
    let installation = Installation::new(config)?;
    // Loaded here, so that a bundle that breaks the contract is refused before a job is made.
    let graph = installation.bundle_file(Some(&arguments.bundle))?.read()?;
    let bundle = Bundle::from_bytes(installation.runtime()?, &graph, &known_schemas(&installation.encoder()?))
        .map_err(|error| Failure::about(&arguments.bundle, &error))?;
    let card = serde_json::to_value(bundle.card()).map_err(|error| Failure::internal(&error.into()))?;
    let info = bundle.info();
    let store = Store::connect(&config.store).await?;
    let active = store.register_bundle(&NewBundle { info, card: &card, graph: &graph }).await?;
    let scope = RescoreScope { tenant: arguments.tenant, position: arguments.position, since: arguments.since };
    let jobs = store.rescore(&info.sha256, &scope).await?;
    let next =
        if active { "it is the bundle that people see" } else { "people see it after `hirenet bundles activate`" };
    let text = format!(
        "{jobs} interviews are on their way to be scored under {} {}\n{}\n{next}\n",
        info.name, info.version, info.sha256
    );
    print(text.as_bytes())?;
    Ok(Outcome::Done)
}
