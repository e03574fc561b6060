//! Messages to rows, once.

use hirenet_core::{Code, Coded, ConsentWithdrawn, EraseTarget, Kind, Modality};
use hirenet_store::{
    Admission, AdmitPlan, Destination, FinalState, Origin, OutboxRow, Refusal, Request, Stage, Withdrawal,
};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::support::{bundle, interview, only, plan, with_database};

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
fn a_message_waits_for_another_of_its_id_that_is_being_written() {
    with_database(async |db| {
        let message = interview("acme", "i1");
        let mut other = db.admin.begin().await.unwrap();
        sqlx::query(
            "insert into hirenet.submissions (tenant, job_id, request, interview_id, content_sha256)
            values ('acme', $1, 'submitted', 'i2', $2)",
        )
        .bind(message.job_id)
        .bind("d".repeat(64))
        .execute(&mut *other)
        .await
        .unwrap();
        let waits = "select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'";
        let commit = async {
            while db.count(waits).await == 0 {}
            other.commit().await.unwrap();
        };
        let content = "c".repeat(64);
        let plan = plan(&message, &content);
        let (admission, ()) = tokio::join!(db.store.admit(&plan), commit);
        assert_eq!(admission.unwrap(), Admission::Conflict);
        assert_eq!(db.count("select count(*) from hirenet.interviews").await, 0);
        assert_eq!(db.count("select count(*) from hirenet.submissions where conflicts = 1").await, 1);
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
            trace: None,
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
        // Longer than an index takes: not even the refusal can be written under it.
        let tenant: String = (0..6000_u32).map(|n| char::from_u32(0x4e00 + n).unwrap()).collect();
        let endless = hirenet_core::Interview { job_id: Uuid::new_v4(), tenant, ..message.clone() };
        assert_eq!(db.store.admit(&plan(&endless, "c")).await.unwrap(), Admission::Refused);
        let [dead] = &db.published().await[..] else { panic!("not one dead letter") };
        assert_eq!(dead.destination, Destination::Dead);
        message.job_id = Uuid::new_v4();
        message.candidate = "c".repeat(200);
        db.admitted(&message).await;
    });
}

#[test]
fn a_number_that_no_column_takes_is_refused_and_never_made_smaller() {
    with_database(async |db| {
        let mut long = interview("acme", "i1");
        long.retention_days = u32::MAX;
        let mut take = interview("acme", "i2");
        take.answers[1].take = Some(u32::MAX);
        for message in [&long, &take] {
            assert_eq!(db.store.admit(&plan(message, "c")).await.unwrap(), Admission::Refused);
            assert_eq!(db.events().await[0].2, "message_invalid");
        }
        long.job_id = Uuid::new_v4();
        long.retention_days = i32::MAX as u32;
        db.admitted(&long).await;
        assert_eq!(db.count("select retention_days::bigint from hirenet.interviews").await, i64::from(i32::MAX));
    });
}

#[test]
fn a_value_that_the_database_does_not_take_is_the_messages_fault() {
    with_database(async |db| {
        let mut message = interview("acme", "i1");
        message.answers[0].question = "Why\0?".to_owned();
        let error = db.store.admit(&plan(&message, "c")).await.unwrap_err();
        assert_eq!((error.code(), error.code().kind()), (Code::MessageInvalid, Kind::Faulty), "{error}");
        assert!(!error.to_string().contains("Why"), "{error}");
        assert_eq!(db.count("select count(*) from hirenet.submissions").await, 0, "nothing is written");
        assert!(db.published().await.is_empty());
    });
}

#[test]
fn a_consent_from_the_future_brings_no_erased_candidate_back() {
    with_database(async |db| {
        let at = |minutes| (OffsetDateTime::now_utc() + time::Duration::minutes(minutes)).format(&Rfc3339).unwrap();
        let target = EraseTarget::Candidate("candidate of i1".to_owned());
        db.store.erase("acme", &target, Uuid::new_v4(), "e").await.unwrap();
        let mut message = interview("acme", "i1");
        for minutes in [60 * 24 * 365, 60] {
            message.job_id = Uuid::new_v4();
            message.consent.given_at = at(minutes);
            assert_eq!(db.store.admit(&plan(&message, "c")).await.unwrap(), Admission::Erased, "{minutes}");
        }
        // Two machines' clocks may differ a little.
        message.job_id = Uuid::new_v4();
        message.consent.given_at = at(1);
        db.admitted(&message).await;
        db.is_clean().await;
    });
}

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OTHER: &str = "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203331-01";

/// Kind and trace of what is to be published.
fn traces(rows: &[OutboxRow]) -> Vec<(&str, Option<&str>)> {
    rows.iter().map(|row| (row.kind.as_str(), row.trace.as_deref())).collect()
}

#[test]
fn the_trace_of_a_message_is_carried_to_its_event() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        let message = interview("acme", "i1");
        let traced = AdmitPlan { trace: Some(TRACE), ..plan(&message, "c") };
        let Admission::Admitted { interview: id, .. } = db.store.admit(&traced).await.unwrap() else { panic!() };
        assert_eq!(traces(&db.published().await), [("job", Some(TRACE)); 2]);
        db.extracted(id).await;
        db.scored(id, &message, 0.5, Vec::new()).await;
        assert_eq!(traces(&db.published().await), [("job", Some(TRACE)), ("interview.scored", Some(TRACE))]);

        // The message that erases has a trace of its own.
        let origin = Origin { content_sha256: "e", trace: Some(OTHER) };
        let target = EraseTarget::Interview("i1".to_owned());
        db.store.erase("acme", &target, Uuid::new_v4(), origin).await.unwrap();
        assert_eq!(traces(&db.published().await), [("interview.erased", Some(OTHER))]);
        let late = interview("acme", "i1");
        db.store.admit(&AdmitPlan { trace: Some(TRACE), ..plan(&late, "c") }).await.unwrap();
        assert_eq!(traces(&db.published().await), [("interview.erased", Some(TRACE))]);
    });
}

#[test]
fn the_trace_of_a_refused_message_is_carried_to_its_event_and_its_dead_letter() {
    with_database(async |db| {
        let mut message = interview("acme", "i1");
        message.candidate = String::new();
        let traced = AdmitPlan { trace: Some(TRACE), ..plan(&message, "c") };
        assert_eq!(db.store.admit(&traced).await.unwrap(), Admission::Refused);
        assert_eq!(traces(&db.published().await), [("dead", Some(TRACE)), ("interview.refused", Some(TRACE))]);
        let withdrawn = ConsentWithdrawn {
            job_id: Uuid::new_v4(),
            tenant: "acme".to_owned(),
            interview_id: "i1".to_owned(),
            modalities: vec![Modality::Visual],
        };
        let origin = Origin { content_sha256: "w", trace: Some(OTHER) };
        assert_eq!(db.store.withdraw(&withdrawn, origin).await.unwrap(), Withdrawal::Unknown);
        assert_eq!(traces(&db.published().await), [("dead", Some(OTHER)), ("interview.refused", Some(OTHER))]);
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
        let face = AdmitPlan { modalities: only(Modality::Visual), ..plan(&late, "c") };
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
        let now = OffsetDateTime::now_utc() + time::Duration::seconds(1);
        other.consent.given_at = now.format(&Rfc3339).unwrap();
        db.admitted(&other).await;
        db.is_clean().await;
    });
}
