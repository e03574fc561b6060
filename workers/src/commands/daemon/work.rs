//! `hirenet work`

use hirenet_core::Code;

use crate::cli::Work;
use crate::commands::daemon::runtime;
use crate::config::Config;
use crate::daemon;
use crate::failure::{Failure, Outcome};

/// Threads of the asynchronous part, which waits and computes nothing.
const WAITING_THREADS: usize = 2;

pub(super) fn run(mut config: Config, arguments: &Work) -> Result<Outcome, Failure> {
    let work = &mut config.work;
    if let Some(stages) = &arguments.stages {
        work.stages.clone_from(stages);
    }
    work.slots = arguments.slots.unwrap_or(work.slots);
    work.threads = arguments.threads.unwrap_or(work.threads);
    work.validate()?;
    config.queue.validate()?;
    config.retention.days.validate()?;
    // The outbox's rows are held while their confirms are waited for.
    if config.store.idle_transaction_timeout_s <= config.queue.confirm_timeout_s {
        let detail = "store.idle_transaction_timeout_s must be above queue.confirm_timeout_s";
        return Err(Failure::new(Code::ConfigInvalid, detail));
    }
    share_threads(&mut config);
    // Lives as long as the process: models on threads of their own refer to it.
    let config: &'static Config = Box::leak(Box::new(config));
    let runtime = runtime(WAITING_THREADS)?;
    let outcome = runtime.block_on(daemon::run(config, arguments.drain));
    // A job that was given up may still hold a thread; the process ends without it.
    runtime.shutdown_background();
    outcome
}

/// Splits the threads among the slots. Only what the pipeline may use beside its stages' own threads is cut; more than
/// the settings say is never given.
fn share_threads(config: &mut Config) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if config.work.threads == 0 { cores } else { config.work.threads };
    let share = (threads / config.work.slots).max(1);
    config.media.decode_threads = config.media.decode_threads.min(share);
    config.speech.threads = config.speech.threads.min(share);
    config.onnx.threads = config.onnx.threads.min(share);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_share_the_threads() {
        let mut config = Config::default();
        config.media.decode_threads = 4;
        config.work.threads = 4;
        config.work.slots = 2;
        share_threads(&mut config);
        assert_eq!((config.media.decode_threads, config.speech.threads), (2, 1));
        config.work.slots = 9;
        share_threads(&mut config);
        assert_eq!(config.media.decode_threads, 1);
    }
}
