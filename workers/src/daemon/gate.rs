//! A job that may kill its worker runs alone, so that it takes no neighbour with it.

use std::sync::Arc;

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// Lets many jobs pass at a time, or one that runs alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate(Arc<RwLock<()>>);

/// The right to run, until it is dropped.
#[derive(Debug)]
pub(crate) enum Pass {
    /// Beside others.
    Shared(#[expect(dead_code, reason = "held for its drop")] OwnedRwLockReadGuard<()>),
    /// With nothing else in this process.
    Alone(#[expect(dead_code, reason = "held for its drop")] OwnedRwLockWriteGuard<()>),
}

impl Pass {
    /// True where nothing else runs in this process.
    pub(crate) fn is_alone(&self) -> bool {
        matches!(self, Pass::Alone(_))
    }
}

impl Gate {
    /// Waits for the right to run. Waiters are served in order: a job that must run alone is not overtaken for ever.
    pub(crate) async fn pass(&self, alone: bool) -> Pass {
        if alone {
            Pass::Alone(self.0.clone().write_owned().await)
        } else {
            Pass::Shared(self.0.clone().read_owned().await)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn alone_means_alone() {
        let gate = Gate::default();
        let (first, second) = (gate.pass(false).await, gate.pass(false).await);
        assert!(gate.pass(true).now_or_never().is_none());
        drop((first, second));
        let alone = gate.pass(true).await;
        assert!(matches!(alone, Pass::Alone(_)));
        assert!(gate.pass(false).now_or_never().is_none());
        drop(alone);
        assert!(gate.pass(false).now_or_never().is_some());
    }
}
