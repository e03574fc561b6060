//! `check` finds what it is for: each kind of damage is done by hand, and found under its number.

use hirenet_core::EraseTarget;
use hirenet_store::Stage;
use uuid::Uuid;

use crate::support::{Db, bundle, interview, with_database};

async fn found(db: &Db) -> Vec<u8> {
    let mut numbers: Vec<u8> = db.store.check().await.unwrap().into_iter().map(|v| v.invariant).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

async fn damage(db: &Db, sql: &'static str) {
    let done = sqlx::query(sql).execute(&db.admin).await.unwrap();
    assert!(done.rows_affected() > 0, "{sql}");
}

/// One interview scored, one under way, one erased.
async fn filled(db: &Db) {
    db.register(&bundle('a')).await;
    db.whole(&interview("acme", "done"), 0.7, Vec::new()).await;
    let under_way = db.admitted(&interview("acme", "under way")).await;
    db.lease(db.jobs(under_way, Stage::Extract).await[0]).await;
    db.whole(&interview("other", "gone"), 0.7, Vec::new()).await;
    let target = EraseTarget::Interview("gone".to_owned());
    db.store.erase("other", &target, Uuid::new_v4(), "e").await.unwrap();
    db.is_clean().await;
}

#[test]
fn each_damage_is_found_under_the_number_of_its_invariant() {
    for (number, sql) in [
        (2, "update hirenet.assessments set status = 'partial' where status = 'scored'"),
        (2, "update hirenet.answers set state = 'failed' where state = 'extracted'"),
        (10, "alter table hirenet.answers add column mood_score float8"),
        (21, "update hirenet.jobs set state = 'done', lease_until = null where interview_id = 'under way'"),
        (21, "update hirenet.interviews set status = 'scored' where interview_id = 'under way'"),
        (21, "update hirenet.interviews set status = 'working' where interview_id = 'done'"),
        (21, "update hirenet.submissions set state = 'failed' where interview_id = 'done'"),
        (22, "update hirenet.attempts set outcome = 'retried' where outcome = 'done'"),
        (22, "update hirenet.answers set state = 'waiting' where state = 'extracted'"),
        (23, "update hirenet.assessments set score = 0.9, result_sha256 = 'other'"),
        (24, "delete from hirenet.attempts where outcome = 'running'"),
        (24, "update hirenet.attempts set fence = 99 where outcome = 'running'"),
        (29, "update hirenet.jobs set state = 'failed' where interview_id = 'gone'"),
        (29, "insert into hirenet.recruiter_decisions (tenant, interview_id, selected) values ('other', 'gone', true)"),
        (30, "update hirenet.interviews set modalities = '{verbal}' where interview_id = 'done'"),
        (30, "update hirenet.interviews set modalities = '{vocal,visual}' where interview_id = 'done'"),
    ] {
        with_database(async |db| {
            filled(&db).await;
            if sql.starts_with("alter") {
                sqlx::query(sql).execute(&db.admin).await.unwrap();
            } else {
                damage(&db, sql).await;
            }
            assert!(found(&db).await.contains(&number), "{number}: {sql}");
        });
    }
}

#[test]
fn status_counts_and_names_what_does_not_move() {
    with_database(async |db| {
        filled(&db).await;
        let status = db.store.status(std::time::Duration::from_secs(3600)).await.unwrap();
        assert_eq!((status.open_submissions, status.overdue_erasures), (1, 0));
        assert!(status.stuck.is_empty());
        assert!(status.jobs.iter().any(|count| count.state == "running" && count.jobs == 1));
        sqlx::query("update hirenet.jobs set lease_until = now() - interval '1 minute' where state = 'running'")
            .execute(&db.admin)
            .await
            .unwrap();
        let stuck = db.store.status(std::time::Duration::from_secs(3600)).await.unwrap().stuck;
        assert_eq!(stuck.iter().map(|job| job.interview_id.as_str()).collect::<Vec<_>>(), ["under way"]);
    });
}

#[test]
fn a_worker_is_seen_until_it_says_goodbye() {
    with_database(async |db| {
        let worker = Uuid::new_v4();
        let stages = ["extract".to_owned()];
        let beat = hirenet_store::WorkerBeat { worker, host: "h", version: "1", stages: &stages, slots: 2 };
        db.store.beat(&beat).await.unwrap();
        db.store.beat(&beat).await.unwrap();
        let workers = db.store.status(std::time::Duration::ZERO).await.unwrap().workers;
        assert_eq!((workers.len(), workers[0].slots, workers[0].stopped_at), (1, 2, None));
        db.store.worker_stopped(worker).await.unwrap();
        assert!(db.store.status(std::time::Duration::ZERO).await.unwrap().workers[0].stopped_at.is_some());
    });
}
