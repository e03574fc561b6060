//! A database of a test's own, looked at as its owner.

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, Row};
use uuid::Uuid;

pub(crate) struct Database {
    server: PgConnectOptions,
    name: String,
    /// Address that programs are given.
    pub(crate) url: String,
    pool: PgPool,
}

impl Database {
    pub(crate) async fn new(server_url: &str) -> Database {
        let server: PgConnectOptions = server_url.parse().unwrap();
        let name = format!("test_{}", Uuid::new_v4().simple());
        let mut connection = PgConnection::connect_with(&server).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await.unwrap();
        let (base, _) = server_url.rsplit_once('/').unwrap();
        // A test may set the database read-only; its own connections still write.
        let options = server.clone().database(&name).options([("default_transaction_read_only", "off")]);
        let pool = PgPoolOptions::new().max_connections(2).connect_lazy_with(options);
        Database { server, url: format!("{base}/{name}"), name, pool }
    }

    /// The one number that a query gives.
    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        sqlx::query(query).fetch_one(&self.pool).await.unwrap().get(0)
    }

    /// The one text that a query gives for a job id of a message.
    pub(crate) async fn text(&self, query: &'static str, job_id: Uuid) -> Option<String> {
        let row = sqlx::query(query).bind(job_id).fetch_optional(&self.pool).await.unwrap();
        row.and_then(|row| row.get(0))
    }

    /// The rows of a query, each one text.
    pub(crate) async fn texts(&self, query: &'static str) -> Vec<String> {
        sqlx::query(query).fetch_all(&self.pool).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// Number of rows of a table.
    pub(crate) async fn rows_of(&self, table: &str) -> i64 {
        let query = AssertSqlSafe(format!("select count(*) from hirenet.{table}"));
        sqlx::query(query).fetch_one(&self.pool).await.unwrap().get(0)
    }

    pub(crate) async fn run(&self, statement: &'static str) {
        sqlx::raw_sql(statement).execute(&self.pool).await.unwrap();
    }

    /// Runs statements that a test has put together.
    pub(crate) async fn run_text(&self, statements: &str) {
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&self.pool).await.unwrap();
    }

    /// Every text of every column of every table, to look for something that must not be there.
    pub(crate) async fn everything(&self) -> String {
        let tables = self
            .texts(
                "select table_name::text from information_schema.tables
            where table_schema = 'hirenet' and table_type = 'BASE TABLE'",
            )
            .await;
        let mut all = String::new();
        for table in tables {
            let query =
                AssertSqlSafe(format!("select coalesce(string_agg(t::text, chr(10)), '') from hirenet.{table} t"));
            let text: String = sqlx::query(query).fetch_one(&self.pool).await.unwrap().get(0);
            all.push_str(&text);
            all.push('\n');
        }
        all
    }

    pub(crate) async fn drop(self) {
        self.pool.close().await;
        let mut connection = PgConnection::connect_with(&self.server).await.unwrap();
        let drop = AssertSqlSafe(format!("drop database {} with (force)", self.name));
        sqlx::query(drop).execute(&mut connection).await.unwrap();
    }
}
