//! The final dead letters: looked at, and taken out.

use serde_json::Value;

use crate::{Broker, Delivery, QueueError};

/// A dead letter as it lies in the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// Its id.
    pub id: String,
    /// What it says: JSON; null where it is none.
    pub content: Value,
}

impl DeadLetter {
    fn of(delivery: &Delivery) -> DeadLetter {
        DeadLetter {
            id: delivery.id().unwrap_or_default().to_owned(),
            content: serde_json::from_slice(delivery.payload()).unwrap_or_default(),
        }
    }
}

impl Broker {
    /// The dead letters as the broker hands them out, at most `limit`: in the order of their deaths, but for those that
    /// were looked at and returned meanwhile. They stay where they are.
    ///
    /// # Errors
    /// Where the broker cannot be asked.
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        let mut letters = Vec::new();
        let mut held = Vec::new();
        let mut fetcher = self.fetcher(&self.names().dead());
        while letters.len() < limit
            && let Some(delivery) = fetcher.fetch().await?
        {
            letters.push(DeadLetter::of(&delivery));
            held.push(delivery);
        }
        return_all(held).await;
        Ok(letters)
    }

    /// Takes every dead letter out that `matches`, and gives their number. Letters that another process looks at in
    /// this moment are not seen: call it again where that matters.
    ///
    /// # Errors
    /// Where the broker cannot be asked; what was taken out until then is gone.
    pub async fn purge_dead_letters(&self, matches: impl Fn(&Value) -> bool) -> Result<usize, QueueError> {
        let mut purged = 0;
        let mut held = Vec::new();
        let mut fetcher = self.fetcher(&self.names().dead());
        while let Some(delivery) = fetcher.fetch().await? {
            if matches(&DeadLetter::of(&delivery).content) {
                delivery.acknowledge().await?;
                purged += 1;
            } else {
                held.push(delivery);
            }
        }
        return_all(held).await;
        Ok(purged)
    }
}

/// A quorum queue hands out what came back by the time of its return, so all go back in their order.
async fn return_all(held: Vec<Delivery>) {
    for delivery in held {
        // Its channel is gone: the broker has returned it already.
        let _ = delivery.give_back().await;
    }
}
