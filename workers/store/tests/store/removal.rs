//! Erasure, consent taken back, retention: nothing stays and nothing comes back.

use hirenet_core::{Code, ConsentWithdrawn, EraseTarget, Modality};
use hirenet_store::{
    Admission, Claim, Erasure, RetentionDays, ScoreOutcome, Stage, StoreError, StoredExtraction, Withdrawal,
};
use uuid::Uuid;

use crate::support::{Db, LONG, assessment, bundle, interview, outcome, plan, with_database};

fn by_id(id: &str) -> EraseTarget {
    EraseTarget::Interview(id.to_owned())
}

fn withdrawal(modalities: &[Modality]) -> ConsentWithdrawn {
    ConsentWithdrawn {
        job_id: Uuid::new_v4(),
        tenant: "acme".to_owned(),
        interview_id: "i1".to_owned(),
        modalities: modalities.to_vec(),
    }
}

/// Every value of every column of every table, as text.
async fn everything(db: &Db) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables where table_schema = 'hirenet' and table_type = 'BASE TABLE'",
    )
    .fetch_all(&db.admin)
    .await
    .unwrap();
    let mut text = String::new();
    for table in tables {
        let dump = format!("select coalesce(string_agg(t::text, ' '), '') from hirenet.{table} t");
        text += &sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(dump)).fetch_one(&db.admin).await.unwrap();
    }
    text
}

#[test]
fn nothing_is_left_of_an_erased_interview_but_the_skeleton() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        let message = interview("acme", "i1");
        let id = db.whole(&message, 0.7, Vec::new()).await;
        db.admitted(&interview("acme", "i2")).await;
        for sql in [
            "insert into hirenet.recruiter_decisions (tenant, interview_id, selected) values ('acme', 'i1', true)",
            "insert into hirenet.demographics (tenant, interview_id, sex) values ('acme', 'i1', 'Sextuple')",
            "insert into hirenet.reviews (interview, tenant, reviewed_by, override)
                select interview, tenant, 'rev', 'Overridden words' from hirenet.interviews where interview_id = 'i1'",
        ] {
            sqlx::query(sql).execute(&db.admin).await.unwrap();
        }
        db.published().await;
        let traces = ["candidate of i1", "Persimmon", "persimmon", "/media/i1/", "Sextuple", "Overridden"];
        let before = everything(&db).await;
        assert!(traces.iter().all(|trace| before.contains(trace)), "the test would see them");

        let job = Uuid::new_v4();
        let erasure = db.store.erase("acme", &by_id("i1"), job, "e").await.unwrap();
        assert_eq!(erasure, Erasure::Erased { interviews: vec![id] });
        let after = everything(&db).await;
        for trace in traces {
            assert!(!after.contains(trace), "{trace} is left");
        }
        assert!(after.contains("candidate of i2"));
        let events = db.events().await;
        assert_eq!((events.len(), &events[0].0, events[0].1.as_str()), (1, &job.to_string(), "interview.erased"));
        let again = db.store.erase("acme", &by_id("i1"), job, "e").await.unwrap();
        assert_eq!(again, Erasure::Replay { interviews: vec![id] });
        assert_eq!(db.store.erase("acme", &by_id("i9"), job, "f").await.unwrap(), Erasure::Conflict);
        let removed: serde_json::Value =
            sqlx::query_scalar("select removed from hirenet.erasures where job_id = $1 and done_at is not null")
                .bind(job)
                .fetch_one(&db.admin)
                .await
                .unwrap();
        assert_eq!((&removed["tracks"], &removed["demographics"]), (&4.into(), &1.into()));
        db.is_clean().await;
    });
}

#[test]
fn an_erasure_takes_running_jobs_their_lease_and_late_deliveries_their_effect() {
    with_database(async |db| {
        let message = interview("acme", "i1");
        let id = db.admitted(&message).await;
        let content = hirenet_core::sha256_bytes(message.job_id.as_bytes());
        let jobs = db.jobs(id, Stage::Extract).await;
        let running = db.lease(jobs[0]).await;
        db.published().await;
        let erase = Uuid::new_v4();
        db.store.erase("acme", &by_id("i1"), erase, "e").await.unwrap();
        // The worker in the middle of it.
        assert!(matches!(db.store.heartbeat(&running, LONG).await, Err(StoreError::LeaseLost(_))));
        assert_eq!(db.store.extract_task(&running).await.unwrap(), None);
        let late = db.store.finish_extract(&running, &outcome()).await;
        assert!(matches!(late, Err(StoreError::LeaseLost(_))));
        // Messages that were in the queues.
        for job in jobs {
            assert_eq!(db.store.claim(job, Uuid::new_v4(), LONG).await.unwrap(), Claim::Gone);
        }
        assert_eq!(db.store.admit(&plan(&message, &content)).await.unwrap(), Admission::Erased);
        let anew = interview("acme", "i1");
        assert_eq!(db.store.admit(&plan(&anew, "c")).await.unwrap(), Admission::Erased);
        assert_eq!(db.count("select count(*) from hirenet.answers").await, 0);
        assert_eq!(db.count("select count(*) from hirenet.tracks").await, 0);
        // One event each: the interview's, the erasure's, the late one's.
        let mut ended: Vec<_> = db.events().await.into_iter().map(|(job, name, _)| (job, name)).collect();
        ended.sort();
        let mut expected = [message.job_id, erase, anew.job_id].map(|j| (j.to_string(), "interview.erased".to_owned()));
        expected.sort();
        assert_eq!(ended, expected);
        db.is_clean().await;
    });
}

#[test]
fn a_candidate_is_erased_everywhere_in_the_tenant_alone() {
    with_database(async |db| {
        let mut ids = Vec::new();
        for (tenant, id) in [("acme", "i1"), ("acme", "i2"), ("other", "i1")] {
            let mut message = interview(tenant, id);
            message.candidate = "c".to_owned();
            ids.push(db.admitted(&message).await);
        }
        let target = EraseTarget::Candidate("c".to_owned());
        let Erasure::Erased { interviews } = db.store.erase("acme", &target, Uuid::new_v4(), "e").await.unwrap() else {
            panic!()
        };
        assert_eq!(interviews.len(), 2);
        assert_eq!(db.status(ids[1]).await, "erased");
        assert_eq!(db.status(ids[2]).await, "queued");
        let mut renamed = interview("acme", "i2");
        renamed.candidate = "another pseudonym".to_owned();
        assert_eq!(db.store.admit(&plan(&renamed, "c")).await.unwrap(), Admission::Erased);
        db.is_clean().await;
    });
}

#[test]
fn an_erasure_waits_for_an_admission_in_the_middle() {
    with_database(async |db| {
        // An admission that holds its locks and has not committed.
        let mut held = db.admin.begin().await.unwrap();
        sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind("interview\u{1f}acme\u{1f}i1")
            .execute(&mut *held)
            .await
            .unwrap();
        let store = db.store.clone();
        let erasing = tokio::spawn(async move { store.erase("acme", &by_id("i1"), Uuid::new_v4(), "e").await });
        // The server says that the erasure waits; then the admission is over.
        loop {
            let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted";
            if db.count(waiting).await > 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert!(!erasing.is_finished());
        held.rollback().await.unwrap();
        assert!(matches!(erasing.await.unwrap().unwrap(), Erasure::Erased { .. }));
    });
}

#[test]
fn a_modality_withdrawn_between_queue_and_start_is_never_asked_for() {
    with_database(async |db| {
        let id = db.admitted(&interview("acme", "i1")).await;
        let all = withdrawal(&Modality::ALL);
        let jobs = db.jobs(id, Stage::Extract).await;
        assert_eq!(db.store.withdraw(&all, "w").await.unwrap(), Withdrawal::Withdrawn { interview: id });
        for job in jobs {
            assert_eq!(db.store.claim(job, Uuid::new_v4(), LONG).await.unwrap(), Claim::Gone);
        }
        assert_eq!(db.status(id).await, "refused");
        let events = db.events().await;
        assert_eq!(events.len(), 2, "the interview's and the withdrawal's");
        assert!(events.iter().all(|(_, name, code)| name == "interview.refused" && code == "consent_withdrawn"));
        assert_eq!(db.store.withdraw(&all, "w").await.unwrap(), Withdrawal::Replay);
        db.is_clean().await;
    });
}

#[test]
fn what_runs_while_consent_is_withdrawn_stores_nothing_of_it() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        let message = interview("acme", "i1");
        let id = db.admitted(&message).await;
        let jobs = db.jobs(id, Stage::Extract).await;
        let running = db.lease(jobs[0]).await;
        db.store.withdraw(&withdrawal(&[Modality::Visual, Modality::Verbal]), "w").await.unwrap();
        db.store.finish_extract(&running, &outcome()).await.unwrap();
        assert_eq!(db.count("select count(*) from hirenet.tracks where modality <> 'vocal'").await, 0);
        assert_eq!(db.count("select count(*) from hirenet.transcripts").await, 0);
        db.extracted(id).await;
        db.scored(id, &message, 0.5, vec![hirenet_core::Reason::new(Code::ConsentWithdrawn)]).await;
        let names: Vec<_> = db.events().await.into_iter().map(|event| event.1).collect();
        assert_eq!(names, ["interview.partial", "interview.partial"]);
        db.is_clean().await;
    });
}

#[test]
fn consent_withdrawn_after_the_score_scores_anew_without_it() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        let message = interview("acme", "i1");
        let id = db.whole(&message, 0.7, Vec::new()).await;
        db.published().await;
        let taken = withdrawal(&[Modality::Visual]);
        db.store.withdraw(&taken, "w").await.unwrap();
        assert_eq!(db.status(id).await, "working");
        assert_eq!(db.count("select count(*) from hirenet.tracks where modality = 'visual'").await, 0);
        assert_eq!(db.count("select count(*) from hirenet.assessments").await, 0);
        // A score job in hand, then another withdrawal: what it has read is gone, so it loses its lease.
        let lease = db.lease(db.jobs(id, Stage::Score).await[0]).await;
        let task = db.store.score_task(&lease).await.unwrap();
        let seen =
            |extraction: &StoredExtraction| extraction.outcome.tracks.iter().map(|t| t.modality).collect::<Vec<_>>();
        assert_eq!(seen(&task.answers[0].extraction), [Modality::Vocal]);
        assert_eq!(task.reasons[0].code, Code::ConsentWithdrawn);
        let again = withdrawal(&[Modality::Verbal]);
        db.store.withdraw(&again, "v").await.unwrap();
        let late = assessment(&message, &bundle('a'), Some(0.6), task.reasons);
        let late = db.store.finish_score(&lease, &ScoreOutcome { assessment: &late, evidence: &task.evidence }).await;
        assert!(matches!(late, Err(StoreError::LeaseLost(_))));
        db.scored(id, &message, 0.5, vec![hirenet_core::Reason::new(Code::ConsentWithdrawn)]).await;
        let mut ended: Vec<_> = db.events().await.into_iter().map(|event| event.0).collect();
        ended.sort();
        let mut expected = [taken.job_id.to_string(), again.job_id.to_string()];
        expected.sort();
        assert_eq!(ended, expected);
        // What was never consented to changes nothing, and is answered all the same.
        let nothing = withdrawal(&[Modality::Visual]);
        db.store.withdraw(&nothing, "x").await.unwrap();
        let validator = hirenet_tests::schemas::validator("events.schema.json", None);
        let rows = db.published().await;
        let event = serde_json::from_slice(&rows[0].payload).unwrap();
        assert_eq!(hirenet_tests::schemas::complaints(&validator, &event), Vec::<String>::new());
        assert_eq!(event["job_id"], nothing.job_id.to_string());
        db.is_clean().await;
    });
}

async fn age(db: &Db, days: i32) {
    sqlx::query("update hirenet.interviews set received_at = now() - make_interval(days => $1)")
        .bind(days)
        .execute(&db.admin)
        .await
        .unwrap();
}

#[test]
fn each_class_of_data_has_its_own_clock() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        let mut message = interview("acme", "i1");
        message.retention_days = 300;
        let id = db.whole(&message, 0.7, Vec::new()).await;
        let days = RetentionDays { tracks: 30, transcripts: 60, scores: 400, audit: 183 };
        age(&db, 29).await;
        assert_eq!(db.store.retain(&days, 100).await.unwrap(), hirenet_store::Retained::default());
        age(&db, 31).await;
        assert_eq!(db.store.retain(&days, 100).await.unwrap().tracks, 4);
        assert_eq!(db.count("select count(*) from hirenet.transcripts").await, 2);
        age(&db, 61).await;
        assert_eq!(db.store.retain(&days, 100).await.unwrap().transcripts, 2);
        assert!(!everything(&db).await.contains("ersimmon"), "words are gone wherever they were");
        assert_eq!(db.count("select count(*) from hirenet.assessments where score = 0.7").await, 1);
        db.is_clean().await;
        // A legal hold beats the clock.
        age(&db, 301).await;
        sqlx::query("update hirenet.interviews set legal_hold = true").execute(&db.admin).await.unwrap();
        assert_eq!(db.store.retain(&days, 100).await.unwrap().interviews, 0);
        sqlx::query("update hirenet.interviews set legal_hold = false").execute(&db.admin).await.unwrap();
        db.published().await;
        assert_eq!(db.store.retain(&days, 100).await.unwrap().interviews, 1);
        assert_eq!(db.status(id).await, "erased");
        assert_eq!(db.events().await.len(), 1);
        assert_eq!(db.store.retain(&days, 100).await.unwrap().interviews, 0);
        db.is_clean().await;
    });
}

#[test]
fn floors_and_ceilings_of_retention_are_kept() {
    with_database(async |db| {
        let low = RetentionDays { audit: 182, ..RetentionDays::default() };
        assert!(matches!(db.store.retain(&low, 1).await, Err(StoreError::Setting { setting: "audit", .. })));
        let high = RetentionDays { tracks: 1096, ..RetentionDays::default() };
        assert!(matches!(db.store.retain(&high, 1).await, Err(StoreError::Setting { setting: "tracks", .. })));
    });
}

#[test]
fn an_answer_is_not_removed_before_what_was_made_of_it() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        db.whole(&interview("acme", "i1"), 0.7, Vec::new()).await;
        let remove = async |table: &str| {
            let sql = format!("delete from hirenet.{table}");
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&db.admin).await
        };
        for before in ["transcripts", "tracks"] {
            let refused = remove("answers").await.unwrap_err();
            assert!(
                refused.as_database_error().is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation),
                "{refused}"
            );
            assert!(remove(before).await.unwrap().rows_affected() > 0);
        }
        assert_eq!(remove("answers").await.unwrap().rows_affected(), 2);
    });
}
