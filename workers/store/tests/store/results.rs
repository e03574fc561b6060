//! From extraction to what people read.

use std::sync::Arc;

use hirenet_core::{Code, Interview, Modality, Reason};
use hirenet_store::{Evidence, FinalState, ResultFilter, ScoreOutcome, Stage, Store, StoreError};
use serde_json::{Value, json};
use tokio::sync::Barrier;
use uuid::Uuid;

use crate::support::{Db, assessment, bundle, interview, outcome, settings, with_database};

fn of(tenant: &str) -> ResultFilter {
    ResultFilter { tenant: Some(tenant.to_owned()), limit: 100, ..ResultFilter::default() }
}

/// An interview whose first answer failed for good and whose second was extracted, so that its score is on its way; with its
/// id, and the job that failed.
async fn with_a_dead_answer(db: &Db) -> (Interview, Uuid, Uuid) {
    db.register(&bundle('a')).await;
    let message = interview("acme", "i1");
    let id = db.admitted(&message).await;
    let jobs = db.jobs(id, Stage::Extract).await;
    db.store.bury(&db.lease(jobs[0]).await, Code::NotMedia, "a text").await.unwrap();
    db.store.finish_extract(&db.lease(jobs[1]).await, &outcome()).await.unwrap();
    (message, id, jobs[0])
}

#[test]
fn exactly_one_of_two_answers_that_end_at_once_is_the_last() {
    with_database(async |db| {
        let elsewhere = Store::connect(&settings(&db.address)).await.unwrap();
        for n in 0..10 {
            let id = db.admitted(&interview("acme", &format!("i{n}"))).await;
            let barrier = Arc::new(Barrier::new(2));
            let mut tasks = tokio::task::JoinSet::new();
            // In one worker, where they take turns, and in two, where the database alone decides.
            let stores = [&db.store, if n % 2 == 0 { &db.store } else { &elsewhere }];
            for (job, store) in db.jobs(id, Stage::Extract).await.into_iter().zip(stores) {
                let (store, barrier, lease) = (store.clone(), barrier.clone(), db.lease(job).await);
                tasks.spawn(async move {
                    barrier.wait().await;
                    store.finish_extract(&lease, &outcome()).await.unwrap()
                });
            }
            let mut last = tasks.join_all().await;
            last.sort_unstable();
            assert_eq!(last, [false, true]);
            assert_eq!(db.jobs(id, Stage::Score).await.len(), 1);
        }
        elsewhere.close().await;
        db.is_clean().await;
    });
}

#[test]
fn a_score_stands_in_the_view_with_its_evidence_and_one_event() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        let message = interview("acme", "i1");
        let id = db.admitted(&message).await;
        db.extracted(id).await;
        let lease = db.lease(db.jobs(id, Stage::Score).await[0]).await;
        let task = db.store.score_task(&lease).await.unwrap();
        assert_eq!(task.interview, message);
        assert_eq!(task.bundle, Some(bundle('a').sha256));
        assert_eq!(task.answers[1].extraction.outcome, outcome());
        let whole = assessment(&message, &bundle('a'), Some(0.7), Vec::new());
        let state = db
            .store
            .finish_score(&lease, &ScoreOutcome { assessment: &whole, evidence: &task.evidence })
            .await
            .unwrap();
        assert_eq!(state, FinalState::Scored);

        let events = db.events().await;
        assert_eq!(events, [(message.job_id.to_string(), "interview.scored".to_owned(), Value::Null)]);
        let rows = db.store.results(&of("acme")).await.unwrap();
        let [row] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!((row.status.as_str(), row.score, row.rank, row.comparable), ("scored", Some(0.7), Some(1), Some(1)));
        assert_eq!((row.percentile, row.rank_basis.as_deref(), row.completeness), (None, Some("complete"), Some(1.0)));
        assert_eq!(row.top_spans[0]["text"], "Persimmon gardens.");
        assert_eq!(row.review, "not yet reviewed");
        assert_eq!(db.store.results(&of("other")).await.unwrap(), []);

        let report = db.store.report("acme", "i1").await.unwrap().unwrap();
        assert_eq!(report.assessment, whole, "put together again, word for word");
        assert_eq!(report.title, "Sales assistant");
        db.is_clean().await;
    });
}

#[test]
fn events_are_of_the_documented_form() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        db.whole(&interview("acme", "i1"), 0.5, Vec::new()).await;
        db.whole(&interview("acme", "i2"), 0.5, vec![Reason::new(Code::NoFace).of(Modality::Visual)]).await;
        db.store.admit(&crate::support::plan(&interview("acme", "i1"), "c")).await.unwrap();
        let validator = hirenet_tests::schemas::validator("events.schema.json", None);
        let mut events = 0;
        for row in db.published().await.iter().filter(|row| row.kind.starts_with("interview.")) {
            let event: Value = serde_json::from_slice(&row.payload).unwrap();
            let complaints = hirenet_tests::schemas::complaints(&validator, &event);
            assert!(complaints.is_empty(), "{complaints:?} in {event}");
            assert_eq!(event["event_id"], row.id.to_string());
            events += 1;
        }
        assert_eq!(events, 3);
    });
}

#[test]
fn an_answer_that_is_given_up_leaves_the_interview_partial() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        let message = interview("acme", "i1");
        let id = db.admitted(&message).await;
        let jobs = db.jobs(id, Stage::Extract).await;
        let lease = db.lease(jobs[0]).await;
        db.store.bury(&lease, Code::NotMedia, "a text").await.unwrap();
        assert!(db.jobs(id, Stage::Score).await.is_empty());
        let lease = db.lease(jobs[1]).await;
        db.store.finish_extract(&lease, &outcome()).await.unwrap();

        let lease = db.lease(db.jobs(id, Stage::Score).await[0]).await;
        let task = db.store.score_task(&lease).await.unwrap();
        let failed = &task.answers[0].extraction;
        assert!(!failed.extracted && failed.outcome.tracks.is_empty());
        assert_eq!(failed.outcome.reasons[0].code, Code::NotMedia);
        let reasons = vec![failed.outcome.reasons[0].clone().in_answer("a1")];
        let partial = assessment(&message, &bundle('a'), Some(0.4), reasons);
        let state = db
            .store
            .finish_score(&lease, &ScoreOutcome { assessment: &partial, evidence: &task.evidence })
            .await
            .unwrap();
        assert_eq!(state, FinalState::Partial);
        let events: Vec<_> = db.events().await.into_iter().map(|event| event.1).collect();
        assert_eq!(events, ["interview.partial"]);
        let row = &db.store.results(&of("acme")).await.unwrap()[0];
        assert_eq!((row.status.as_str(), row.rank_basis.as_deref()), ("partial", Some("partial")));
        assert_eq!(row.reasons[0]["code"], "not_media");
        db.is_clean().await;

        // Mended and run again: another row, another event, the first score is not written over.
        let replay = Uuid::new_v4();
        assert!(db.store.replay(jobs[0], replay).await.unwrap());
        assert_eq!(db.status(id).await, "working");
        db.extracted(id).await;
        db.scored(id, &message, 0.6, Vec::new()).await;
        assert_eq!(db.events().await[0].0, replay.to_string());
        assert_eq!(db.count("select count(*) from hirenet.assessments").await, 2);
        let rows = db.store.results(&of("acme")).await.unwrap();
        assert_eq!((rows.len(), rows[0].score, rows[0].status.as_str()), (1, Some(0.6), "scored"));
        db.is_clean().await;
    });
}

#[test]
fn an_answer_that_is_run_again_is_waited_for_by_the_score() {
    with_database(async |db| {
        let (message, id, dead) = with_a_dead_answer(&db).await;

        // A score without the answer is in hand when an operator runs the answer again.
        let held = db.lease(db.jobs(id, Stage::Score).await[0]).await;
        let task = db.store.score_task(&held).await.unwrap();
        let replay = Uuid::new_v4();
        assert!(db.store.replay(dead, replay).await.unwrap());
        let without = assessment(&message, &bundle('a'), Some(0.4), Vec::new());
        let outcome = ScoreOutcome { assessment: &without, evidence: &task.evidence };
        let late = db.store.finish_score(&held, &outcome).await;
        assert!(matches!(late, Err(StoreError::LeaseLost(_))));
        assert!(db.events().await.is_empty());

        db.extracted(id).await;
        db.scored(id, &message, 0.6, Vec::new()).await;
        let mut ended: Vec<_> = db.events().await.into_iter().map(|event| event.0).collect();
        ended.sort();
        let mut expected = [message.job_id.to_string(), replay.to_string()];
        expected.sort();
        assert_eq!(ended, expected);
        assert_eq!(db.count("select count(*) from hirenet.assessments").await, 1);
        db.is_clean().await;
    });
}

#[test]
fn a_score_is_not_run_again_while_an_answer_is() {
    with_database(async |db| {
        let (message, id, dead) = with_a_dead_answer(&db).await;
        let score = db.jobs(id, Stage::Score).await[0];
        db.store.bury(&db.lease(score).await, Code::ModelFailed, "NaN").await.unwrap();

        assert!(db.store.replay(dead, Uuid::new_v4()).await.unwrap());
        assert!(!db.store.replay(score, Uuid::new_v4()).await.unwrap());
        db.extracted(id).await;
        db.scored(id, &message, 0.6, Vec::new()).await;
        assert_eq!(db.status(id).await, "scored");
        db.is_clean().await;
    });
}

#[test]
fn a_score_that_cannot_be_made_fails_the_interview() {
    with_database(async |db| {
        let message = interview("acme", "i1");
        let id = db.admitted(&message).await;
        db.extracted(id).await;
        let lease = db.lease(db.jobs(id, Stage::Score).await[0]).await;
        db.store.bury(&lease, Code::ModelFailed, "NaN").await.unwrap();
        assert_eq!(db.status(id).await, "failed");
        let events = db.events().await;
        assert_eq!(events, [(message.job_id.to_string(), "interview.failed".to_owned(), json!("model_failed"))]);
        db.is_clean().await;
    });
}

#[test]
fn a_number_that_is_none_is_refused_by_the_table() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        let message = interview("acme", "i1");
        let id = db.admitted(&message).await;
        db.extracted(id).await;
        let lease = db.lease(db.jobs(id, Stage::Score).await[0]).await;
        let mut broken = assessment(&message, &bundle('a'), Some(f64::NAN), Vec::new());
        broken.score_range = None;
        assert!(
            db.store
                .finish_score(&lease, &ScoreOutcome { assessment: &broken, evidence: &Evidence::default() })
                .await
                .is_err()
        );
        assert_eq!(db.count("select count(*) from hirenet.assessments").await, 0);
        assert_eq!(db.status(id).await, "working");
    });
}

/// Scores of one position, each with its reasons.
async fn position(db: &Db, scores: &[(f64, Option<Code>)]) {
    for (n, (score, code)) in scores.iter().enumerate() {
        db.whole(&interview("acme", &format!("i{n}")), *score, code.map(Reason::new).into_iter().collect()).await;
    }
}

#[test]
fn rank_and_percentile_follow_the_documented_rule() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        position(
            &db,
            &[(0.9, None), (0.7, Some(Code::NoFace)), (0.7, None), (0.2, None), (0.95, Some(Code::LowConfidence))],
        )
        .await;
        let mut elsewhere = interview("acme", "other position");
        elsewhere.position.id = "p2".to_owned();
        db.whole(&elsewhere, 0.99, Vec::new()).await;
        let filter = ResultFilter { position: Some("p1".to_owned()), ..of("acme") };
        let rows = db.store.results(&filter).await.unwrap();
        let shown: Vec<_> = rows
            .iter()
            .map(|r| (r.interview_id.as_str(), r.rank, r.comparable, r.percentile, r.rank_basis.as_deref().unwrap()))
            .collect();
        let third = Some(100.0 * 2.0 / 3.0);
        assert_eq!(
            shown,
            [
                ("i0", Some(1), Some(4), Some(100.0), "complete"),
                ("i1", Some(2), Some(4), third, "partial"),
                ("i2", Some(2), Some(4), third, "complete"),
                ("i3", Some(4), Some(4), Some(0.0), "complete"),
                ("i4", None, None, None, "low_confidence"),
            ]
        );
    });
}

#[test]
fn results_can_be_followed() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        position(&db, &[(0.9, None)]).await;
        let first = db.store.results(&of("acme")).await.unwrap();
        let later = ResultFilter { changed_after: Some(first[0].changed_at), ..of("acme") };
        assert_eq!(db.store.results(&later).await.unwrap(), []);
        db.whole(&interview("acme", "i9"), 0.1, Vec::new()).await;
        let rows = db.store.results(&later).await.unwrap();
        assert_eq!(rows.iter().map(|r| r.interview_id.as_str()).collect::<Vec<_>>(), ["i9"]);
    });
}

#[test]
fn the_data_set_has_tracks_words_and_decisions() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        position(&db, &[(0.9, None), (0.1, None)]).await;
        sqlx::query(
            "insert into hirenet.recruiter_decisions (tenant, interview_id, selected) values ('acme', 'i0', true)",
        )
        .execute(&db.admin)
        .await
        .unwrap();
        let page = db.store.export("acme", "", 1).await.unwrap();
        assert_eq!((page[0].interview_id.as_str(), page[0].selected), ("i0", Some(true)));
        let next = db.store.export("acme", "i0", 10).await.unwrap();
        assert_eq!((next.len(), next[0].selected), (1, None));
        assert_eq!(next[0].answers.len(), 2);
        assert_eq!(next[0].answers[0].tracks, outcome().tracks);
        assert_eq!(next[0].answers[0].transcript, outcome().transcript);
        assert_eq!(db.store.export("other", "", 10).await.unwrap(), []);
    });
}
