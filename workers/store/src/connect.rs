use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio::sync::Notify;

use crate::bundles::AskedByBundle;
use crate::kept::Kept;
use crate::turns::Turns;
use crate::{StoreError, StoreSettings};

/// The migrations of the folder `migrations/`, as they were when the program was built.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// A connection that has not been used for so long is asked whether it still answers before a statement is given to it.
/// Under load none is: the statement that meets a lost one fails, as one does that the loss meets.
const UNSURE_AFTER: Duration = Duration::from_secs(1);
/// Longest time for the one connection that says why there is none.
const LONGEST_TRIAL: Duration = Duration::from_secs(5);

/// The database, seen by a worker. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: PgPool,
    pub(crate) kept: Kept,
    pub(crate) turns: Turns,
    pub(crate) filled: Arc<Notify>,
    pub(crate) asked_by_bundle: AskedByBundle,
    pub(crate) max_alone_deaths: i32,
}

impl Store {
    /// Opens the pool; its first connection is tried at once.
    ///
    /// # Errors
    /// [`StoreError::Setting`], or why the database cannot be reached.
    pub async fn connect(settings: &StoreSettings) -> Result<Store, StoreError> {
        let options = options(settings.address()?.expose())?.application_name("hirenet");
        let milliseconds = |seconds: f64| format!("{}ms", (seconds * 1000.0) as u64);
        let options = options.options([
            ("statement_timeout", milliseconds(settings.statement_timeout_s).as_str()),
            ("idle_in_transaction_session_timeout", milliseconds(settings.idle_transaction_timeout_s).as_str()),
            ("search_path", "hirenet"),
        ]);
        let role = settings.role.clone();
        let patience = Duration::from_secs_f64(settings.acquire_timeout_s);
        let pool = PgPoolOptions::new()
            .max_connections(settings.connections)
            .acquire_timeout(patience)
            .test_before_acquire(false)
            .before_acquire(|connection, idle| {
                Box::pin(async move {
                    if idle.idle_for > UNSURE_AFTER {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(move |connection, _| {
                let role = role.clone();
                Box::pin(async move {
                    if !role.is_empty() {
                        // set_config takes the role as a parameter, where SET ROLE would take it as text.
                        let set = sqlx::query("select set_config('role', $1, false)").bind(role);
                        connection.execute(set).await?;
                    }
                    Ok(())
                })
            })
            .connect_with(options.clone())
            .await;
        let pool = match pool {
            // The pool tries again until its time is over, and does not say what it met.
            Err(sqlx::Error::PoolTimedOut) => return Err(why_unreachable(&options, patience).await),
            other => other?,
        };
        Ok(Store {
            kept: Kept::of(&pool),
            turns: Turns::default(),
            pool,
            filled: Arc::default(),
            asked_by_bundle: AskedByBundle::default(),
            max_alone_deaths: settings.max_alone_deaths,
        })
    }

    /// Brings the schema up to this program's version, as the owner. Running it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Schema`] where the database has been migrated by a newer program, or why it cannot be reached.
    pub async fn migrate(settings: &StoreSettings) -> Result<(), StoreError> {
        // The migrator's own table lies where the search path begins: for a login named like our schema, that would be
        // another place before the schema is made than after.
        let options = options(settings.owner_address()?.expose())?.options([("search_path", "public")]);
        let mut connection = PgConnection::connect_with(&options).await?;
        MIGRATIONS.run(&mut connection).await?;
        Ok(connection.close().await?)
    }

    /// One round trip: the database answers, and its schema is the one that this program knows.
    ///
    /// # Errors
    /// [`StoreError::Schema`] where it is not, or why the database cannot be reached.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let found = sqlx::query_scalar!("select version from hirenet.schema_version").fetch_one(&self.pool).await?;
        let wanted = MIGRATIONS.iter().map(|m| m.version).max().unwrap_or_default();
        if i64::from(found) == wanted {
            return Ok(());
        }
        Err(StoreError::Schema(format!("it has version {found}, this program needs {wanted}: run `hirenet setup`")))
    }

    /// Is woken when this process has committed rows of the outbox: the worker that committed relays at once.
    pub async fn outbox_filled(&self) {
        self.filled.notified().await;
    }

    /// True where this process has committed rows of the outbox since it was last asked, or woken.
    #[must_use]
    pub fn outbox_was_filled(&self) -> bool {
        pin!(self.filled.notified()).enable()
    }

    /// Closes the pool, waiting for the connections in use.
    pub async fn close(&self) {
        let closing = self.pool.close();
        self.kept.clear();
        closing.await;
    }
}

/// What a single connection meets where the pool found none in time. The system's words name no address and no password.
async fn why_unreachable(options: &PgConnectOptions, patience: Duration) -> StoreError {
    let silent = || StoreError::Unavailable(format!("it did not answer within {} s", patience.as_secs_f64()));
    match tokio::time::timeout(patience.min(LONGEST_TRIAL), PgConnection::connect_with(options)).await {
        Ok(Err(sqlx::Error::Io(error))) => StoreError::Unavailable(error.to_string()),
        Ok(Err(error)) => error.into(),
        // It is there after all, and was too slow.
        Ok(Ok(_)) | Err(_) => silent(),
    }
}

fn options(address: &str) -> Result<PgConnectOptions, StoreError> {
    // An error would quote the address, and with it the password. The parser takes any scheme.
    let is_postgres = address.starts_with("postgres://") || address.starts_with("postgresql://");
    let parsed = is_postgres.then(|| address.parse().ok()).flatten();
    parsed.ok_or_else(|| {
        StoreError::setting("url", "is no address of PostgreSQL, of the form postgres://user:password@host/database")
    })
}

#[cfg(test)]
mod tests {
    use hirenet_core::{Code, Coded, Secret};

    use super::*;

    async fn refused(url: &str) -> StoreError {
        let settings = StoreSettings { url: Secret::new(url), acquire_timeout_s: 0.5, ..StoreSettings::default() };
        Store::connect(&settings).await.expect_err("nothing is there")
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_without_being_told() {
        for url in ["notaurl:hunter2", "hunter2", "mysql://u:hunter2@localhost/db", "postgres://u:hunter2@host:port/db"]
        {
            let error = refused(url).await;
            assert_eq!(error.code(), Code::ConfigInvalid, "{error}");
            let sentence = error.to_string();
            assert!(sentence.contains("no address of PostgreSQL") && !sentence.contains("hunter2"), "{sentence}");
        }
    }

    #[tokio::test]
    async fn a_database_that_is_not_there_is_told_with_its_cause() {
        // Free a moment ago, so nobody listens there.
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map(|a| a.port());
        let port = port.expect("a port");
        let error = refused(&format!("postgres://u:hunter2@127.0.0.1:{port}/db")).await;
        assert_eq!(error.code(), Code::StoreUnavailable, "{error}");
        let sentence = error.to_string();
        assert!(sentence.contains("refused") && !sentence.contains("hunter2"), "{sentence}");
    }
}
