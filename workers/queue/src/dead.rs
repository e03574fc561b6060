//! The final dead letters: looked at, and taken out.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lapin::types::AMQPValue;
use serde_json::Value;

use crate::message::PUBLISHED;
use crate::{Broker, Delivery, QueueError};

/// A dead letter as it lies in the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// Its id.
    pub id: String,
    /// What it says: JSON; null where it is none.
    pub content: Value,
    /// When it was published: the end of what it speaks of. `None` where another program published it.
    pub published: Option<SystemTime>,
}

impl DeadLetter {
    fn of(delivery: &Delivery) -> DeadLetter {
        DeadLetter {
            id: delivery.id().unwrap_or_default().to_owned(),
            content: serde_json::from_slice(delivery.payload()).unwrap_or_default(),
            published: published(delivery),
        }
    }
}

fn published(delivery: &Delivery) -> Option<SystemTime> {
    match delivery.own_headers().inner().get(PUBLISHED)? {
        AMQPValue::LongLongInt(ms) => UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(*ms).ok()?)),
        _ => None,
    }
}

impl Broker {
    /// The dead letters as the broker hands them out, at most `limit`: in the order of their deaths, but for those that
    /// were looked at and returned meanwhile. They stay where they are.
    ///
    /// # Errors
    /// Where the broker cannot be asked.
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        self.dead_letters_that(limit, |_| true).await
    }

    /// As [`Broker::dead_letters`], of those that `matches`.
    ///
    /// # Errors
    /// Where the broker cannot be asked.
    pub async fn dead_letters_that(
        &self,
        limit: usize,
        matches: impl Fn(&DeadLetter) -> bool,
    ) -> Result<Vec<DeadLetter>, QueueError> {
        let mut letters = Vec::new();
        let mut held = Vec::new();
        let mut fetcher = self.fetcher(&self.names().dead());
        while letters.len() < limit
            && let Some(delivery) = fetcher.fetch().await?
        {
            letters.extend(Some(DeadLetter::of(&delivery)).filter(|letter| matches(letter)));
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
        self.drop_dead_letters(|letter| matches(&letter.content)).await
    }

    /// As [`Broker::purge_dead_letters`], looking at the whole letter.
    ///
    /// # Errors
    /// Where the broker cannot be asked; what was taken out until then is gone.
    pub async fn drop_dead_letters(&self, matches: impl Fn(&DeadLetter) -> bool) -> Result<usize, QueueError> {
        let mut purged = 0;
        let mut held = Vec::new();
        let mut fetcher = self.fetcher(&self.names().dead());
        while let Some(delivery) = fetcher.fetch().await? {
            if matches(&DeadLetter::of(&delivery)) {
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
