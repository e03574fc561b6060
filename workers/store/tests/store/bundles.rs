//! Bundles: another score is another row, and what people see changes for all of them at once.

use hirenet_core::EraseTarget;
use hirenet_store::{RescoreScope, ResultFilter, ScoreOutcome, Stage};
use uuid::Uuid;

use crate::support::{Db, assessment, bundle, interview, with_database};

async fn shown(db: &Db) -> Vec<(String, Option<f64>)> {
    let filter = ResultFilter { tenant: Some("acme".to_owned()), limit: 10, ..ResultFilter::default() };
    db.store.results(&filter).await.unwrap().into_iter().map(|row| (row.status, row.score)).collect()
}

#[test]
fn the_first_bundle_is_active_and_one_only() {
    with_database(async |db| {
        assert_eq!(db.store.active_bundle().await.unwrap(), None);
        assert!(db.register(&bundle('a')).await);
        assert!(!db.register(&bundle('b')).await);
        assert!(db.register(&bundle('a')).await, "again: nothing changes");
        assert_eq!(db.store.bundle_graph(&bundle('b').sha256).await.unwrap().unwrap(), b"graph");
        assert!(!db.store.activate_bundle("unknown").await.unwrap());
        assert_eq!(db.store.active_bundle().await.unwrap(), Some(bundle('a').sha256));
        assert!(db.store.activate_bundle(&bundle('b').sha256).await.unwrap());
        let active: Vec<bool> = db.store.bundles().await.unwrap().iter().map(|row| row.active).collect();
        assert_eq!(active, [true, false]);
    });
}

#[test]
fn rescoring_adds_rows_and_activation_shows_them() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        let messages = [interview("acme", "i1"), interview("acme", "i2")];
        let ids = [db.whole(&messages[0], 0.2, Vec::new()).await, db.whole(&messages[1], 0.8, Vec::new()).await];
        db.register(&bundle('b')).await;
        db.published().await;
        let scope = RescoreScope { position: Some("p1".to_owned()), ..RescoreScope::default() };
        assert_eq!(db.store.rescore(&bundle('b').sha256, &scope).await.unwrap(), 2);
        assert_eq!(db.store.rescore(&bundle('b').sha256, &scope).await.unwrap(), 0, "they are on their way");
        assert_eq!(db.published().await.iter().filter(|row| row.routing_key == "score.bulk").count(), 2);
        for (id, message) in ids.into_iter().zip(&messages) {
            let lease = db.lease(db.jobs(id, Stage::Score).await[0]).await;
            let task = db.store.score_task(&lease).await.unwrap();
            assert_eq!(task.bundle, Some(bundle('b').sha256));
            let again = assessment(message, &bundle('b'), Some(0.5), Vec::new());
            db.store
                .finish_score(&lease, &ScoreOutcome { assessment: &again, evidence: &task.evidence })
                .await
                .unwrap();
        }
        assert!(db.published().await.is_empty(), "rescoring tells nobody");
        assert_eq!(db.store.rescore(&bundle('b').sha256, &scope).await.unwrap(), 0, "they are there");
        assert_eq!(shown(&db).await, [("scored".to_owned(), Some(0.8)), ("scored".to_owned(), Some(0.2))]);
        let pairs = db.store.paired_scores("acme", None, &bundle('a').sha256, &bundle('b').sha256).await.unwrap();
        let mut firsts: Vec<f64> = pairs.iter().map(|pair| pair.first).collect();
        firsts.sort_by(f64::total_cmp);
        assert_eq!(firsts, [0.2, 0.8]);
        db.store.activate_bundle(&bundle('b').sha256).await.unwrap();
        assert_eq!(shown(&db).await, [("scored".to_owned(), Some(0.5)), ("scored".to_owned(), Some(0.5))]);
        assert_eq!(db.count("select count(*) from hirenet.assessments").await, 4);
        db.is_clean().await;
    });
}

#[test]
fn what_the_active_bundle_has_not_scored_waits_for_it() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        db.whole(&interview("acme", "i1"), 0.2, Vec::new()).await;
        db.register(&bundle('b')).await;
        db.store.activate_bundle(&bundle('b').sha256).await.unwrap();
        assert_eq!(shown(&db).await, [("queued".to_owned(), None)]);
    });
}

#[test]
fn a_rescoring_job_of_an_erased_interview_is_gone() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        let id = db.whole(&interview("acme", "i1"), 0.2, Vec::new()).await;
        db.register(&bundle('b')).await;
        db.store.rescore(&bundle('b').sha256, &RescoreScope::default()).await.unwrap();
        let job = db.jobs(id, Stage::Score).await[0];
        let target = EraseTarget::Interview("i1".to_owned());
        db.store.erase("acme", &target, Uuid::new_v4(), "e").await.unwrap();
        let claim = db.store.claim(job, Uuid::new_v4(), crate::support::LONG).await.unwrap();
        assert_eq!(claim, hirenet_store::Claim::Gone);
        db.is_clean().await;
    });
}
