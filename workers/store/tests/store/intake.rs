//! Messages to rows, once.

use hirenet_core::{Code, ConsentWithdrawn, EraseTarget, Modality};
use hirenet_store::{Admission, Destination, FinalState, Refusal, Request, Stage, Withdrawal};
use serde_json::Value;
use uuid::Uuid;

use crate::support::{interview, only, plan, with_database};

#[test]
fn an_interview_becomes_rows_and_a_message_an_answer() {
    with_database(async |db| {
        let message = interview("acme", "i1");
        let id = db.admitted(&message).await;
        assert_eq!(db.status(id).await, "queued");
        let rows = db.published().await;
        assert_eq!(rows.len(), 2);
        for row in &rows {
            assert_eq!((row.destination, row.routing_key.as_str()), (Destination::Stage, "extract.interactive"));
            let payload = String::from_utf8(row.payload.clone()).unwrap();
            // A stage's message carries ids alone.
            assert!(!payload.contains("candidate") && !payload.contains("file:"), "{payload}");
            assert_eq!(serde_json::from_str::<Value>(&payload).unwrap()["tenant"], "acme");
        }
        assert!(db.published().await.is_empty(), "a confirmed row is gone");
        db.is_clean().await;
    });
}

#[test]
fn the_same_message_again_is_counted_and_other_content_refused() {
    with_database(async |db| {
        let message = interview("acme", "i1");
        let content = "c".repeat(64);
        db.store.admit(&plan(&message, &content)).await.unwrap();
        db.published().await;
        assert_eq!(db.store.admit(&plan(&message, &content)).await.unwrap(), Admission::Replay);
        assert!(db.published().await.is_empty());
        assert_eq!(db.store.admit(&plan(&message, &"d".repeat(64))).await.unwrap(), Admission::Conflict);
        let rows = db.published().await;
        let [dead] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(dead.destination, Destination::Dead);
        assert_eq!(serde_json::from_slice::<Value>(&dead.payload).unwrap()["code"], "message_conflict");
        let counts = "select (replays * 10 + conflicts)::bigint from hirenet.submissions";
        assert_eq!(db.count(counts).await, 11);
        assert_eq!(db.count("select count(*) from hirenet.interviews").await, 1);
        db.is_clean().await;
    });
}

#[test]
fn twenty_deliveries_at_once_admit_once() {
    with_database(async |db| {
        let message = interview("acme", "i1");
        let content = "c".repeat(64);
        let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(20));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (store, message, content, barrier) =
                (db.store.clone(), message.clone(), content.clone(), barrier.clone());
            tasks.spawn(async move {
                barrier.wait().await;
                store.admit(&plan(&message, &content)).await.unwrap()
            });
        }
        let admissions = tasks.join_all().await;
        assert_eq!(admissions.iter().filter(|a| matches!(a, Admission::Admitted { .. })).count(), 1);
        assert_eq!(admissions.iter().filter(|a| **a == Admission::Replay).count(), 19);
        assert_eq!(db.count("select count(*) from hirenet.jobs").await, 2);
    });
}

#[test]
fn an_interview_that_is_there_from_another_job_is_refused_with_its_event() {
    with_database(async |db| {
        db.admitted(&interview("acme", "i1")).await;
        let twin = interview("acme", "i1");
        assert_eq!(db.store.admit(&plan(&twin, &"e".repeat(64))).await.unwrap(), Admission::Conflict);
        let events = db.events().await;
        let refused = ("interview.refused".to_owned(), Value::from("message_conflict"));
        assert_eq!(events, [(twin.job_id.to_string(), refused.0, refused.1)]);
        // Another tenant may call its own interview the same.
        db.admitted(&interview("other", "i1")).await;
        db.is_clean().await;
    });
}

#[test]
fn a_refusal_ends_once_with_one_event_and_a_dead_letter() {
    with_database(async |db| {
        let job_id = Uuid::new_v4();
        let refusal = Refusal {
            request: Request::Submitted,
            tenant: Some("acme"),
            job_id: Some(job_id),
            interview_id: None,
            content_sha256: "f",
            state: FinalState::Refused,
            code: Code::MessageInvalid,
            detail: "answers[0].id: is empty",
        };
        assert_eq!(db.store.refuse(&refusal).await.unwrap(), Admission::Refused);
        assert_eq!(db.store.refuse(&refusal).await.unwrap(), Admission::Replay);
        let kinds: Vec<String> = db.published().await.into_iter().map(|row| row.kind).collect();
        assert_eq!(kinds, ["dead", "interview.refused"]);
        let illegible = Refusal { tenant: None, job_id: None, ..refusal };
        assert_eq!(db.store.refuse(&illegible).await.unwrap(), Admission::Refused);
        assert_eq!(db.published().await.len(), 1);
        db.is_clean().await;
    });
}

#[test]
fn nothing_is_admitted_without_a_modality() {
    with_database(async |db| {
        let message = interview("acme", "i1");
        let mut none = plan(&message, "c");
        none.modalities.clear();
        assert_eq!(db.store.admit(&none).await.unwrap(), Admission::Refused);
        assert_eq!(db.count("select count(*) from hirenet.interviews").await, 0);
        assert_eq!(db.events().await[0].2, "consent_missing");
    });
}

#[test]
fn a_name_that_no_index_takes_is_refused() {
    with_database(async |db| {
        let mut message = interview("acme", "i1");
        message.candidate = "c".repeat(201);
        assert_eq!(db.store.admit(&plan(&message, "c")).await.unwrap(), Admission::Refused);
        assert_eq!(db.events().await[0].2, "message_invalid");
        message.job_id = Uuid::new_v4();
        message.candidate = "c".repeat(200);
        db.admitted(&message).await;
    });
}

#[test]
fn consent_withdrawn_before_the_interview_came_is_remembered() {
    with_database(async |db| {
        let message = interview("acme", "i1");
        let mut withdrawn = ConsentWithdrawn {
            job_id: Uuid::new_v4(),
            tenant: "acme".to_owned(),
            interview_id: "i1".to_owned(),
            modalities: vec![Modality::Visual],
        };
        assert_eq!(db.store.withdraw(&withdrawn, "w").await.unwrap(), Withdrawal::Unknown);
        let id = db.admitted(&message).await;
        let lease = db.lease(db.jobs(id, Stage::Extract).await[0]).await;
        let task = db.store.extract_task(&lease).await.unwrap().unwrap();
        assert!(!task.modalities.contains(&Modality::Visual));

        let late = interview("acme", "i2");
        withdrawn.interview_id = "i2".to_owned();
        withdrawn.job_id = Uuid::new_v4();
        db.store.withdraw(&withdrawn, "w").await.unwrap();
        let face = hirenet_store::AdmitPlan { modalities: only(Modality::Visual), ..plan(&late, "c") };
        assert_eq!(db.store.admit(&face).await.unwrap(), Admission::Refused);
        db.is_clean().await;
    });
}

#[test]
fn what_was_erased_before_it_came_is_not_written() {
    with_database(async |db| {
        let message = interview("acme", "i1");
        let erase = |target| (target, Uuid::new_v4());
        let (target, job) = erase(EraseTarget::Interview("i1".to_owned()));
        db.store.erase("acme", &target, job, "e").await.unwrap();
        assert_eq!(db.store.admit(&plan(&message, "c")).await.unwrap(), Admission::Erased);
        let (target, job) = erase(EraseTarget::Candidate("candidate of i2".to_owned()));
        db.store.erase("acme", &target, job, "e").await.unwrap();
        let mut other = interview("acme", "i2");
        assert_eq!(db.store.admit(&plan(&other, "c")).await.unwrap(), Admission::Erased);
        assert_eq!(db.count("select count(*) from hirenet.interviews").await, 0);
        // The candidate comes back, and agrees anew.
        other.job_id = Uuid::new_v4();
        other.consent.given_at = "2999-01-01T00:00:00Z".to_owned();
        db.admitted(&other).await;
        db.is_clean().await;
    });
}
