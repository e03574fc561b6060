use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use hirenet_queue::Broker;

/// What a worker needs before it can do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The connection to the broker.
    Broker,
    /// The connection to the database.
    Database,
    /// The models and the bundle.
    Models,
    /// New work is taken: false from the first SIGTERM on.
    Intake,
}

impl Part {
    const ALL: [Part; 4] = [Part::Broker, Part::Database, Part::Models, Part::Intake];

    fn name(self) -> &'static str {
        match self {
            Part::Broker => "broker",
            Part::Database => "database",
            Part::Models => "models",
            Part::Intake => "intake",
        }
    }
}

/// Whether this worker lives and whether it can work; shared between the worker and its HTTP server.
#[derive(Debug)]
pub(crate) struct Health {
    /// Asked at each look: what a message met last would say nothing while no message comes.
    broker: OnceLock<Broker>,
    parts: [AtomicBool; Part::ALL.len()],
    beat: Mutex<Instant>,
    stall: Duration,
}

impl Health {
    /// Nothing is ready; the worker counts as alive for `stall` after each beat, and from now.
    pub(crate) fn new(stall: Duration) -> Self {
        Health { broker: OnceLock::new(), parts: Default::default(), beat: Mutex::new(Instant::now()), stall }
    }

    /// Takes the broker's presence from its connection from now on.
    pub(crate) fn follow(&self, broker: Broker) {
        // Once a process; a second call would keep the first.
        let _ = self.broker.set(broker);
    }

    /// Says whether a part is there.
    pub(crate) fn set(&self, part: Part, there: bool) {
        self.parts[part as usize].store(there, Ordering::Relaxed);
    }

    /// A sign of life of the worker's main loop.
    pub(crate) fn beat(&self) {
        // A panic while holding the lock leaves a valid instant.
        *self.beat.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
    }

    /// True while the main loop beats.
    pub(crate) fn is_alive(&self) -> bool {
        self.beat.lock().unwrap_or_else(std::sync::PoisonError::into_inner).elapsed() < self.stall
    }

    /// The names of the parts that are missing; none: the worker can work.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let there = |part: &Part| match (part, self.broker.get()) {
            (Part::Broker, Some(broker)) => broker.is_connected(),
            _ => self.parts[*part as usize].load(Ordering::Relaxed),
        };
        Part::ALL.into_iter().filter(|part| !there(part)).map(Part::name).collect()
    }
}
