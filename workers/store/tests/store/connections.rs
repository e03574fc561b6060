//! Connections that are kept between steps: they are in nobody's way.

use std::time::Duration;

use hirenet_store::{Stage, Store, StoreSettings};
use tokio::time::timeout;

use crate::support::{LONG, bundle, interview, settings, with_database};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn more_steps_than_connections_and_everything_else_beside_them() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        // The smallest pool that keeps any, and one that keeps none.
        for connections in [4, 1] {
            let settings = StoreSettings { connections, ..settings(&db.address) };
            let store = Store::connect(&settings).await.unwrap();
            let mut jobs = Vec::new();
            for n in 0..6 {
                let id = db.admitted(&interview("acme", &format!("{connections} {n}"))).await;
                jobs.extend(db.jobs(id, Stage::Extract).await);
            }
            let mut steps = tokio::task::JoinSet::new();
            for job in jobs {
                let store = store.clone();
                steps.spawn(async move {
                    store.claim(job, uuid::Uuid::new_v4(), LONG).await.unwrap();
                    store.outbox_state().await.unwrap();
                });
            }
            timeout(SOON, async { while steps.join_next().await.is_some_and(|step| step.is_ok()) {} }).await.unwrap();
            assert!(steps.is_empty(), "a step failed");
            // All that can be kept is kept now.
            timeout(SOON, store.check()).await.unwrap().unwrap();
            timeout(SOON, store.close()).await.expect("what is kept does not hold the pool open");
        }
    });
}
