//! The assessor's own thread: bundles are loaded when they are first asked for, and stay there.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;

use hirenet_analyze::Assessor;
use hirenet_core::{Assessment, BundleInfo, Code, Schema};
use hirenet_model::Bundle;
use hirenet_store::{NewBundle, ScoreTask, Store};
use tokio::sync::oneshot;

use crate::config::Config;
use crate::daemon::{stand_in, stored};
use crate::failure::Failure;
use crate::setup::{self, Installation, known_schemas};

/// Bundles that are kept loaded; with more, all are loaded anew when they are asked for.
const MAX_LOADED: usize = 8;

/// What the thread answers.
enum Answer {
    Assessed(Box<Assessment>),
    /// The bundle is not loaded: send its graph along.
    NeedsGraph(Box<ScoreTask>),
}

struct Request {
    task: Box<ScoreTask>,
    sha256: String,
    graph: Option<Vec<u8>>,
    reply: oneshot::Sender<Result<Answer, Failure>>,
}

/// The one assessor of this process.
#[derive(Debug, Clone)]
pub(crate) struct Assessors {
    requests: mpsc::Sender<Request>,
    configured: BundleInfo,
}

impl Assessors {
    /// Loads the configured bundle, registers it in the database, and starts the thread.
    pub(crate) async fn start(
        config: &'static Config,
        installation: &Arc<Installation<'static>>,
        store: &Store,
    ) -> Result<Assessors, Failure> {
        let mut owner = Owner::new(config, installation.clone())?;
        let file = installation.bundle_file(None)?;
        let graph = file.read()?;
        let bundle = Bundle::from_bytes(installation.runtime()?, &graph, &owner.known)?;
        let info = bundle.info().clone();
        let card = serde_json::to_value(bundle.card()).map_err(|error| Failure::internal(&error.into()))?;
        store.register_bundle(&NewBundle { info: &info, card: &card, graph: &graph }).await?;
        owner.keep(info.sha256.clone(), bundle)?;
        Ok(Assessors { requests: start_thread(config, installation, owner.loaded)?, configured: info })
    }

    /// Assesses under the bundle of the task, else under the configured one.
    pub(crate) async fn assess(&self, task: ScoreTask, store: &Store) -> Result<Assessment, Failure> {
        let sha256 = task.bundle.clone().unwrap_or_else(|| self.configured.sha256.clone());
        let task = match self.ask(Box::new(task), &sha256, None).await? {
            Answer::Assessed(assessment) => return Ok(*assessment),
            Answer::NeedsGraph(task) => task,
        };
        let missing = || Failure::new(Code::BundleUnreadable, format!("the bundle {sha256} is not registered"));
        let graph = store.bundle_graph(&sha256).await?.ok_or_else(missing)?;
        match self.ask(task, &sha256, Some(graph)).await? {
            Answer::Assessed(assessment) => Ok(*assessment),
            Answer::NeedsGraph(_) => Err(missing()),
        }
    }

    async fn ask(&self, task: Box<ScoreTask>, sha256: &str, graph: Option<Vec<u8>>) -> Result<Answer, Failure> {
        let (reply, answer) = oneshot::channel();
        let gone = || Failure::new(Code::Internal, "no assessor is left");
        let request = Request { task, sha256: sha256.to_owned(), graph, reply };
        self.requests.send(request).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn start_thread(
    config: &'static Config,
    installation: &Arc<Installation<'static>>,
    loaded: HashMap<String, Loaded>,
) -> Result<mpsc::Sender<Request>, Failure> {
    let (requests, queue) = mpsc::channel();
    let mut owner = Owner { loaded, ..Owner::new(config, installation.clone())? };
    thread::Builder::new()
        .name("assessor".to_owned())
        .spawn(move || {
            for Request { task, sha256, graph, reply } in queue {
                // The job may have been given up meanwhile.
                let _ = reply.send(owner.fenced(task, &sha256, graph));
            }
        })
        .map_err(|error| Failure::internal(&error.into()))?;
    Ok(requests)
}

/// A bundle that is loaded.
struct Loaded {
    info: BundleInfo,
    assessor: Assessor,
}

struct Owner {
    config: &'static Config,
    installation: Arc<Installation<'static>>,
    known: Vec<Arc<Schema>>,
    loaded: HashMap<String, Loaded>,
}

impl Owner {
    fn new(config: &'static Config, installation: Arc<Installation<'static>>) -> Result<Owner, Failure> {
        let known = known_schemas(&installation.encoder()?);
        Ok(Owner { config, installation, known, loaded: HashMap::new() })
    }

    fn keep(&mut self, sha256: String, bundle: Bundle) -> Result<(), Failure> {
        if self.loaded.len() >= MAX_LOADED {
            self.loaded.clear();
        }
        let info = bundle.info().clone();
        let assessor = Assessor::new(bundle, self.installation.encoder()?);
        self.loaded.insert(sha256, Loaded { info, assessor });
        Ok(())
    }

    /// A panic ends at the job; what was loaded is in an unknown state and goes.
    fn fenced(&mut self, task: Box<ScoreTask>, sha256: &str, graph: Option<Vec<u8>>) -> Result<Answer, Failure> {
        let answer = catch_unwind(AssertUnwindSafe(|| self.assess(task, sha256, graph)));
        answer.unwrap_or_else(|_| {
            self.loaded.clear();
            Err(Failure::new(Code::JobPanicked, "the assessor panicked"))
        })
    }

    fn assess(&mut self, task: Box<ScoreTask>, sha256: &str, graph: Option<Vec<u8>>) -> Result<Answer, Failure> {
        if let Some(graph) = graph {
            let bundle = Bundle::from_bytes(self.installation.runtime()?, &graph, &self.known)?;
            self.keep(sha256.to_owned(), bundle)?;
        }
        let Some(Loaded { info, assessor }) = self.loaded.get_mut(sha256) else { return Ok(Answer::NeedsGraph(task)) };
        let assessment = if self.config.work.stand_in && stand_in::made(&task) {
            let models = task.answers.iter().flat_map(|a| a.extraction.outcome.models.clone()).collect();
            stand_in::assess(&task, info, setup::software(self.config, models)?)
        } else {
            stored::assess(assessor, &task, self.config, &self.installation, &self.known)?
        };
        Ok(Answer::Assessed(Box::new(assessment)))
    }
}
