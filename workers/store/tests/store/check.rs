//! `check` finds what it is for: each kind of damage is done by hand, and found under its number.

use hirenet_core::{Code, EraseTarget, Modality, Reason};
use hirenet_store::Stage;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
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

/// A number of an invariant, and a statement that breaks it.
const DAMAGES: &[(u8, &str)] = &[
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
    (24, "update hirenet.jobs set worker = null where state = 'running'"),
    (24, "update hirenet.jobs set claimed_at = null where state = 'running'"),
    (
        24,
        "insert into hirenet.attempts (job, attempt, tenant, fence, worker, alone, started_at, ended_at, outcome)
        select job, attempts, tenant, fence, worker, false, claimed_at, now(), 'died' from hirenet.jobs where state = 'running'",
    ),
    (22, "update hirenet.tracks set valid_rows = rows + 1"),
    (22, "update hirenet.tracks set answer = answer + 99 where modality = 'vocal'"),
    (22, "update hirenet.transcripts set answer = answer + 99"),
    (24, "update hirenet.jobs set lease_until = null where state = 'running'"),
    (24, "update hirenet.jobs set lease_until = now() where state = 'ready'"),
    (24, "update hirenet.jobs set answer = 0 where stage = 'score'"),
    (24, "update hirenet.attempts set job = gen_random_uuid()"),
    (24, "update hirenet.attempts set fence = 99"),
    (24, "update hirenet.attempts set attempt = attempt + 1"),
    (29, "update hirenet.jobs set state = 'failed' where interview_id = 'gone'"),
    (29, "insert into hirenet.recruiter_decisions (tenant, interview_id, selected) values ('other', 'gone', true)"),
    (30, "update hirenet.interviews set modalities = '{verbal}' where interview_id = 'done'"),
    (30, "update hirenet.interviews set modalities = '{vocal,visual}' where interview_id = 'done'"),
    // Numbers that are none, and pieces that are missing.
    (2, "update hirenet.assessments set completeness = 0.5 where status = 'scored'"),
    (2, "update hirenet.assessments set score_low = 'NaN', score_high = 'NaN'"),
    (2, "update hirenet.assessments set score_high = 'NaN'"),
    (2, "update hirenet.assessments set score_low = 0.8, score_high = 0.6"),
    (2, "update hirenet.assessments set score_high = null"),
    (2, "update hirenet.spans set weight = 'NaN'"),
    (2, "update hirenet.spans set weight = 1.5"),
    (2, "update hirenet.spans set influence = '-Infinity'"),
    // What made a score.
    (4, "update hirenet.assessments set software = ' '"),
    (4, "update hirenet.assessments set settings_sha256 = ''"),
    (4, "update hirenet.assessments set input_sha256 = ''"),
    (4, "update hirenet.assessments set result_sha256 = ''"),
    (4, "update hirenet.bundles set name = ''"),
    // What was written over; no hash of a row was touched.
    (23, "update hirenet.assessments set score = 0.123"),
    (23, "update hirenet.assessments set verbal_score = 0.123"),
    (23, "update hirenet.assessments set visual_score = 0.123"),
    (23, "update hirenet.assessments set score_low = 0.123"),
    (23, "update hirenet.assessments set completeness = 0.5"),
    (23, "update hirenet.assessments set status = 'partial'"),
    (23, "update hirenet.assessments set ranked = false"),
    (23, r#"update hirenet.assessments set reasons = '[{"code": "low_confidence"}]'"#),
    (23, "update hirenet.assessments set top_spans = jsonb_set(top_spans, '{0,weight}', '0.9')"),
    (23, "update hirenet.assessments set top_spans = '[]'"),
    (23, "update hirenet.assessments set software = 'another 9'"),
    (23, "update hirenet.assessments set document = 'no document'"),
    (23, "update hirenet.spans set weight = 0.9"),
    (23, "update hirenet.spans set influence = 9"),
    (23, "update hirenet.spans set start_s = 0.5"),
    (23, "delete from hirenet.spans"),
    // Words that no bundle says.
    (10, r#"update hirenet.bundles set card = card || '{"outputs": ["emotion"]}'"#),
    (10, r#"update hirenet.bundles set card = card || '{"intended_use": "Reads the mood."}'"#),
    (10, "update hirenet.bundles set name = 'mood-reader'"),
    // Ends.
    (21, "update hirenet.submissions set interview = null where interview_id = 'done'"),
    (21, "update hirenet.interviews set status = 'partial' where interview_id = 'done'"),
    (
        21,
        "insert into hirenet.submissions (tenant, job_id, request, interview, interview_id, content_sha256, state, event,
            final_at)
        select tenant, gen_random_uuid(), 'submitted', interview, interview_id, 'x', 'refused', gen_random_uuid(), now()
        from hirenet.interviews where interview_id = 'done'",
    ),
    // Erasures.
    (29, "insert into hirenet.demographics (tenant, interview_id, sex) values ('other', 'gone', 'f')"),
    (29, "delete from hirenet.erasures"),
    (29, "update hirenet.erasures set interviews = '{}'"),
    (
        29,
        r#"insert into hirenet.outbox (key, interview, destination, routing_key, kind, payload)
        select interview, interview, 'dead', '', 'dead', '{"words": "Persimmon gardens."}' from hirenet.interviews
        where interview_id = 'gone'"#,
    ),
    (
        29,
        "insert into hirenet.erasures (tenant, job_id, cause, candidate_sha256, done_at)
        select tenant, gen_random_uuid(), 'request',
            encode(sha256(convert_to(tenant || chr(31) || candidate, 'UTF8')), 'hex'), now()
        from hirenet.interviews where interview_id = 'done'",
    ),
    // A score of what was not consented to, whose tracks are gone.
    (
        30,
        "with gone as (delete from hirenet.tracks where modality = 'vocal')
        update hirenet.interviews set modalities = '{verbal,visual}' where interview_id = 'done'",
    ),
];

#[test]
fn each_damage_is_found_under_the_number_of_its_invariant() {
    for &(number, sql) in DAMAGES {
        with_database(async |db| {
            filled(&db).await;
            if sql.starts_with("alter") || sql.starts_with("drop") {
                sqlx::query(sql).execute(&db.admin).await.unwrap();
            } else {
                damage(&db, sql).await;
            }
            assert!(found(&db).await.contains(&number), "{number}: {sql}");
        });
    }
}

#[test]
fn two_results_under_one_bundle_are_found() {
    with_database(async |db| {
        filled(&db).await;
        // An index that is lost, as by a restore from a damaged backup.
        sqlx::query("drop index hirenet.assessments_current").execute(&db.admin).await.unwrap();
        damage(
            &db,
            "insert into hirenet.assessments (tenant, interview, position_id, bundle, status, score, score_low, score_high,
                verbal_score, vocal_score, completeness, ranked, reasons, top_spans, software, settings_sha256, input_sha256,
                result_sha256, document)
            select tenant, interview, position_id, bundle, status, score, score_low, score_high, verbal_score, vocal_score,
                completeness, ranked, reasons, top_spans, software, settings_sha256, input_sha256, result_sha256, document
            from hirenet.assessments",
        )
        .await;
        let found = db.store.check().await.unwrap();
        assert!(found.iter().any(|v| v.invariant == 23 && v.what.contains("stand under one bundle")), "{found:?}");
    });
}

#[test]
fn what_the_program_does_breaks_nothing() {
    with_database(async |db| {
        filled(&db).await;
        // The audit forgets before the scores do.
        sqlx::query("update hirenet.assessments set assessed_at = now() - interval '300 days'")
            .execute(&db.admin)
            .await
            .unwrap();
        let mut admin = db.admin.acquire().await.unwrap();
        for sql in [
            "set session_replication_role = replica",
            "delete from hirenet.audit where action = 'assessed'",
            "set session_replication_role = origin",
        ] {
            sqlx::query(sql).execute(&mut *admin).await.unwrap();
        }
        drop(admin);
        db.is_clean().await;
        // Given up, played again, scored otherwise than before.
        let failing = interview("acme", "failing");
        let id = db.admitted(&failing).await;
        db.extracted(id).await;
        let job = db.jobs(id, Stage::Score).await[0];
        db.store.bury(&db.lease(job).await, Code::ModelFailed, "no model").await.unwrap();
        db.is_clean().await;
        assert!(db.store.replay(job, Uuid::new_v4()).await.unwrap());
        db.is_clean().await;
        db.scored(id, &failing, 0.4, vec![Reason::new(Code::NoFace).of(Modality::Visual)]).await;
        db.is_clean().await;
        // A candidate who comes back with a later consent.
        let target = EraseTarget::Candidate(failing.candidate.clone());
        db.store.erase("acme", &target, Uuid::new_v4(), "c").await.unwrap();
        let mut back = hirenet_core::Interview { candidate: failing.candidate.clone(), ..interview("acme", "back") };
        back.consent.given_at = OffsetDateTime::now_utc().format(&Rfc3339).unwrap();
        db.whole(&back, 0.6, Vec::new()).await;
        db.is_clean().await;
        // Words of a card that no rule forbids.
        damage(
            &db,
            r#"update hirenet.bundles set card = card || '{"use": "Promotions at Moodle, in spite of demotion."}'"#,
        )
        .await;
        db.is_clean().await;
    });
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
