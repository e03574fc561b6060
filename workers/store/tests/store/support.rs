//! A database for each test, and interviews to put into it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hirenet_core::{
    Answer, AnswerResult, Assessment, BundleInfo, BundleKind, ByModality, Consent, Interview, Modality, Position,
    Reason, Secret, Software, Source, Span, Status, TrackInfo, Transcript, Word, sha256_bytes,
};
use hirenet_store::{
    Admission, AdmitPlan, Claim, ExtractOutcome, Lease, NewBundle, OutboxRow, Priority, ScoreOutcome, Stage, Store,
    StoreSettings, StoredTrack,
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use uuid::Uuid;

/// A test's own database.
pub(crate) struct Db {
    /// As a worker, with a worker's rights.
    pub(crate) store: Store,
    /// As the server's superuser, past every right.
    pub(crate) admin: PgPool,
    /// Address of the database with the superuser's login.
    pub(crate) address: String,
}

/// A lease that outlives every test.
pub(crate) const LONG: Duration = Duration::from_secs(600);

/// Runs a test on a database of its own; skips it aloud where there is no server.
pub(crate) fn with_database<R: Future<Output = ()>>(test: impl FnOnce(Db) -> R) {
    let Ok(server) = std::env::var("HIRENET_TEST_POSTGRES") else {
        hirenet_tests::skipped("HIRENET_TEST_POSTGRES is not set: see scripts/services.sh");
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let template = template(&server).await;
        let name = format!("hirenet_store_{}", Uuid::new_v4().simple());
        statement(&server, format!("create database {name} template {template}")).await;
        let address = address_of(&server, &name);
        let store = Store::connect(&settings(&address)).await.unwrap();
        let admin = PgPool::connect(&address).await.unwrap();
        test(Db { store: store.clone(), admin: admin.clone(), address }).await;
        store.close().await;
        admin.close().await;
        statement(&server, format!("drop database {name} with (force)")).await;
    });
}

pub(crate) fn settings(address: &str) -> StoreSettings {
    StoreSettings { url: Secret::new(address), ..StoreSettings::default() }
}

/// The name of a migrated database. The first test of this schema makes it; the others wait for that.
async fn template(server: &str) -> String {
    let migrations = hirenet_tests::source_dir().join("migrations");
    let mut files: Vec<_> = std::fs::read_dir(migrations).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let text: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let name = format!("hirenet_store_template_{}", &sha256_bytes(text.as_bytes())[..12]);
    let mut connection = PgConnection::connect(server).await.unwrap();
    sqlx::query("select pg_advisory_lock(4711)").execute(&mut connection).await.unwrap();
    let known =
        sqlx::query_scalar::<_, bool>("select exists (select from pg_database where datname = $1 and datistemplate)")
            .bind(&name)
            .fetch_one(&mut connection)
            .await
            .unwrap();
    if !known {
        let drop = format!("drop database if exists {name}");
        sqlx::query(AssertSqlSafe(drop)).execute(&mut connection).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await.unwrap();
        Store::migrate(&settings(&address_of(server, &name))).await.unwrap();
        let done = format!("alter database {name} is_template true");
        sqlx::query(AssertSqlSafe(done)).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    name
}

pub(crate) fn address_of(server: &str, database: &str) -> String {
    let (rest, _) = server.rsplit_once('/').unwrap();
    format!("{rest}/{database}")
}

/// The address of the same database under another login.
pub(crate) fn address_as(address: &str, login: &str, password: &str) -> String {
    let (_, place) = address.rsplit_once('@').unwrap();
    format!("postgres://{login}:{password}@{place}")
}

async fn statement(server: &str, sql: String) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Names a bundle by one letter.
pub(crate) fn bundle(letter: char) -> BundleInfo {
    let sha256 = std::iter::repeat_n(letter, 64).collect();
    BundleInfo { name: format!("bundle-{letter}"), version: "1".to_owned(), kind: BundleKind::Demo, sha256 }
}

/// An interview of two answers, as a message.
pub(crate) fn interview(tenant: &str, id: &str) -> Interview {
    let answer = |n: u32| Answer {
        id: format!("a{n}"),
        question: format!("Question {n}?"),
        media: format!("file:///media/{id}/{n}.mp4"),
        sha256: None,
        transcript: None,
        take: None,
    };
    Interview {
        job_id: Uuid::new_v4(),
        tenant: tenant.to_owned(),
        interview_id: id.to_owned(),
        candidate: format!("candidate of {id}"),
        position: Position { id: "p1".to_owned(), title: "Sales assistant".to_owned() },
        language: Some("en".to_owned()),
        consent: Consent {
            version: "1".to_owned(),
            given_at: "2026-01-01T00:00:00Z".to_owned(),
            modalities: Modality::ALL.to_vec(),
            face_waiver: None,
        },
        retention_days: 365,
        answers: vec![answer(1), answer(2)],
    }
}

pub(crate) fn plan<'a>(interview: &'a Interview, content: &'a str) -> AdmitPlan<'a> {
    AdmitPlan {
        interview,
        content_sha256: content,
        priority: Priority::Interactive,
        modalities: Modality::ALL.into_iter().collect(),
        reasons: Vec::new(),
        trace: None,
    }
}

/// What one answer gives: words, a voice, a face. The secret words are looked for after an erasure.
pub(crate) fn outcome() -> ExtractOutcome {
    let word = |text: &str, start: f64| Word {
        text: text.to_owned(),
        start: Some(start),
        end: Some(start + 0.4),
        confidence: Some(0.9),
    };
    let track = |modality: Modality, schema: &str| StoredTrack {
        modality,
        schema: schema.to_owned(),
        rows: 4,
        valid_rows: 3,
        bytes: format!("{modality} of the answer").into_bytes(),
    };
    let words = vec![word("Persimmon", 0.0), word("gardens.", 0.5)];
    let segments = Vec::new();
    ExtractOutcome {
        duration_s: Some(1.5),
        media_sha256: Some(sha256_bytes(b"media")),
        transcript: Some(Transcript { language: Some("en".to_owned()), source: Source::Recognised, segments, words }),
        tracks: vec![track(Modality::Vocal, "vocal/lld51/1"), track(Modality::Visual, "visual/face/1")],
        reasons: Vec::new(),
        timings: BTreeMap::from([("decode".to_owned(), 0.1)]),
        models: BTreeMap::from([("speech".to_owned(), "x".to_owned())]),
    }
}

/// An assessment of an interview's answers with one span.
pub(crate) fn assessment(
    interview: &Interview,
    bundle: &BundleInfo,
    score: Option<f64>,
    reasons: Vec<Reason>,
) -> Assessment {
    let info = |schema: &str| TrackInfo { rows: 4, valid_rows: 3, schema: schema.to_owned(), file: String::new() };
    let answers = interview.answers.iter().map(|answer| AnswerResult {
        id: answer.id.clone(),
        question: answer.question.clone(),
        duration_s: Some(1.5),
        media: answer.media.clone(),
        media_sha256: Some(sha256_bytes(b"media")),
        transcript: outcome().transcript,
        attention: ByModality::default(),
        tracks: ByModality { verbal: Some(info("verbal/hash256/1")), vocal: Some(info("vocal/lld51/1")), visual: None },
    });
    let partial = reasons.iter().any(|r| r.code.makes_partial());
    Assessment {
        interview_id: interview.interview_id.clone(),
        status: if score.is_none() {
            Status::Refused
        } else if partial {
            Status::Partial
        } else {
            Status::Scored
        },
        score,
        score_range: score.map(|s| [s, s]),
        scores: ByModality { verbal: score, vocal: score, visual: None },
        modality_weights: BTreeMap::new(),
        reasons,
        bundle: bundle.clone(),
        software: Software {
            name: "hirenet".to_owned(),
            version: "0.0.0".to_owned(),
            models: BTreeMap::new(),
            settings_sha256: sha256_bytes(b"settings"),
        },
        answers: answers.collect(),
        spans: score.map(|_| span()).into_iter().collect(),
        timings: BTreeMap::new(),
    }
}

fn span() -> Span {
    Span {
        answer: "a1".to_owned(),
        modality: Modality::Verbal,
        start: Some(0.0),
        end: Some(0.9),
        word_first: Some(0),
        word_last: Some(1),
        weight: 0.5,
        influence: 0.25,
        text: "Persimmon gardens.".to_owned(),
    }
}

impl Db {
    pub(crate) async fn register(&self, bundle: &BundleInfo) -> bool {
        let card = json!({"schemas": {"verbal": "verbal/hash256/1", "vocal": "vocal/lld51/1"}, "threshold": 0.5});
        self.store.register_bundle(&NewBundle { info: bundle, card: &card, graph: b"graph" }).await.unwrap()
    }

    /// Admits an interview and gives its id.
    pub(crate) async fn admitted(&self, interview: &Interview) -> Uuid {
        let content = sha256_bytes(interview.job_id.as_bytes());
        match self.store.admit(&plan(interview, &content)).await.unwrap() {
            Admission::Admitted { interview, .. } => interview,
            other => panic!("{other:?}"),
        }
    }

    /// The open jobs of a stage, in the order of answers.
    pub(crate) async fn jobs(&self, interview: Uuid, stage: Stage) -> Vec<Uuid> {
        sqlx::query_scalar(
            "select job from hirenet.jobs where interview = $1 and stage = $2 and state in ('ready', 'running')
            order by answer, created_at",
        )
        .bind(interview)
        .bind(stage.as_str())
        .fetch_all(&self.admin)
        .await
        .unwrap()
    }

    pub(crate) async fn lease(&self, job: Uuid) -> Lease {
        match self.store.claim(job, Uuid::new_v4(), LONG).await.unwrap() {
            Claim::Run(lease) => *lease,
            other => panic!("{other:?}"),
        }
    }

    /// Runs every waiting answer of an interview.
    pub(crate) async fn extracted(&self, interview: Uuid) {
        for job in self.jobs(interview, Stage::Extract).await {
            let lease = self.lease(job).await;
            assert!(self.store.extract_task(&lease).await.unwrap().is_some());
            self.store.finish_extract(&lease, &outcome()).await.unwrap();
        }
    }

    /// Runs the open score job of an interview.
    pub(crate) async fn scored(&self, id: Uuid, message: &Interview, score: f64, reasons: Vec<Reason>) {
        let [job] = self.jobs(id, Stage::Score).await[..] else { panic!("not one score job") };
        let lease = self.lease(job).await;
        let task = self.store.score_task(&lease).await.unwrap();
        let info = BundleInfo { sha256: task.bundle.unwrap(), ..bundle('a') };
        let mut assessment = assessment(message, &info, Some(score), reasons);
        for modality in Modality::ALL.into_iter().filter(|modality| !task.modalities.contains(modality)) {
            assessment.scores.set(modality, None);
        }
        self.store
            .finish_score(&lease, &ScoreOutcome { assessment: &assessment, evidence: &task.evidence })
            .await
            .unwrap();
    }

    /// An interview from message to score.
    pub(crate) async fn whole(&self, message: &Interview, score: f64, reasons: Vec<Reason>) -> Uuid {
        let id = self.admitted(message).await;
        self.extracted(id).await;
        self.scored(id, message, score, reasons).await;
        id
    }

    /// Closes the store and waits until its sessions have ended: each counts only then what it has looked at.
    pub(crate) async fn has_counted(&self) {
        self.store.close().await;
        let sessions =
            "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'hirenet'";
        while self.count(sessions).await > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Everything that is to be published, which is then gone.
    pub(crate) async fn published(&self) -> Vec<OutboxRow> {
        let mut rows = Vec::new();
        let all = |batch: Vec<OutboxRow>| {
            rows.extend(batch.iter().cloned());
            async move { batch.into_iter().map(|row| row.id).collect() }
        };
        self.store.relay(1000, all).await.unwrap();
        rows
    }

    /// What is to be published, of which only `confirmed` is gone after it.
    pub(crate) async fn published_but(&self, confirmed: &[Uuid]) -> Vec<OutboxRow> {
        let mut rows = Vec::new();
        let some = |batch: Vec<OutboxRow>| {
            rows.extend(batch);
            async { confirmed.to_vec() }
        };
        self.store.relay(1000, some).await.unwrap();
        rows
    }

    /// The events among what is to be published: job id, name, code.
    pub(crate) async fn events(&self) -> Vec<(String, String, Value)> {
        let events = self.published().await.into_iter().filter(|row| row.kind.starts_with("interview."));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        events
            .map(|row| serde_json::from_slice::<Value>(&row.payload).unwrap())
            .map(|event| (text(&event["job_id"]), text(&event["event"]), event["code"].clone()))
            .collect()
    }

    /// Makes the lease of a job run out now.
    pub(crate) async fn expire(&self, job: Uuid) {
        sqlx::query("update hirenet.jobs set lease_until = clock_timestamp() - interval '1 second' where job = $1")
            .bind(job)
            .execute(&self.admin)
            .await
            .unwrap();
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.admin).await.unwrap()
    }

    pub(crate) async fn status(&self, interview: Uuid) -> String {
        sqlx::query_scalar("select status from hirenet.interviews where interview = $1")
            .bind(interview)
            .fetch_one(&self.admin)
            .await
            .unwrap()
    }

    /// No invariant is broken.
    pub(crate) async fn is_clean(&self) {
        assert_eq!(self.store.check().await.unwrap(), []);
    }
}

pub(crate) fn only(modality: Modality) -> BTreeSet<Modality> {
    BTreeSet::from([modality])
}
