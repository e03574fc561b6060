//! Holds the broker's exchanges and queues against what is needed, and makes what is missing.

use std::fmt::Write as _;

use lapin::options::{
    ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{ErrorKind, ExchangeKind};

use crate::connection::within;
use crate::topology::{ExchangeSpec, ExchangeType, QueueSpec, Topology};
use crate::{Broker, QueueError};

/// What the broker has of the topology.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// Names of what is not there.
    pub missing: Vec<String>,
    /// What is there and differs: its name, and the broker's words.
    pub different: Vec<(String, String)>,
}

impl Findings {
    /// True where everything is there as it must be.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.different.is_empty()
    }

    /// A line for each finding.
    #[must_use]
    pub fn diff(&self) -> String {
        let mut text = String::new();
        for name in &self.missing {
            let _ = writeln!(text, "  missing    {name}");
        }
        for (name, words) in &self.different {
            let _ = writeln!(text, "  different  {name}: {words}");
        }
        text.truncate(text.trim_end().len());
        text
    }
}

enum Found {
    There,
    Missing,
    Different(String),
}

impl Broker {
    /// Looks at every exchange and queue; makes nothing.
    ///
    /// # Errors
    /// Where the broker cannot be asked.
    pub async fn inspect(&self, topology: &Topology) -> Result<Findings, QueueError> {
        let mut findings = Findings::default();
        let mut note = |name: &str, found| match found {
            Found::There => {}
            Found::Missing => findings.missing.push(name.to_owned()),
            Found::Different(words) => findings.different.push((name.to_owned(), words)),
        };
        for exchange in &topology.exchanges {
            note(&format!("exchange {}", exchange.name), self.look_at_exchange(exchange).await?);
        }
        for queue in &topology.queues {
            note(&format!("queue {}", queue.name), self.look_at_queue(queue).await?);
        }
        Ok(findings)
    }

    /// As [`Broker::inspect`], for a program that can only run on the whole of it.
    ///
    /// # Errors
    /// [`QueueError::Topology`] with a line for each difference.
    pub async fn require(&self, topology: &Topology) -> Result<(), QueueError> {
        let findings = self.inspect(topology).await?;
        if findings.is_whole() { Ok(()) } else { Err(QueueError::Topology(findings.diff())) }
    }

    /// Makes what is missing. Where something differs, nothing is made. Gives the names of what was made.
    ///
    /// # Errors
    /// [`QueueError::Topology`] with a line for each difference.
    pub async fn declare(&self, topology: &Topology) -> Result<Vec<String>, QueueError> {
        let findings = self.inspect(topology).await?;
        if !findings.different.is_empty() {
            return Err(QueueError::Topology(Findings { missing: Vec::new(), ..findings }.diff()));
        }
        for exchange in &topology.exchanges {
            self.declare_exchange(exchange, false).await?;
        }
        for queue in &topology.queues {
            self.declare_queue(queue, false).await?;
        }
        let channel = self.channel().await?;
        for b in &topology.bindings {
            let (queue, exchange, key) = (b.queue.as_str(), b.exchange.as_str(), b.key.as_str());
            let options = QueueBindOptions::default();
            channel.queue_bind(queue.into(), exchange.into(), key.into(), options, FieldTable::default()).await?;
        }
        Ok(findings.missing)
    }

    /// Deletes everything of the topology with whatever is in it.
    ///
    /// # Errors
    /// Where the broker cannot be asked.
    pub async fn delete(&self, topology: &Topology) -> Result<(), QueueError> {
        let channel = self.channel().await?;
        for queue in &topology.queues {
            channel.queue_delete(queue.name.as_str().into(), QueueDeleteOptions::default()).await?;
        }
        for exchange in &topology.exchanges {
            channel.exchange_delete(exchange.name.as_str().into(), ExchangeDeleteOptions::default()).await?;
        }
        Ok(())
    }

    async fn look_at_exchange(&self, exchange: &ExchangeSpec) -> Result<Found, QueueError> {
        // Passive: is it there? Then once more as it must be: the broker compares and makes nothing new.
        match found(self.declare_exchange(exchange, true).await)? {
            Found::There => found(self.declare_exchange(exchange, false).await),
            other => Ok(other),
        }
    }

    async fn look_at_queue(&self, queue: &QueueSpec) -> Result<Found, QueueError> {
        match found(self.declare_queue(queue, true).await)? {
            Found::There => found(self.declare_queue(queue, false).await),
            other => Ok(other),
        }
    }

    async fn declare_exchange(&self, exchange: &ExchangeSpec, passive: bool) -> Result<(), QueueError> {
        let kind = match exchange.kind {
            ExchangeType::Direct => ExchangeKind::Direct,
            ExchangeType::Fanout => ExchangeKind::Fanout,
            ExchangeType::Topic => ExchangeKind::Topic,
        };
        // A channel of its own: the broker answers a difference by closing it.
        let channel = self.channel().await?;
        let options = ExchangeDeclareOptions { durable: true, passive, ..ExchangeDeclareOptions::default() };
        let declared = channel.exchange_declare(exchange.name.as_str().into(), kind, options, FieldTable::default());
        within(self.settings().confirm_timeout(), async { declared.await.map_err(of_declaration) }).await
    }

    async fn declare_queue(&self, queue: &QueueSpec, passive: bool) -> Result<(), QueueError> {
        let channel = self.channel().await?;
        let options = QueueDeclareOptions { durable: true, passive, ..QueueDeclareOptions::default() };
        let declared = channel.queue_declare(queue.name.as_str().into(), options, queue.table());
        within(self.settings().confirm_timeout(), async { declared.await.map(drop).map_err(of_declaration) }).await
    }

    /// Messages that are ready in a queue.
    ///
    /// # Errors
    /// Where the broker cannot be asked, or has no such queue.
    pub async fn ready_messages(&self, queue: &str) -> Result<u32, QueueError> {
        let channel = self.channel().await?;
        let options = QueueDeclareOptions { durable: true, passive: true, ..QueueDeclareOptions::default() };
        within(self.settings().confirm_timeout(), async {
            let declared = channel.queue_declare(queue.into(), options, FieldTable::default()).await?;
            Ok(declared.message_count())
        })
        .await
    }
}

/// 404 and 406 keep their meaning here, in the broker's own words.
fn of_declaration(error: lapin::Error) -> QueueError {
    match error.kind() {
        ErrorKind::ProtocolError(said) if matches!(said.get_id(), 404 | 406) => {
            QueueError::Topology(format!("{} {}", said.get_id(), said.get_message().as_str()))
        }
        _ => error.into(),
    }
}

fn found(answer: Result<(), QueueError>) -> Result<Found, QueueError> {
    match answer {
        Ok(()) => Ok(Found::There),
        Err(QueueError::Topology(words)) if words.starts_with("404") => Ok(Found::Missing),
        Err(QueueError::Topology(words)) => Ok(Found::Different(words)),
        Err(other) => Err(other),
    }
}
