//! The last steps of an interview's answers, one after the other within this process.

use std::array;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;
use uuid::Uuid;

/// Turns that the interviews share, by their id. More than most workers have slots, so that few interviews meet another.
const TURNS: usize = 64;
/// Nobody waits longer for a turn: whoever goes ahead waits in the database, which has the last word.
const LONGEST: Duration = Duration::from_secs(1);

/// Whose turn it is.
///
/// The database lets one answer of an interview end at a time, so that exactly one of them sees that it is the last, and whoever
/// waits there for another's commit holds a connection that other interviews could use.
#[derive(Debug, Clone)]
pub(crate) struct Turns(Arc<[Mutex<()>; TURNS]>);

impl Default for Turns {
    fn default() -> Self {
        Turns(Arc::new(array::from_fn(|_| Mutex::new(()))))
    }
}

impl Turns {
    /// Waits for the interview's turn, which ends with what is returned.
    pub(crate) async fn of(&self, interview: Uuid) -> Option<MutexGuard<'_, ()>> {
        let place = interview.as_u128() % TURNS as u128;
        timeout(LONGEST, self.0[place as usize].lock()).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_interview_has_one_turn_at_a_time_and_nobody_waits_for_ever() {
        let turns = Turns::default();
        let [first, other] = [Uuid::from_u128(1), Uuid::from_u128(2)];
        let at_once = async |interview| timeout(Duration::ZERO, turns.of(interview)).await.ok().flatten();
        let held = turns.of(first).await;
        assert!(held.is_some());
        assert!(at_once(first).await.is_none());
        assert!(at_once(other).await.is_some());
        assert!(turns.of(first).await.is_none(), "goes ahead without one after a while");
        drop(held);
        assert!(at_once(first).await.is_some());
    }
}
