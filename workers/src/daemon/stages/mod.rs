//! What each stage does with a message.

mod admit;
mod erase;
mod extract;
mod job;
mod score;
mod undelivered;

use std::sync::Arc;

use hirenet_queue::{Delivery, Stage};

use crate::daemon::context::{Context, Settle};

pub(crate) use admit::SUBMITTED;
pub(crate) use undelivered::serve as serve_undelivered;

/// Handles a message of a stage's queue. Everything that follows from it is committed when this returns
/// [`Settle::Acknowledge`].
pub(crate) async fn handle(context: &Arc<Context>, stage: Stage, delivery: &Delivery) -> Settle {
    match stage {
        Stage::Admit => admit::handle(context, delivery).await,
        Stage::Erase => erase::handle(context, delivery).await,
        Stage::Extract | Stage::Score => job::handle(context, stage, delivery).await,
    }
}
