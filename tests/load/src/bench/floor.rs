//! What broker and database cost without the program: the same messages and commits, and no logic.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::StreamExt;
use futures_util::future::{join_all, try_join_all};
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::world::{World, database};

const QUEUE: &str = "floor";
/// About as long as the messages between stages.
const MESSAGE: &[u8] = &[b'x'; 160];

/// What one interview costs in messages and commits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Messages that are published with a confirm, delivered and acknowledged.
    pub(super) messages: usize,
    /// Transactions that write.
    pub(super) commits: usize,
    /// Transactions that only read.
    pub(super) reads: usize,
}

/// A broker connection with one channel and one queue, and a pool of database connections with one table.
pub(super) struct Floor {
    _connection: Connection,
    channel: Channel,
    consumer: Consumer,
    pool: PgPool,
}

impl Floor {
    /// Declares queue and table, with `connections` to the database.
    pub(super) async fn new(world: &World, connections: u32) -> Result<Self> {
        let connection = Connection::connect(&world.services.amqp, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await?;
        channel.queue_declare(QUEUE.into(), durable, arguments).await?;
        channel.basic_qos(200, BasicQosOptions::default()).await?;
        let consumer = channel
            .basic_consume(QUEUE.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default())
            .await?;
        // As the program's own under load: no connection is asked whether it still answers.
        let pool = PgPoolOptions::new().max_connections(connections).test_before_acquire(false);
        let pool = pool.connect(&database(&world.services.postgres, None)).await?;
        let table = "create schema if not exists floor;
            create table if not exists floor.rows (id bigserial primary key, content text not null)";
        sqlx::raw_sql(table).execute(&pool).await?;
        Ok(Floor { _connection: connection, channel, consumer, pool })
    }

    /// Publishes one message and waits for its confirm.
    pub(super) async fn publish(&self) -> Result<()> {
        let properties = BasicProperties::default().with_delivery_mode(2);
        let confirm = self
            .channel
            .basic_publish("".into(), QUEUE.into(), BasicPublishOptions::default(), MESSAGE, properties)
            .await?;
        match confirm.await? {
            Confirmation::Ack(None) => Ok(()),
            _ => bail!("a message was not confirmed"),
        }
    }

    /// One transaction that writes one row.
    pub(super) async fn commit(&self) -> Result<()> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("insert into floor.rows (content) values ($1)")
            .bind("a row of about the length of a job's")
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// One transaction that reads one row.
    async fn read(&self) -> Result<()> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("select content from floor.rows where id = 1").fetch_optional(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Takes so many messages and acknowledges each.
    async fn take(&mut self, messages: usize) -> Result<()> {
        for _ in 0..messages {
            let delivery = self.consumer.next().await.context("the consumer has ended")??;
            delivery.ack(BasicAckOptions::default()).await?;
        }
        Ok(())
    }

    /// The time of so many publishes with their confirms, commits and reads, one after the other.
    pub(super) async fn one_after_the_other(&mut self, cost: Cost) -> Result<Duration> {
        let started = Instant::now();
        for _ in 0..cost.messages {
            self.publish().await?;
        }
        for _ in 0..cost.commits {
            self.commit().await?;
        }
        for _ in 0..cost.reads {
            self.read().await?;
        }
        let took = started.elapsed();
        self.take(cost.messages).await?;
        Ok(took)
    }

    /// Interviews a second: `tasks` at once, each publishing the messages of an interview in one go and committing its
    /// transactions one after the other, while the messages are taken and acknowledged.
    pub(super) async fn throughput(&mut self, interviews: usize, tasks: usize, cost: Cost) -> Result<f64> {
        let started = Instant::now();
        let next = AtomicUsize::new(0);
        let work = async |floor: &Floor| -> Result<()> {
            while next.fetch_add(1, Ordering::Relaxed) < interviews {
                for confirmed in join_all((0..cost.messages).map(|_| floor.publish())).await {
                    confirmed?;
                }
                for _ in 0..cost.commits {
                    floor.commit().await?;
                }
                for _ in 0..cost.reads {
                    floor.read().await?;
                }
            }
            Ok(())
        };
        let mut consumer = self.consumer.clone();
        let take = async {
            for _ in 0..interviews * cost.messages {
                let delivery = consumer.next().await.context("the consumer has ended")??;
                delivery.ack(BasicAckOptions::default()).await?;
            }
            anyhow::Ok(())
        };
        let floor = &*self;
        let workers = async { try_join_all((0..tasks).map(|_| work(floor))).await.map(drop) };
        tokio::try_join!(workers, take)?;
        Ok(interviews as f64 / started.elapsed().as_secs_f64())
    }
}
