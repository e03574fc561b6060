//! Taking messages: pushed by the broker up to a prefetch, or fetched as they are asked for.

use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicGetOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::connection::within;
use crate::{Broker, Delivery, QueueError};

/// Pause after a loss, before the next try.
const PAUSE: Duration = Duration::from_millis(200);
/// Longest time for the end of a subscription.
const LAST_ANSWER: Duration = Duration::from_secs(2);

/// A subscription to a queue. Dropping it ends it; what was delivered and not taken goes back to the queue.
#[derive(Debug)]
pub struct Subscription {
    deliveries: mpsc::Receiver<Delivery>,
    /// Weak: the deliveries end with the last consumer, not with this.
    sender: mpsc::WeakSender<Delivery>,
    consumers: Consumers,
}

/// What the consumers of a subscription share.
#[derive(Debug, Clone)]
struct Consumers {
    broker: Broker,
    queue: String,
    after_loss: AfterLoss,
    stop: CancellationToken,
}

/// What follows where a consumer's channel or connection was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AfterLoss {
    /// It consumes again, with its prefetch.
    Again,
    /// The subscription ends.
    End,
}

impl Subscription {
    /// The next delivery; `None` after [`Subscription::stop`], or after the end of a window, when everything that was delivered
    /// has been taken.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.deliveries.recv().await
    }

    /// The next delivery, where one is there already.
    pub fn try_next(&mut self) -> Option<Delivery> {
        self.deliveries.try_recv().ok()
    }

    /// Has the broker push `more` messages beyond those of the prefetch so far. A prefetch cannot be changed in AMQP: a
    /// consumer of its own brings them.
    pub fn widen(&self, more: u16) {
        // None is left where everything has ended.
        if let Some(sender) = self.sender.upgrade() {
            tokio::spawn(consume(self.consumers.clone(), more, sender));
        }
    }

    /// Asks the broker for no more. What it has delivered already still comes.
    pub fn stop(&self) {
        self.consumers.stop.cancel();
    }
}

impl Broker {
    /// Has the broker push messages of `queue`, at most `prefetch` of them unsettled at a time. The subscription survives the
    /// loss of channel and connection.
    #[must_use]
    pub fn subscribe(&self, queue: &str, prefetch: u16) -> Subscription {
        self.start(queue, prefetch, AfterLoss::Again)
    }

    /// As [`Broker::subscribe`], but the loss of a channel or the connection ends it, after a short pause. For whoever works on
    /// more than one delivery: those of before the loss are in hand still, and the broker, which has taken them back, would push as
    /// many again.
    #[must_use]
    pub fn window(&self, queue: &str, prefetch: u16) -> Subscription {
        self.start(queue, prefetch, AfterLoss::End)
    }

    fn start(&self, queue: &str, prefetch: u16, after_loss: AfterLoss) -> Subscription {
        let (sender, deliveries) = mpsc::channel(usize::from(prefetch.max(1)));
        let (weak, stop) = (sender.downgrade(), CancellationToken::new());
        let consumers = Consumers { broker: self.clone(), queue: queue.to_owned(), after_loss, stop };
        tokio::spawn(consume(consumers.clone(), prefetch, sender));
        Subscription { deliveries, sender: weak, consumers }
    }

    /// Fetches messages of `queue` as they are asked for.
    #[must_use]
    pub fn fetcher(&self, queue: &str) -> QueueFetcher {
        QueueFetcher { broker: self.clone(), queue: queue.to_owned(), channel: None }
    }
}

async fn consume(consumers: Consumers, prefetch: u16, sender: mpsc::Sender<Delivery>) {
    let Consumers { broker, queue, after_loss, stop } = consumers;
    loop {
        tokio::select! {
            biased;
            () = sender.closed() => return,
            // Sees the stop by itself: the broker must be told.
            ended = consume_once(&broker, &queue, prefetch, &sender, &stop) => match ended {
                Ok(()) => return,
                Err(error) => warn!(queue, %error, "the subscription was lost"),
            },
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = sender.closed() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
        if after_loss == AfterLoss::End {
            // The others of the window too: it is opened anew as a whole.
            stop.cancel();
            return;
        }
    }
}

/// A channel with a consumer on it.
async fn open(broker: &Broker, queue: &str, prefetch: u16) -> Result<(Channel, Consumer), QueueError> {
    let channel = broker.channel().await?;
    within(broker.settings().confirm_timeout(), async {
        // Per consumer, not per channel: newer brokers refuse the latter.
        channel.basic_qos(prefetch, BasicQosOptions { global: false }).await?;
        let options = BasicConsumeOptions::default();
        let consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?;
        Ok((channel, consumer))
    })
    .await
}

/// Consumes on one channel. `Ok` where the subscription was stopped.
async fn consume_once(
    broker: &Broker,
    queue: &str,
    prefetch: u16,
    sender: &mpsc::Sender<Delivery>,
    stop: &CancellationToken,
) -> Result<(), QueueError> {
    // A queue that has no leader after a crash of its broker does not answer: neither a stop nor a subscriber waits for it.
    // What it answers late returns to it with the channel.
    let (channel, mut consumer) = tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(()),
        opened = open(broker, queue, prefetch) => opened?,
    };
    loop {
        let received = tokio::select! {
            biased;
            () = stop.cancelled() => {
                // Bounded: a queue that has lost its leader does not answer, and whoever stops waits for this. What was on its way
                // already is passed on; what nobody takes any more goes back with its channel.
                within(LAST_ANSWER, async {
                    channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await?;
                    while let Some(Ok(received)) = consumer.next().await {
                        let _ = sender.send(Delivery::new(received, channel.clone())).await;
                    }
                    Ok(())
                })
                .await?;
                return Ok(());
            }
            received = consumer.next() => received,
        };
        match received {
            Some(Ok(received)) => {
                if sender.send(Delivery::new(received, channel.clone())).await.is_err() {
                    return Ok(());
                }
            }
            Some(Err(error)) => return Err(error.into()),
            None => return Err(QueueError::Unavailable("the broker ended the subscription".to_owned())),
        }
    }
}

/// Fetches messages of one queue as they are asked for: nothing is held that is not worked on.
#[derive(Debug)]
pub struct QueueFetcher {
    broker: Broker,
    queue: String,
    /// Left from the question before. After a failure it is of no more use, and what comes on it late returns to the queue
    /// with it.
    channel: Option<Channel>,
}

impl QueueFetcher {
    /// The next message; `None` where the queue has none ready.
    ///
    /// # Errors
    /// Where the broker cannot be asked.
    pub async fn fetch(&mut self) -> Result<Option<Delivery>, QueueError> {
        let channel = self.channel().await?;
        let got = within(self.broker.settings().confirm_timeout(), async {
            Ok(channel.basic_get(self.queue.as_str().into(), BasicGetOptions::default()).await?)
        })
        .await?;
        let delivery = got.map(|message| Delivery::new(message.delivery, channel.clone()));
        self.channel = Some(channel);
        Ok(delivery)
    }

    /// Messages that are ready in the queue. Takes none, and costs the broker less than a fetch, which it writes down.
    ///
    /// # Errors
    /// Where the broker cannot be asked, or has no such queue.
    pub async fn ready(&mut self) -> Result<u32, QueueError> {
        let channel = self.channel().await?;
        let options = QueueDeclareOptions { durable: true, passive: true, ..QueueDeclareOptions::default() };
        let ready = within(self.broker.settings().confirm_timeout(), async {
            let declared = channel.queue_declare(self.queue.as_str().into(), options, FieldTable::default()).await?;
            Ok(declared.message_count())
        })
        .await?;
        self.channel = Some(channel);
        Ok(ready)
    }

    /// The channel where there still is one, else a new one.
    async fn channel(&mut self) -> Result<Channel, QueueError> {
        match self.channel.take().filter(|channel| channel.status().connected()) {
            Some(channel) => Ok(channel),
            None => self.broker.channel().await,
        }
    }
}
