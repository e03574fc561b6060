//! What the broker gave up: recorded as failed, so that it ends as everything else does.

use std::sync::Arc;

use hirenet_core::Code;
use hirenet_queue::{Delivery, Stage};
use hirenet_store::{FinalState, Refusal, Request};

use super::admit::Message;
use super::erase::WITHDRAWN;
use super::job::{StageMessage, buried};
use crate::daemon::context::{Context, Settle};

/// Serves the broker's dead letters until the worker stops.
pub(crate) async fn serve(context: Arc<Context>) {
    let mut letters = context.broker.subscribe(&context.names().undelivered(), 1);
    loop {
        let delivery = tokio::select! {
            biased;
            () = context.shutdown.stopping() => break,
            next = letters.next() => match next { Some(delivery) => delivery, None => break },
        };
        let _in_hand = context.take_in_hand();
        let settle = handle(&context, &delivery).await;
        // Waiting would bring it back to the stage that it failed in.
        let settle = if matches!(settle, Settle::Wait(_)) { Settle::GiveBack } else { settle };
        context.settle(delivery, settle).await;
    }
    letters.stop();
    while let Some(delivery) = letters.next().await {
        // Its channel is gone: the broker has it already.
        let _ = delivery.give_back().await;
    }
}

async fn handle(context: &Context, delivery: &Delivery) -> Settle {
    let (code, detail) = (Code::DeliveryLimit, Code::DeliveryLimit.meaning());
    let stage = delivery.routing_key().split('.').next().and_then(Stage::from_word);
    if let Some(stage @ (Stage::Extract | Stage::Score)) = stage
        && let Ok(message) = serde_json::from_slice::<StageMessage>(delivery.payload())
    {
        let bury = || context.store.bury_undelivered(message.job, code, detail);
        return match context.patiently(bury).await {
            Ok(was_open) => {
                if was_open {
                    buried(stage, Some(message.job), code);
                }
                Settle::Acknowledge
            }
            Err(error) => context.unrecorded(&error),
        };
    }
    let message = Message::of(delivery);
    let request = match (stage, delivery.kind()) {
        (Some(Stage::Erase), Some(WITHDRAWN)) => Request::Withdrawn,
        (Some(Stage::Erase), _) => Request::Erase,
        _ => Request::Submitted,
    };
    let refusal = Refusal {
        request,
        tenant: message.tenant.as_deref(),
        job_id: message.job_id,
        interview_id: message.interview_id(),
        content_sha256: &message.sha256,
        state: FinalState::Failed,
        code,
        detail,
        trace: message.trace(),
    };
    match context.patiently(|| context.store.refuse(&refusal)).await {
        Ok(_) => {
            buried(stage.unwrap_or(Stage::Admit), message.job_id, code);
            Settle::Acknowledge
        }
        Err(error) => context.unrecorded(&error),
    }
}
