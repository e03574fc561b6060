//! Publishing with confirms: what is not confirmed was not published.

use futures_util::future::join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation, PublisherConfirm};
use tokio::sync::Mutex;

use crate::connection::within;
use crate::{Broker, Outgoing, QueueError};

/// A publisher with a channel of its own, which it replaces when it is gone.
#[derive(Debug)]
pub struct Publisher {
    broker: Broker,
    channel: Mutex<Option<Channel>>,
}

impl Broker {
    /// A publisher; its channel is opened when it is needed.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        Publisher { broker: self.clone(), channel: Mutex::new(None) }
    }
}

impl Publisher {
    /// Publishes one message and waits for its confirm.
    ///
    /// # Errors
    /// Where it was not confirmed: it may have been taken all the same.
    pub async fn publish(&self, message: &Outgoing) -> Result<(), QueueError> {
        let lost = || Err(QueueError::Unavailable("no confirm".to_owned()));
        self.publish_all(std::slice::from_ref(message)).await.pop().unwrap_or_else(lost)
    }

    /// Publishes messages in order without waiting between them, then waits for every confirm. One answer a message.
    pub async fn publish_all(&self, messages: &[Outgoing]) -> Vec<Result<(), QueueError>> {
        let sent = match self.send(messages).await {
            Ok(sent) => sent,
            Err(error) => {
                let text = error.to_string();
                return messages.iter().map(|_| Err(QueueError::Unavailable(text.clone()))).collect();
            }
        };
        let limit = self.broker.settings().confirm_timeout();
        let confirms = sent.into_iter().zip(messages).map(|(confirm, message)| async move {
            let confirm = confirm?;
            within(limit, async { taken(&confirm.await?, message) }).await
        });
        join_all(confirms).await
    }

    async fn send(&self, messages: &[Outgoing]) -> Result<Vec<Result<PublisherConfirm, QueueError>>, QueueError> {
        let limit = self.broker.settings().confirm_timeout();
        // Held while sending, so that two callers' messages do not mix; not while waiting for confirms.
        let mut held = self.channel.lock().await;
        let channel = match held.as_ref().filter(|c| c.status().connected()) {
            Some(channel) => channel.clone(),
            None => held.insert(self.open().await?).clone(),
        };
        let mut sent = Vec::with_capacity(messages.len());
        for message in messages {
            let options = BasicPublishOptions { mandatory: message.is_mandatory(), ..BasicPublishOptions::default() };
            let published = channel.basic_publish(
                message.exchange().into(),
                message.key().into(),
                options,
                &message.payload,
                message.properties(),
            );
            sent.push(within(limit, async { Ok(published.await?) }).await);
        }
        Ok(sent)
    }

    async fn open(&self) -> Result<Channel, QueueError> {
        let channel = self.broker.channel().await?;
        within(self.broker.settings().confirm_timeout(), async {
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            Ok(channel)
        })
        .await
    }
}

fn taken(confirmation: &Confirmation, message: &Outgoing) -> Result<(), QueueError> {
    match confirmation {
        Confirmation::Ack(None) => Ok(()),
        // A mandatory message that reached no queue comes back, and is confirmed all the same.
        Confirmation::Ack(Some(_)) => Err(QueueError::Unroutable(message.key().to_owned())),
        Confirmation::Nack(_) | Confirmation::NotRequested => Err(QueueError::NotTaken(message.key().to_owned())),
    }
}
