//! Names in the broker, a database and a folder, and what must be true of them at the end.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::process::Command;

use hirenet_core::Secret;
use hirenet_queue::{Broker, Delivery, Outgoing, Priority, QueueSettings, Stage, Subscription, Topology, routing_key};
use hirenet_tests::program::command;
use hirenet_tests::schemas::{complaints, validator};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

use super::worker::stop_at;
use super::{Barrier, Database, SOON, Worker, ended, soon};

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) broker: Broker,
    pub(crate) database: Database,
    settings: QueueSettings,
    events: Subscription,
    /// Events that were read, by the submission that they are of.
    seen: BTreeMap<String, Vec<Value>>,
    workers: usize,
}

impl World {
    /// On the services that the tests share.
    pub(crate) async fn new() -> World {
        World::on(&hirenet_tests::services::amqp(), &hirenet_tests::services::postgres()).await
    }

    pub(crate) async fn on(amqp: &str, postgres: &str) -> World {
        let dir = TempDir::new().unwrap();
        std::fs::create_dir(dir.path().join("media")).unwrap();
        std::fs::create_dir(dir.path().join("tmp")).unwrap();
        let prefix = format!("fault-{}", Uuid::new_v4().simple());
        let settings = QueueSettings { url: Secret::new(amqp), prefix, ..QueueSettings::default() };
        let broker = Broker::connect(&settings, "test").await.unwrap();
        let database = Database::new(postgres).await;
        let events = broker.subscribe(&broker.names().events(), 100);
        let world = World { dir, broker, database, settings, events, seen: BTreeMap::new(), workers: 0 };
        let (status, said) = ended(&mut world.command(["setup"]));
        assert_eq!(status, 0, "{said}");
        world
    }

    /// The program with this world's addresses, a stand-in for the extractors, and times that suit a test.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = command(arguments);
        command
            .env("HIRENET_QUEUE__URL", self.settings.url.expose())
            .env("HIRENET_QUEUE__PREFIX", &self.settings.prefix)
            .env("HIRENET_STORE__URL", &self.database.url)
            .env("HIRENET_FETCH__ALLOWED_PREFIXES", format!("[\"file://{}/\"]", self.dir.path().display()))
            .env("HIRENET_WORK__STAND_IN", "true")
            .env("HIRENET_QUEUE__CONFIRM_TIMEOUT_S", "10")
            .env("HIRENET_STORE__IDLE_TRANSACTION_TIMEOUT_S", "12")
            .env("HIRENET_WORK__LEASE_S", "1")
            .env("HIRENET_WORK__BEAT_S", "1")
            .env("HIRENET_RETENTION__INTERVAL_S", "0")
            .env("TMPDIR", self.dir.path().join("tmp"));
        command
    }

    /// A worker with everything as it is by default here.
    pub(crate) fn worker(&mut self) -> Worker {
        self.worker_with(&["--slots", "2"], &[])
    }

    pub(crate) fn worker_with(&mut self, arguments: &[&str], environment: &[(&str, &OsStr)]) -> Worker {
        self.workers += 1;
        let mut command = self.command(["--log-format", "json", "work"].iter().chain(arguments));
        command.envs(environment.iter().copied());
        Worker::start(command, self.dir.path().join(format!("worker-{}.log", self.workers)))
    }

    /// A worker that stops itself at a point of `extract`, and takes nothing of the stages behind it: while it stands still
    /// the broker would leave what it has delivered to it until the heartbeats have been missed.
    pub(crate) fn frozen_worker(&mut self, point: &str, barrier: &Barrier) -> Worker {
        self.worker_with(&["--stages", "admit,extract"], &stop_at(point, barrier))
    }

    /// A worker that stops itself at a point.
    pub(crate) fn worker_until(&mut self, point: &str, barrier: &Barrier) -> Worker {
        self.worker_with(&[], &stop_at(point, barrier))
    }

    pub(crate) fn barrier(&self) -> Barrier {
        Barrier::new(self.dir.path())
    }

    /// A recording for the stand-in, which does what `act` says (or its work, where it knows no such word); gives its
    /// address.
    pub(crate) fn media(&self, name: &str, act: &str) -> String {
        let file = self.dir.path().join("media").join(name);
        std::fs::write(&file, format!("hirenet stand-in {act}")).unwrap();
        format!("file://{}", file.display())
    }

    /// Publishes an interview, and returns when the broker has it.
    pub(crate) async fn submit(&self, interview: &Value) -> Uuid {
        self.publish(Stage::Admit, "interview.submitted", interview.to_string().into_bytes()).await;
        interview["job_id"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) async fn publish(&self, stage: Stage, kind: &str, payload: Vec<u8>) {
        let key = routing_key(stage, Priority::Interactive);
        let message = Outgoing::to_stage(self.broker.names(), &key, Uuid::new_v4(), kind, payload);
        self.broker.publisher().publish(&message).await.unwrap();
    }

    /// The event of a submission; it is waited for.
    pub(crate) async fn event(&mut self, job_id: Uuid) -> Value {
        let name = job_id.to_string();
        while !self.seen.contains_key(&name) {
            let Ok(delivery) = tokio::time::timeout(SOON, self.events.next()).await else {
                panic!("no event of {job_id} within {SOON:?}; the logs: {}", self.logs());
            };
            let delivery = delivery.unwrap();
            self.note(delivery).await;
        }
        self.seen[&name][0].clone()
    }

    /// What every worker of this world has said so far.
    fn logs(&self) -> String {
        let log = |n| std::fs::read_to_string(self.dir.path().join(format!("worker-{n}.log"))).unwrap_or_default();
        (1..=self.workers).flat_map(|n| [format!("\n--- worker {n}\n"), log(n)]).collect()
    }

    /// Works until nothing is left.
    pub(crate) async fn drain(&mut self) {
        let mut worker = self.worker_with(&["--drain"], &[]);
        let status = worker.ended().await;
        assert_eq!(status.code(), Some(0), "{}", worker.log());
    }

    /// Works until nothing is left, and then holds everything against what must be true: these submissions ended in
    /// these states with one event each, no queue holds anything, nothing waits to be published, no file is left.
    pub(crate) async fn settle(&mut self, ends: &[(Uuid, &str)]) {
        self.drain().await;
        for (job_id, state) in ends {
            let event = self.event(*job_id).await;
            assert_eq!(event["status"], *state, "{event}");
            let stored = self.database.text("select state from hirenet.submissions where job_id = $1", *job_id).await;
            assert_eq!(stored.as_deref(), Some(*state));
        }
        let count = "select count(*) from hirenet.submissions where state <> 'open'";
        let all = self.database.count(count).await as usize;
        while self.seen.len() < all {
            self.event_of_anyone().await;
        }
        while let Some(delivery) = self.events.try_next() {
            self.note(delivery).await;
        }
        for (job_id, events) in &self.seen {
            assert_eq!(events.len(), 1, "events of {job_id}: {events:?}");
        }
        assert_eq!(self.seen.len(), all, "an event for each submission");
        assert_eq!(self.database.count("select count(*) from hirenet.submissions where state = 'open'").await, 0);
        assert_eq!(self.database.count("select count(*) from hirenet.outbox").await, 0);
        let twice = "select count(*) from (select 1 from hirenet.assessments where superseded_at is null
            group by interview, bundle having count(*) > 1) t";
        assert_eq!(self.database.count(twice).await, 0, "an assessment stands twice");
        for queue in Topology::new(&self.settings).queues {
            if queue.name != self.broker.names().dead() {
                assert_eq!(self.broker.ready_messages(&queue.name).await.unwrap(), 0, "{}", queue.name);
            }
        }
        let left: Vec<_> = std::fs::read_dir(self.dir.path().join("tmp")).unwrap().map(|e| e.unwrap().path()).collect();
        assert!(left.is_empty(), "{left:?}");
        let (status, said) = ended(&mut self.command(["check"]));
        assert_eq!(status, 0, "{said}");
    }

    async fn event_of_anyone(&mut self) {
        let delivery = soon("event", self.events.next()).await.unwrap();
        self.note(delivery).await;
    }

    /// Notes an event that has the documented form. A worker that was killed between the confirm of an event and the end of its
    /// row has published it, and it is published again: the same event, told by its id.
    async fn note(&mut self, delivery: Delivery) {
        let event: Value = serde_json::from_slice(delivery.payload()).unwrap();
        delivery.acknowledge().await.unwrap();
        let wrong = complaints(&validator("events.schema.json", None), &event);
        assert!(wrong.is_empty(), "{wrong:?} in {event}");
        let events = self.seen.entry(event["job_id"].as_str().unwrap().to_owned()).or_default();
        match events.iter().find(|known| known["event_id"] == event["event_id"]) {
            Some(known) => assert_eq!(*known, event, "a repeat says the same"),
            None => events.push(event),
        }
    }

    /// Waits until a query gives this number.
    pub(crate) async fn until(&self, query: &'static str, number: i64) {
        let counted = async {
            while self.database.count(query).await != number {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        soon(query, counted).await;
    }

    /// Takes this world away.
    pub(crate) async fn end(self) {
        drop(self.events);
        self.broker.delete(&Topology::new(&self.settings)).await.unwrap();
        self.broker.close().await;
        self.database.drop().await;
    }
}
