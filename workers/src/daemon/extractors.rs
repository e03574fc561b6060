//! Extractors on threads of their own: the models of a slot are loaded once, and live and die on one thread.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crossbeam_channel::{Receiver, Sender};
use hirenet_analyze::{Extraction, Extractor, Observer, Rooms, Task};
use hirenet_core::{Code, Coded, Modality};
use hirenet_fetch::Fetched;
use hirenet_speech::Recogniser;
use hirenet_store::ExtractTask;
use tokio::sync::oneshot;

use crate::config::Config;
use crate::daemon::{fault, stand_in};
use crate::failure::Failure;
use crate::setup::Installation;

/// A recording to extract; it is kept until the extraction is over, whoever still waits for it.
pub(crate) struct Request {
    /// The recording.
    pub(crate) media: Fetched,
    /// What to extract of it.
    pub(crate) task: ExtractTask,
}

/// What an extraction gave.
pub(crate) struct Extracted {
    /// Tracks, transcript, reasons.
    pub(crate) extraction: Extraction,
    /// Hash of each model that ran, by its role.
    pub(crate) models: BTreeMap<String, String>,
}

type Answer = Result<Extracted, Failure>;
type Job = (Request, oneshot::Sender<Answer>);

/// Extractors that share one queue of requests. Each takes the next when it is free.
#[derive(Debug, Clone)]
pub(crate) struct Extractors {
    jobs: Sender<Job>,
}

impl Extractors {
    /// Starts `slots` extractors, all loading side by side, and returns when every one is ready.
    pub(crate) fn start(
        config: &'static Config,
        installation: &Arc<Installation<'static>>,
        slots: usize,
    ) -> Result<Self, Failure> {
        let (jobs, queue) = crossbeam_channel::unbounded::<Job>();
        let (ready, loaded) = crossbeam_channel::unbounded();
        let recogniser = Arc::new(Mutex::new(None));
        for slot in 0..slots {
            let recogniser = recogniser.clone();
            let owner = Owner { config, installation: installation.clone(), recogniser, engine: None };
            let (queue, ready) = (queue.clone(), ready.clone());
            thread::Builder::new()
                .name(format!("extractor-{slot}"))
                .spawn(move || owner.live(&queue, &ready))
                .map_err(|error| Failure::internal(&error.into()))?;
        }
        drop(ready);
        for _ in 0..slots {
            let died = || Failure::new(Code::Internal, "an extractor ended while it was loading");
            loaded.recv().map_err(|_| died())??;
        }
        Ok(Extractors { jobs })
    }

    /// Extracts on the next free thread. Dropping the future does not stop the extraction, only the waiting for it.
    pub(crate) async fn extract(&self, request: Request) -> Answer {
        let (reply, answer) = oneshot::channel();
        let gone = || Failure::new(Code::Internal, "no extractor is left");
        self.jobs.send((request, reply)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// Loaded models.
struct Engine {
    extractor: Extractor,
    /// Hash of each, by its role.
    models: BTreeMap<String, String>,
}

struct Owner {
    config: &'static Config,
    installation: Arc<Installation<'static>>,
    /// The one recognition model of this process, once it is loaded.
    recogniser: Arc<Mutex<Option<Recogniser>>>,
    engine: Option<Engine>,
}

impl Owner {
    fn live(mut self, queue: &Receiver<Job>, ready: &Sender<Result<(), Failure>>) {
        // Where a stand-in may be all that is needed, models are loaded when the first recording needs them.
        let loaded = if self.config.work.stand_in { Ok(()) } else { self.load() };
        let failed = loaded.is_err();
        // Nobody listens any more where another extractor has failed already.
        let _ = ready.send(loaded);
        if failed {
            return;
        }
        while let Ok((request, reply)) = queue.recv() {
            let answer = self.fenced(&request);
            drop(request);
            // The job may have been given up meanwhile.
            let _ = reply.send(answer);
        }
    }

    /// A panic ends at the job: its models are in an unknown state and are loaded anew for the next one.
    fn fenced(&mut self, request: &Request) -> Answer {
        let answer = catch_unwind(AssertUnwindSafe(|| self.extract(request)));
        answer.unwrap_or_else(|_| {
            self.engine = None;
            Err(Failure::new(Code::JobPanicked, "an extractor panicked"))
        })
    }

    fn load(&mut self) -> Result<(), Failure> {
        let rooms = every_room();
        // Held while loading: the others wait for the model rather than load it too.
        let mut recogniser = self.recogniser.lock().unwrap_or_else(PoisonError::into_inner);
        let extractor = match recogniser.clone() {
            Some(shared) => self.installation.extractor(Rooms { recognition: false, ..rooms })?.sharing(shared),
            None => self.installation.extractor(rooms)?,
        };
        *recogniser = extractor.recogniser();
        self.engine = Some(Engine { extractor, models: self.installation.model_hashes(rooms)? });
        Ok(())
    }

    fn extract(&mut self, request: &Request) -> Answer {
        let task = Task {
            media: request.media.path(),
            sha256: None, // Checked while it was fetched.
            modalities: &request.task.modalities,
            transcript: request.task.answer.transcript.as_ref(),
            language: request.task.language.as_deref(),
        };
        let act = self.config.work.stand_in.then(|| stand_in::act(task.media)).flatten();
        if let Some(act) = act {
            return stand_in::extract(act, &task, request.media.sha256());
        }
        if self.engine.is_none() {
            self.load()?;
        }
        let none = || Failure::new(Code::Internal, "an extractor without models");
        let Engine { extractor, models } = self.engine.as_mut().ok_or_else(none)?;
        let extracted = extractor.extract_or_fail(&task, &Points);
        let extraction = extracted.map_err(|error| Failure::new(error.code(), error.to_string()))?;
        let rooms = Rooms::for_modalities(task.modalities, task.transcript.is_none());
        Ok(Extracted { extraction, models: used(models, rooms) })
    }
}

/// Every modality may be consented to.
fn every_room() -> Rooms {
    Rooms::for_modalities(&BTreeSet::from(Modality::ALL), true)
}

/// The models that run in these rooms.
fn used(models: &BTreeMap<String, String>, rooms: Rooms) -> BTreeMap<String, String> {
    let runs = |role: &str| match role {
        "speech" => rooms.recognition,
        "voice_activity" => rooms.activity,
        _ => rooms.face,
    };
    models.iter().filter(|(role, _)| runs(role)).map(|(role, sha256)| (role.clone(), sha256.clone())).collect()
}

/// The marked points inside an extraction.
pub(crate) struct Points;

impl Observer for Points {
    fn opened(&self, _duration_s: Option<f64>) {
        fault::point("extract", fault::AFTER_PROBE);
    }

    fn finishing(&self, _stage: &'static str) {
        fault::point("extract", fault::AFTER_DECODE);
    }
}
