//! One connection that comes back: a supervisor reconnects with back-off and jitter, and whoever needs a channel waits.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tracing::{info, warn};

use crate::{Names, QueueError, QueueSettings};

/// The first pause between two attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// A loss is told by an event; this catches one that was missed.
const LOOK: Duration = Duration::from_millis(500);

/// The broker. Cheap to clone; the connection closes with the last clone.
#[derive(Clone)]
pub struct Broker {
    shared: Arc<Shared>,
}

struct Shared {
    settings: QueueSettings,
    names: Names,
    current: watch::Receiver<Option<Arc<Connection>>>,
    losses: watch::Receiver<u64>,
    supervisor: AbortHandle,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.supervisor.abort();
    }
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("names", &self.shared.names).finish_non_exhaustive()
    }
}

impl Broker {
    /// Connects, and stays connected from then on. `name` is what the broker shows of this connection.
    ///
    /// # Errors
    /// Why the first attempt failed; later ones are repeated until they succeed.
    pub async fn connect(settings: &QueueSettings, name: &str) -> Result<Broker, QueueError> {
        settings.validate()?;
        let dialer = Dialer::new(settings, name)?;
        let first = dialer.dial().await?;
        let (sender, current) = watch::channel(Some(first));
        let (count, losses) = watch::channel(0);
        let supervisor = tokio::spawn(supervise(dialer, sender, count)).abort_handle();
        let names = Names::new(&settings.prefix);
        Ok(Broker { shared: Arc::new(Shared { settings: settings.clone(), names, current, losses, supervisor }) })
    }

    /// The settings that it was made with.
    #[must_use]
    pub fn settings(&self) -> &QueueSettings {
        &self.shared.settings
    }

    /// The names of exchanges and queues.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.shared.names
    }

    /// True while the broker is connected.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared.current.borrow().as_ref().is_some_and(|c| c.status().connected())
    }

    /// How often the connection was lost since it was first made, to be read and to be waited on: the count grows once
    /// a loss, when the supervisor sees it.
    #[must_use]
    pub fn losses(&self) -> watch::Receiver<u64> {
        self.shared.losses.clone()
    }

    /// A new channel on the present connection.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] where there is none within the time for a confirm.
    pub(crate) async fn channel(&self) -> Result<Channel, QueueError> {
        let limit = self.shared.settings.confirm_timeout();
        within(limit, async {
            let mut current = self.shared.current.clone();
            loop {
                let connection = current.borrow_and_update().clone();
                if let Some(connection) = connection.filter(|c| c.status().connected()) {
                    return Ok(connection.create_channel().await?);
                }
                if current.changed().await.is_err() {
                    return Err(QueueError::Unavailable("the connection is closed".to_owned()));
                }
            }
        })
        .await
    }

    /// Says goodbye in order.
    pub async fn close(&self) {
        self.shared.supervisor.abort();
        let connection = self.shared.current.borrow().clone();
        if let Some(connection) = connection {
            // A connection that is gone already needs no goodbye.
            let _ = within(Duration::from_secs(2), async { Ok(connection.close(200, "done".into()).await?) }).await;
        }
    }
}

/// Limits a conversation with the broker in time.
pub(crate) async fn within<T>(
    limit: Duration,
    future: impl Future<Output = Result<T, QueueError>>,
) -> Result<T, QueueError> {
    let late = || QueueError::Unavailable(format!("no answer within {} s", limit.as_secs_f64()));
    tokio::time::timeout(limit, future).await.unwrap_or_else(|_| Err(late()))
}

struct Dialer {
    uri: AMQPUri,
    name: String,
    timeout: Duration,
    longest_pause: Duration,
}

impl Dialer {
    fn new(settings: &QueueSettings, name: &str) -> Result<Dialer, QueueError> {
        let address = settings.address()?;
        // The parser's error would repeat the address, and with it the password.
        let wrong = |_| QueueError::Setting { setting: "url", detail: "is not an amqp: or amqps: address" };
        let mut uri: AMQPUri = address.expose().parse().map_err(wrong)?;
        uri.query.heartbeat = Some(settings.heartbeat_s);
        Ok(Dialer {
            uri,
            name: name.to_owned(),
            timeout: settings.connect_timeout(),
            longest_pause: Duration::from_secs_f64(settings.reconnect_max_s),
        })
    }

    async fn dial(&self) -> Result<Arc<Connection>, QueueError> {
        // No automatic recovery of lapin's: a delivery must not outlive the channel that it came by.
        let properties = ConnectionProperties::default().with_connection_name(self.name.as_str().into());
        within(self.timeout, async { Ok(Arc::new(Connection::connect_uri(self.uri.clone(), properties).await?)) }).await
    }

    /// Tries until it succeeds.
    async fn redial(&self) -> Arc<Connection> {
        let mut pause = FIRST_PAUSE;
        loop {
            // Jitter: many workers that lost one broker do not come back in step.
            tokio::time::sleep(pause.mul_f64(0.5 + 0.5 * fastrand::f64())).await;
            match self.dial().await {
                Ok(connection) => return connection,
                Err(error) => warn!(%error, pause_s = pause.as_secs_f64(), "the broker is not back yet"),
            }
            pause = (pause * 2).min(self.longest_pause);
        }
    }
}

async fn supervise(dialer: Dialer, sender: watch::Sender<Option<Arc<Connection>>>, losses: watch::Sender<u64>) {
    loop {
        let Some(connection) = sender.borrow().clone() else { return };
        lost(&connection).await;
        warn!("the connection to the broker was lost");
        sender.send_replace(None);
        losses.send_modify(|count| *count += 1);
        let connection = dialer.redial().await;
        info!("connected to the broker again");
        sender.send_replace(Some(connection));
    }
}

/// Returns when the connection is gone.
async fn lost(connection: &Connection) {
    let mut events = connection.events_listener();
    while connection.status().connected() {
        tokio::select! {
            event = events.next() => if event.is_none() { tokio::time::sleep(LOOK).await },
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}
