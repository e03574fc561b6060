//! One deployment: services, a database with its roles, the queues, and the environment of the program.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hirenet_core::Secret;
use hirenet_queue::{Broker, QueueSettings};
use hirenet_tests::program;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tempfile::TempDir;

use crate::services::Services;

/// Login of the workers, and that of a recruiter.
const WORKER: &str = "load_worker";
const RECRUITER: &str = "load_recruiter";
/// For a database on the loopback address that lives as long as this process.
const PASSWORD: &str = "load";

/// A deployment that ends with this value.
#[derive(Debug)]
pub struct World {
    /// Broker and database.
    pub services: Services,
    media: TempDir,
    temporary: TempDir,
    pool: PgPool,
}

impl World {
    /// Starts the services, makes logins, and runs `hirenet setup`.
    ///
    /// # Errors
    /// Where something does not start.
    pub async fn start() -> Result<Self> {
        let services = Services::start()?;
        let server = connect(&services.postgres, 1).await?;
        sqlx::raw_sql("create database hirenet").execute(&server).await?;
        server.close().await;
        let pool = connect(&database(&services.postgres, None), 8).await?;
        let world = World { services, media: tempfile::tempdir()?, temporary: tempfile::tempdir()?, pool };
        let owner = database(&world.services.postgres, None);
        let mut setup = world.program(&["setup"]);
        let status = setup.env("HIRENET_STORE__URL", owner).status().context("`hirenet setup` cannot be started")?;
        ensure!(status.success(), "`hirenet setup` ended with {status}");
        let logins = format!(
            "create role {WORKER} login password '{PASSWORD}' in role hirenet_worker;
             create role {RECRUITER} login password '{PASSWORD}' in role hirenet_recruiter;"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(logins)).execute(&world.pool).await?;
        Ok(world)
    }

    /// The program with its addresses and folders; any setting can follow.
    #[must_use]
    pub fn program(&self, arguments: &[&str]) -> Command {
        let mut command = program::command(arguments);
        let store = database(&self.services.postgres, Some(WORKER));
        command
            .env("HIRENET_QUEUE__URL", &self.services.amqp)
            .env("HIRENET_STORE__URL", store)
            .env("HIRENET_FETCH__ALLOWED_PREFIXES", format!("[\"file://{}/\"]", self.media().display()))
            .env("HIRENET_FETCH__DIR", self.temporary())
            .env("TMPDIR", self.temporary())
            .env("HIRENET_WORK__STAND_IN", "true")
            .env("HIRENET_LOG", "error,lapin=off,object_store=off");
        command
    }

    /// The folder that recordings are read from.
    #[must_use]
    pub fn media(&self) -> &Path {
        self.media.path()
    }

    /// The folder of the workers' temporary files.
    #[must_use]
    pub fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    /// Names of what lies in the workers' folder for temporary files.
    ///
    /// # Errors
    /// Where it cannot be listed.
    pub fn files_left(&self) -> Result<Vec<PathBuf>> {
        std::fs::read_dir(self.temporary())?.map(|entry| Ok(entry?.path())).collect()
    }

    /// The database as its superuser: what the oracle sees.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The database as a recruiter of `tenant`, on one connection.
    ///
    /// # Errors
    /// Where the login cannot be made or used.
    pub async fn recruiter(&self, tenant: &str) -> Result<PgPool> {
        let known = sqlx::query("insert into hirenet.tenants (tenant) values ($1) on conflict do nothing");
        known.bind(tenant).execute(&self.pool).await?;
        sqlx::query(
            "insert into hirenet.recruiter_logins (login, tenant) values ($1, $2)
             on conflict (login) do update set tenant = excluded.tenant",
        )
        .bind(RECRUITER)
        .bind(tenant)
        .execute(&self.pool)
        .await?;
        connect(&database(&self.services.postgres, Some(RECRUITER)), 1).await
    }

    /// A connection to the broker.
    ///
    /// # Errors
    /// Where the broker cannot be reached.
    pub async fn broker(&self, name: &str) -> Result<Broker> {
        let settings = QueueSettings {
            url: Secret::new(&self.services.amqp),
            reconnect_max_s: 1.0,
            confirm_timeout_s: 60.0,
            ..QueueSettings::default()
        };
        Broker::connect(&settings, name).await.context("the broker cannot be reached")
    }
}

/// Connects to a database; connections that broke are replaced.
pub(crate) async fn connect(url: &str, connections: u32) -> Result<PgPool> {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(60))
        .connect(url)
        .await
        .context("the database cannot be reached")
}

/// The address of the database `hirenet` on the server of `url`, for another login where one is named.
pub(crate) fn database(url: &str, login: Option<&str>) -> String {
    let (server, _) = url.rsplit_once('/').unwrap_or((url, ""));
    let server = match (login, server.split_once('@')) {
        (Some(login), Some((_, host))) => format!("postgres://{login}:{PASSWORD}@{host}"),
        _ => server.to_owned(),
    };
    format!("{server}/hirenet")
}
