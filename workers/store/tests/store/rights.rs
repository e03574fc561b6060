//! Who can see and do what, with queries that a curious or hostile login would write.

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use crate::support::{Db, address_as, bundle, interview, with_database};

/// A recruiter's own connection, and the role to drop at the end.
struct Login {
    name: String,
    connection: PgConnection,
}

impl Login {
    async fn new(db: &Db, role: &str, tenant: &str) -> Self {
        let name = format!("test_{}", Uuid::new_v4().simple());
        let make = format!("create role {name} login password 'test' in role {role}");
        sqlx::query(AssertSqlSafe(make)).execute(&db.admin).await.unwrap();
        sqlx::query("insert into hirenet.recruiter_logins (login, tenant) values ($1::text::name, $2)")
            .bind(&name)
            .bind(tenant)
            .execute(&db.admin)
            .await
            .unwrap();
        let connection = PgConnection::connect(&address_as(&db.address, &name, "test")).await.unwrap();
        Login { name, connection }
    }

    async fn number(&mut self, sql: &str) -> Result<i64, String> {
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::query_scalar(sql).fetch_one(&mut self.connection).await.map_err(|error| code_of(&error))
    }

    async fn run(&mut self, sql: &str) -> Result<(), String> {
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::raw_sql(sql).execute(&mut self.connection).await.map(|_| ()).map_err(|error| code_of(&error))
    }

    async fn close(self, db: &Db) {
        self.connection.close().await.unwrap();
        // The server takes a session's temporary functions away some time after its end.
        sqlx::query(AssertSqlSafe(format!("drop owned by {}", self.name))).execute(&db.admin).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("drop role {}", self.name))).execute(&db.admin).await.unwrap();
    }
}

fn code_of(error: &sqlx::Error) -> String {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default().into_owned()
}

const DENIED: &str = "42501";

async fn two_tenants(db: &Db) {
    db.register(&bundle('a')).await;
    for tenant in ["acme", "other"] {
        db.whole(&interview(tenant, "i1"), 0.7, Vec::new()).await;
    }
}

#[test]
fn a_recruiter_sees_one_tenant_whatever_is_tried() {
    with_database(async |db| {
        two_tenants(&db).await;
        let mut recruiter = Login::new(&db, "hirenet_recruiter", "acme").await;
        for view in ["interview_results", "interview_moments", "interview_transcripts"] {
            let rows = recruiter.number(&format!("select count(*) from hirenet.{view}")).await.unwrap();
            assert!(rows > 0, "{view} is empty");
            let all = "select count(*) from hirenet.interviews";
            assert_eq!(db.count(all).await, 2);
        }
        let seen = "select count(*) from hirenet.interview_results";
        for attempt in [
            "set hirenet.tenant = 'other'",
            "select set_config('hirenet.tenant', 'other', false)",
            "set search_path = pg_temp, hirenet",
            "set row_security = off",
        ] {
            recruiter.run(attempt).await.unwrap();
            let outcome = recruiter.number(&format!("{seen} where candidate = 'candidate of i1'")).await;
            // `row_security = off` makes the query fail rather than show more.
            assert!(outcome == Ok(1) || outcome == Err(DENIED.to_owned()), "{attempt}: {outcome:?}");
        }
        recruiter.run("reset row_security").await.unwrap();
        let superuser: String =
            sqlx::query_scalar("select quote_ident(current_user)").fetch_one(&db.admin).await.unwrap();
        let become_superuser = format!("set session authorization {superuser}");
        for attempt in [
            become_superuser.as_str(),
            "set role hirenet_worker",
            "set role hirenet_views",
            "set role hirenet_owner",
            "alter role current_user superuser",
            "insert into hirenet.recruiter_logins values (session_user, 'other')",
            "update hirenet.recruiter_logins set tenant = 'other'",
            "alter view hirenet.interview_results owner to current_user",
            "create table hirenet.mine (x int)",
        ] {
            assert_eq!(recruiter.run(attempt).await, Err(DENIED.to_owned()), "{attempt}");
        }
        assert_eq!(recruiter.number(seen).await, Ok(1));
        recruiter.close(&db).await;
    });
}

#[test]
fn a_leaky_function_of_a_recruiter_is_shown_no_other_row() {
    with_database(async |db| {
        two_tenants(&db).await;
        sqlx::query("update hirenet.interviews set candidate = 'hidden' where tenant = 'other'")
            .execute(&db.admin)
            .await
            .unwrap();
        let mut recruiter = Login::new(&db, "hirenet_recruiter", "acme").await;
        // A cheap function that fails on what it must never be asked about: the planner would run it first if it could.
        recruiter
            .run(
                "create function pg_temp.peek(text) returns boolean language plpgsql cost 0.0001 as $$
                begin if $1 = 'hidden' then raise exception 'seen'; end if; return true; end $$",
            )
            .await
            .unwrap();
        let peek = "select count(*) from hirenet.interview_results where pg_temp.peek(candidate)";
        assert_eq!(recruiter.number(peek).await, Ok(1));
        recruiter.close(&db).await;
    });
}

#[test]
fn a_recruiter_has_no_right_on_any_table() {
    with_database(async |db| {
        two_tenants(&db).await;
        let mut recruiter = Login::new(&db, "hirenet_recruiter", "acme").await;
        let tables: Vec<String> = sqlx::query_scalar(
            "select table_name::text from information_schema.tables
            where table_schema = 'hirenet' and table_type = 'BASE TABLE'",
        )
        .fetch_all(&db.admin)
        .await
        .unwrap();
        assert!(tables.len() >= 20);
        for table in tables {
            let found = recruiter.number(&format!("select count(*) from hirenet.{table}")).await;
            assert_eq!(found, Err(DENIED.to_owned()), "{table}");
        }
        recruiter.close(&db).await;
    });
}

#[test]
fn a_recruiter_reviews_in_the_own_name_and_tenant() {
    with_database(async |db| {
        two_tenants(&db).await;
        let only_other = interview("other", "i2");
        db.admitted(&only_other).await;
        let mut recruiter = Login::new(&db, "hirenet_recruiter", "acme").await;
        recruiter.run("select hirenet.review('i1', 'Better than that')").await.unwrap();
        assert_eq!(recruiter.run("select hirenet.review('i2')").await, Err("P0002".to_owned()));
        let overridden = "select count(*) from hirenet.interview_results
            where review = 'overridden' and override = 'Better than that' and reviewed_by = session_user";
        assert_eq!(recruiter.number(overridden).await, Ok(1));
        recruiter.close(&db).await;
    });
}

#[test]
fn a_worker_sees_the_tenant_that_it_works_for() {
    with_database(async |db| {
        two_tenants(&db).await;
        let mut worker = Login::new(&db, "hirenet_worker", "acme").await;
        sqlx::query("delete from hirenet.recruiter_logins").execute(&db.admin).await.unwrap();
        let count = "select count(*) from hirenet.interviews";
        assert_eq!(worker.number(count).await, Ok(0), "no tenant, no row");
        worker.run("set hirenet.tenant = 'other'").await.unwrap();
        assert_eq!(worker.number(count).await, Ok(1));
        let foreign = "insert into hirenet.positions values ('acme', 'p9', 'x')";
        assert_eq!(worker.run(foreign).await, Err(DENIED.to_owned()));
        worker.close(&db).await;
    });
}

#[test]
fn a_worker_has_least_rights() {
    with_database(async |db| {
        two_tenants(&db).await;
        let mut worker = Login::new(&db, "hirenet_worker", "acme").await;
        for attempt in [
            "select * from hirenet.demographics",
            "insert into hirenet.demographics values ('acme', 'i1', 'x', 'y')",
            "select * from hirenet.recruiter_logins",
            "insert into hirenet.recruiter_decisions values ('acme', 'i1', true)",
            "delete from hirenet.interviews",
            "delete from hirenet.submissions",
            "delete from hirenet.erasures",
            "delete from hirenet.audit",
            "update hirenet.audit set action = 'nothing'",
            "truncate hirenet.audit",
            "update hirenet.tenants set tenant = 'x'",
            "drop table hirenet.jobs",
            "alter table hirenet.interviews disable row level security",
            "create role somebody",
            "select hirenet.review('i1')",
            "select * from hirenet.bias_rates",
        ] {
            assert_eq!(worker.run(attempt).await, Err(DENIED.to_owned()), "{attempt}");
        }
        worker.close(&db).await;
    });
}

#[test]
fn demographics_and_decisions_are_the_tenants_own() {
    with_database(async |db| {
        two_tenants(&db).await;
        let mut saas = Login::new(&db, "hirenet_saas", "acme").await;
        saas.run("insert into hirenet.demographics values ('acme', 'i1', 'x', 'y')").await.unwrap();
        saas.run("insert into hirenet.recruiter_decisions values ('acme', 'i1', true)").await.unwrap();
        for table in ["demographics", "recruiter_decisions"] {
            let foreign = format!("insert into hirenet.{table} (tenant, interview_id) values ('other', 'i1')");
            assert_eq!(saas.run(&foreign).await, Err(DENIED.to_owned()), "{table}");
        }
        assert_eq!(saas.number("select count(*) from hirenet.interviews").await, Err(DENIED.to_owned()));
        saas.close(&db).await;
    });
}

#[test]
fn the_audit_can_be_added_to_and_nothing_else() {
    with_database(async |db| {
        two_tenants(&db).await;
        assert!(db.count("select count(*) from hirenet.audit").await > 2);
        // As the superuser: the trigger holds for everybody.
        for attempt in ["update hirenet.audit set action = 'x'", "delete from hirenet.audit", "truncate hirenet.audit"]
        {
            let error = sqlx::query(attempt).execute(&db.admin).await.unwrap_err();
            assert_eq!(code_of(&error), DENIED, "{attempt}");
        }
        // Of rows from past the floor only those beyond the set number of days go.
        sqlx::query("insert into hirenet.audit (action, at) values ('old', now() - interval '400 days')")
            .execute(&db.admin)
            .await
            .unwrap();
        let keep = hirenet_store::RetentionDays { audit: 500, ..hirenet_store::RetentionDays::default() };
        assert_eq!(db.store.retain(&keep, 10).await.unwrap().audit, 0);
        let drop = hirenet_store::RetentionDays { audit: 200, ..keep };
        assert_eq!(db.store.retain(&drop, 10).await.unwrap().audit, 1);
    });
}

#[test]
fn every_view_and_every_column_says_what_it_is() {
    with_database(async |db| {
        let silent: Vec<String> = sqlx::query_scalar(
            "select c.relname || coalesce('.' || a.attname, '') from pg_class c
            left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            where c.relnamespace = 'hirenet'::regnamespace and c.relkind = 'v'
                and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)",
        )
        .fetch_all(&db.admin)
        .await
        .unwrap();
        assert_eq!(silent, Vec::<String>::new());
        // And so does the page in docs/.
        let page = std::fs::read_to_string(hirenet_tests::source_dir().join("docs/database.md")).unwrap();
        let columns: Vec<(String, String)> = sqlx::query_as(
            "select table_name::text, column_name::text from information_schema.columns
            where table_schema = 'hirenet' and table_name in (
                select table_name from information_schema.views where table_schema = 'hirenet')",
        )
        .fetch_all(&db.admin)
        .await
        .unwrap();
        for (view, column) in &columns {
            let section = page.split(&format!("### `{view}`")).nth(1).unwrap_or_else(|| panic!("no section {view}"));
            let section = section.split("\n### ").next().unwrap();
            assert!(section.contains(&format!("`{column}`")), "{view}.{column} is not in docs/database.md");
        }
    });
}

#[test]
fn a_migration_that_has_run_runs_again_without_a_change() {
    with_database(async |db| {
        hirenet_store::Store::migrate(&crate::support::settings(&db.address)).await.unwrap();
        db.store.ready().await.unwrap();
        sqlx::query("update hirenet.schema_version set version = 99").execute(&db.admin).await.unwrap();
        assert!(matches!(db.store.ready().await, Err(hirenet_store::StoreError::Schema(_))));
    });
}
