use hirenet_core::{Code, Coded};
use lapin::ErrorKind;

/// Why something could not be said to the broker. No error repeats an address or a message.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The broker is not there, or went away.
    #[error("the broker cannot be reached: {0}")]
    Unavailable(String),
    /// The broker is there and says no.
    #[error("the broker refuses: {0}")]
    Refused(String),
    /// Queues or exchanges are missing or differ; each difference on a line of its own.
    #[error("the broker's queues and exchanges are not those that this program needs:\n{0}")]
    Topology(String),
    /// No queue is bound for a message: the broker returned it.
    #[error("no queue is bound for `{0}`: the broker returned a message")]
    Unroutable(String),
    /// The broker did not take a message: it was negatively confirmed.
    #[error("the broker did not take a message for `{0}`")]
    NotTaken(String),
    /// The delivery belongs to a channel that is gone; the broker gives it out again.
    #[error("the delivery's channel is gone")]
    Stale,
    /// A setting is wrong.
    #[error("queue.{setting} {detail}")]
    Setting {
        /// Name of the setting.
        setting: &'static str,
        /// What is wrong with it.
        detail: &'static str,
    },
    /// The broker takes jobs away before they may be done.
    #[error("the broker's consumer_timeout is {found_s} s ({source_name}), a delivery may be held for {needed_s} s")]
    ConsumerTimeout {
        /// What the broker has, in seconds.
        found_s: f64,
        /// Where that number is from.
        source_name: &'static str,
        /// What the longest job needs, in seconds.
        needed_s: f64,
    },
}

impl Coded for QueueError {
    fn code(&self) -> Code {
        match self {
            QueueError::Unavailable(_) | QueueError::NotTaken(_) | QueueError::Stale => Code::BrokerUnavailable,
            QueueError::Refused(_) => Code::BrokerRefused,
            QueueError::Topology(_) | QueueError::Unroutable(_) => Code::TopologyDiffers,
            QueueError::Setting { .. } => Code::ConfigInvalid,
            QueueError::ConsumerTimeout { .. } => Code::ConsumerTimeout,
        }
    }
}

impl From<lapin::Error> for QueueError {
    fn from(error: lapin::Error) -> Self {
        use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
        match error.kind() {
            // A wrong password, a virtual host that is not there, a missing right: waiting does not mend them.
            ErrorKind::ProtocolError(protocol) => match protocol.kind() {
                AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => {
                    QueueError::Refused(protocol.to_string())
                }
                AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND | AMQPSoftError::PRECONDITIONFAILED) => {
                    QueueError::Topology(protocol.to_string())
                }
                _ => QueueError::Unavailable(protocol.to_string()),
            },
            _ => QueueError::Unavailable(error.to_string()),
        }
    }
}
