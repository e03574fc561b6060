//! `hirenet setup`

use std::fmt::Write as _;

use hirenet_queue::Topology;
use hirenet_store::Store;

use super::broker;
use crate::commands::print;
use crate::config::Config;
use crate::failure::{Failure, Outcome};

pub(super) async fn run(config: &Config, check: bool) -> Result<Outcome, Failure> {
    let broker = broker(config, "hirenet setup").await?;
    let topology = Topology::new(&config.queue);
    if check {
        broker.require(&topology).await?;
        Store::connect(&config.store).await?.ready().await?;
        print(b"broker and database have what the daemon needs\n")?;
        // AMQP has no question for them, and a probe would be delivered where all is well.
        print(b"bindings cannot be looked at: `hirenet setup` makes those that are missing\n")?;
        return Ok(Outcome::Done);
    }
    // The broker first: where it differs nothing is changed anywhere.
    let made = broker.declare(&topology).await?;
    Store::migrate(&config.store).await?;
    Store::connect(&config.store).await?.ready().await?;
    let mut text = String::new();
    for name in &made {
        let _ = writeln!(text, "made     {name}");
    }
    let there = topology.exchanges.len() + topology.queues.len() - made.len();
    let _ = writeln!(text, "broker   {} made, {there} were there", made.len());
    let _ = writeln!(text, "database schema is up to date");
    print(text.as_bytes())?;
    broker.close().await;
    Ok(Outcome::Done)
}
