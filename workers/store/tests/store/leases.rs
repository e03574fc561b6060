//! Claims on the database's clock, and what a worker that lost one can still do: nothing.

use std::sync::Arc;
use std::time::Duration;

use hirenet_core::Code;
use hirenet_store::{Claim, Destination, Stage, StoreError};
use serde_json::Value;
use tokio::sync::Barrier;
use uuid::Uuid;

use crate::support::{LONG, bundle, interview, outcome, with_database};

fn is_lost<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::LeaseLost(_)))
}

#[test]
fn of_many_claimants_one_wins() {
    with_database(async |db| {
        let id = db.admitted(&interview("acme", "i1")).await;
        let job = db.jobs(id, Stage::Extract).await[0];
        let barrier = Arc::new(Barrier::new(8));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (store, barrier) = (db.store.clone(), barrier.clone());
            tasks.spawn(async move {
                barrier.wait().await;
                store.claim(job, Uuid::new_v4(), LONG).await.unwrap()
            });
        }
        let claims = tasks.join_all().await;
        let (won, busy): (Vec<_>, Vec<_>) = claims.into_iter().partition(|claim| matches!(claim, Claim::Run(_)));
        assert_eq!((won.len(), busy.len()), (1, 7));
        for claim in busy {
            let Claim::Busy { retry_after } = claim else { panic!("{claim:?}") };
            assert!(retry_after <= LONG);
        }
        assert_eq!(db.count("select sum(attempts)::bigint from hirenet.jobs").await, 1);
        db.is_clean().await;
    });
}

#[test]
fn a_job_that_is_over_or_unknown_is_said_to_be() {
    with_database(async |db| {
        let id = db.admitted(&interview("acme", "i1")).await;
        let job = db.jobs(id, Stage::Extract).await[0];
        let lease = db.lease(job).await;
        db.store.finish_extract(&lease, &outcome()).await.unwrap();
        assert_eq!(db.store.claim(job, Uuid::new_v4(), LONG).await.unwrap(), Claim::Ended);
        assert_eq!(db.store.claim(Uuid::new_v4(), Uuid::new_v4(), LONG).await.unwrap(), Claim::Gone);
    });
}

#[test]
fn the_loser_of_a_lease_writes_nothing() {
    with_database(async |db| {
        let id = db.admitted(&interview("acme", "i1")).await;
        let job = db.jobs(id, Stage::Extract).await[0];
        let slow = db.lease(job).await;
        db.expire(job).await;
        // Out of time, and nobody else has it yet: the clock alone refuses.
        assert!(is_lost(&db.store.heartbeat(&slow, LONG).await));
        assert!(is_lost(&db.store.finish_extract(&slow, &outcome()).await));
        let fast = db.lease(job).await;
        assert!(fast.fence > slow.fence && fast.alone && fast.attempt == 2);
        for refused in [
            is_lost(&db.store.heartbeat(&slow, LONG).await),
            is_lost(&db.store.finish_extract(&slow, &outcome()).await.map(|_| ())),
            is_lost(&db.store.retry(&slow, Code::FetchFailed, "", Duration::ZERO).await),
            is_lost(&db.store.bury(&slow, Code::Internal, "").await),
            is_lost(&db.store.hand_back(&slow).await),
            is_lost(&db.store.extract_task(&slow).await),
        ] {
            assert!(refused);
        }
        assert_eq!(db.count("select count(*) from hirenet.tracks").await, 0);
        db.store.heartbeat(&fast, LONG).await.unwrap();
        db.store.finish_extract(&fast, &outcome()).await.unwrap();
        assert_eq!(db.count("select count(*) from hirenet.tracks").await, 2);
        assert_eq!(db.count("select count(*) from hirenet.attempts where outcome = 'died'").await, 1);
        db.is_clean().await;
    });
}

#[test]
fn a_heartbeat_keeps_a_lease_and_the_next_claim_waits_for_it() {
    with_database(async |db| {
        let id = db.admitted(&interview("acme", "i1")).await;
        let job = db.jobs(id, Stage::Extract).await[0];
        let lease = db.lease(job).await;
        db.store.heartbeat(&lease, Duration::from_secs(3600)).await.unwrap();
        let Claim::Busy { retry_after } = db.store.claim(job, Uuid::new_v4(), LONG).await.unwrap() else { panic!() };
        assert!(retry_after > Duration::from_secs(3500));
    });
}

#[test]
fn only_deaths_while_alone_bury_a_job_and_its_neighbours_live() {
    with_database(async |db| {
        let message = interview("acme", "i1");
        let id = db.admitted(&message).await;
        db.register(&bundle('a')).await;
        db.published().await;
        let jobs = db.jobs(id, Stage::Extract).await;
        let (killer, neighbour) = (jobs[0], jobs[1]);
        // Beside others: suspected, not judged.
        assert!(!db.lease(killer).await.alone);
        db.expire(killer).await;
        for _ in 0..2 {
            assert!(db.lease(killer).await.alone);
            db.expire(killer).await;
        }
        assert_eq!(db.store.claim(killer, Uuid::new_v4(), LONG).await.unwrap(), Claim::Ended);
        let rows = db.published().await;
        let [dead] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(dead.destination, Destination::Dead);
        let letter: Value = serde_json::from_slice(&dead.payload).unwrap();
        assert_eq!((&letter["code"], letter["attempts"].as_array().unwrap().len()), (&"worker_died".into(), 3));
        let dead = db.store.dead_job(killer).await.unwrap().unwrap();
        assert_eq!(dead.attempts.iter().filter(|a| a.outcome == "died").count(), 3);

        let lease = db.lease(neighbour).await;
        assert!(db.store.finish_extract(&lease, &outcome()).await.unwrap(), "the interview goes on");
        db.is_clean().await;
    });
}

#[test]
fn a_retry_waits_and_counts_only_unknown_failures() {
    with_database(async |db| {
        let id = db.admitted(&interview("acme", "i1")).await;
        db.published().await;
        let job = db.jobs(id, Stage::Extract).await[0];
        let passing = db.lease(job).await;
        db.store.retry(&passing, Code::FetchFailed, "503", Duration::from_secs(25)).await.unwrap();
        let rows = db.published().await;
        assert_eq!((rows[0].destination, rows[0].delay), (Destination::Wait, Duration::from_secs(25)));
        assert_eq!(rows[0].routing_key, "extract.interactive");
        let unknown = db.lease(job).await;
        assert_eq!((unknown.failures, unknown.attempt, unknown.alone), (0, 2, false));
        db.store.retry(&unknown, Code::DecoderCrashed, "signal 11", Duration::from_secs(1)).await.unwrap();
        assert_eq!(db.lease(job).await.failures, 1);
        db.is_clean().await;
    });
}

#[test]
fn a_job_handed_back_is_free_at_once_and_no_failure() {
    with_database(async |db| {
        let id = db.admitted(&interview("acme", "i1")).await;
        db.published().await;
        let job = db.jobs(id, Stage::Extract).await[0];
        let lease = db.lease(job).await;
        db.store.hand_back(&lease).await.unwrap();
        assert!(db.published().await.is_empty(), "its message goes back by the broker");
        let again = db.lease(job).await;
        assert_eq!((again.failures, again.alone, again.attempt), (0, false, 2));
        db.is_clean().await;
    });
}

#[test]
fn what_the_broker_gave_up_is_buried_unless_somebody_works_on_it() {
    with_database(async |db| {
        let id = db.admitted(&interview("acme", "i1")).await;
        let job = db.jobs(id, Stage::Extract).await[0];
        let lease = db.lease(job).await;
        assert!(!db.store.bury_undelivered(job, Code::DeliveryLimit, "").await.unwrap());
        db.store.hand_back(&lease).await.unwrap();
        assert!(db.store.bury_undelivered(job, Code::DeliveryLimit, "").await.unwrap());
        assert!(!db.store.bury_undelivered(job, Code::DeliveryLimit, "").await.unwrap());
        db.is_clean().await;
    });
}

#[test]
fn a_step_looks_at_its_own_job_however_many_wait() {
    const WAITING: usize = 10;
    with_database(async |db| {
        db.register(&bundle('a')).await;
        // Statistics of a moment at which nothing waits: the plans that follow from them must hold when much does.
        db.whole(&interview("acme", "i0"), 0.5, Vec::new()).await;
        sqlx::query("analyze").execute(&db.admin).await.unwrap();
        let messages: Vec<_> = (1..=WAITING).map(|n| interview("acme", &format!("i{n}"))).collect();
        let mut ids = Vec::new();
        for message in &messages {
            ids.push(db.admitted(message).await);
        }
        for (id, message) in ids.into_iter().zip(&messages) {
            db.extracted(id).await;
            db.scored(id, message, 0.5, Vec::new()).await;
        }

        db.has_counted().await;
        let looks = "select coalesce(sum(idx_scan), 0)::bigint from pg_stat_user_indexes
            where indexrelname in ('jobs_open', 'submissions_open')";
        assert_eq!(db.count(looks).await, 0);
    });
}
