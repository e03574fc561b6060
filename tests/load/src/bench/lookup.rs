//! The view as a recruiter reads it, in a large table, against look-ups by primary key.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use hirenet_tests::source_dir;
use sqlx::{PgPool, Row as _};

use super::{Sizes, quantile};
use crate::report::Row;
use crate::world::World;

/// Rows that a page of the view shows.
const PAGE: i64 = 50;
/// Tenants that share the table.
const TENANTS: i64 = 10;
/// Times that each is measured.
const TURNS: usize = 100;
const TENANT: &str = "view-1";
const POSITION: &str = "p-1";

/// One of the three top spans of each row.
const SPAN: &str = r#"{"answer": "a1", "modality": "verbal", "start": 1.5, "end": 4.25, "weight": 0.31, "influence": 0.12, "text": "we looked at it together and found another way of doing it that everybody could live with"}"#;

const PAGE_QUERY: &str = "select * from hirenet.interview_results where position_id = $1 order by rank limit $2";

/// `view_vs_lookup`, with the times beside it; the plan goes to `bench-out/view-plan.txt`.
pub(super) async fn rows(world: &World, sizes: &Sizes) -> Result<Vec<Row>> {
    let [all, in_position] = sizes.assessments;
    fill(world.pool(), all, in_position).await?;
    let recruiter = world.recruiter(TENANT).await?;
    let keys: Vec<(i64,)> = sqlx::query_as("select assessment from hirenet.assessments order by random() limit 50")
        .fetch_all(world.pool())
        .await?;
    let lookups = world.pool().clone();
    let (mut views, mut floors) = (Vec::new(), Vec::new());
    for turn in 0..TURNS + 10 {
        let started = Instant::now();
        let page = sqlx::query(PAGE_QUERY).bind(POSITION).bind(PAGE).fetch_all(&recruiter).await?;
        let view = started.elapsed().as_secs_f64() * 1e3;
        ensure!(page.len() as i64 == PAGE.min(in_position), "the page has {} rows", page.len());
        let mut connection = lookups.acquire().await?;
        let started = Instant::now();
        for (key,) in &keys {
            let found = sqlx::query("select * from hirenet.assessments where assessment = $1").bind(key);
            found.fetch_one(&mut *connection).await?;
        }
        if turn >= 10 {
            views.push(view);
            floors.push(started.elapsed().as_secs_f64() * 1e3);
        }
    }
    keep_plan(&recruiter).await?;
    let (view, floor) = (quantile(&mut views, 0.95), quantile(&mut floors, 0.95));
    Ok(vec![
        Row::new("view_vs_lookup", Some(view / floor), "ratio").floor(1.0).bar("<= 10"),
        Row::new("view_p95_ms", Some(view), "ms").floor(floor),
        Row::new("view_p50_ms", Some(quantile(&mut views, 0.5)), "ms").floor(quantile(&mut floors, 0.5)),
    ])
}

/// Fills the tables with `all` assessments under the active bundle, `in_position` a position, shared out over the tenants.
async fn fill(pool: &PgPool, all: i64, in_position: i64) -> Result<()> {
    let (bundle,): (String,) = sqlx::query_as("select sha256 from hirenet.bundles where active")
        .fetch_optional(pool)
        .await?
        .context("no bundle is active: no worker has run")?;
    let positions = all / in_position / TENANTS;
    let mut transaction = pool.begin().await?;
    // The rows refer to each other by construction: the database need not look each one up.
    sqlx::query("set local session_replication_role = replica").execute(&mut *transaction).await?;
    let tenants = sqlx::query("insert into hirenet.tenants (tenant) select 'view-' || t from generate_series(1, $1) t");
    tenants.bind(TENANTS).execute(&mut *transaction).await?;
    let of_positions = [
        "insert into hirenet.positions (tenant, position_id, title)
         select 'view-' || t, 'p-' || p, 'Project manager' from generate_series(1, $1) t, generate_series(1, $2) p
         where $3 > 0",
        // Interleaved, as they come in life: neighbours of a position do not lie beside each other.
        "insert into hirenet.interviews
            (tenant, interview_id, position_id, candidate, consent, modalities, retention_days, priority, status)
         select 'view-' || t, 'p-' || p || '-' || n, 'p-' || p, 'c-' || n, '{}', '{verbal,vocal,visual}', 30, 'bulk', 'scored'
         from generate_series(1, $3) n, generate_series(1, $1) t, generate_series(1, $2) p",
    ];
    for statement in of_positions {
        let insert = sqlx::query(statement).bind(TENANTS).bind(positions).bind(in_position);
        insert.execute(&mut *transaction).await?;
    }
    let assessments = sqlx::query(
        "insert into hirenet.assessments
            (tenant, interview, position_id, bundle, status, score, completeness, ranked, reasons, top_spans, software,
             settings_sha256, input_sha256, result_sha256, document)
         select tenant, interview, position_id, $1, 'scored', random(), 1, true, '[]',
             ('[' || $2 || ',' || $2 || ',' || $2 || ']')::jsonb, 'hirenet 0.1.0', md5(interview::text), md5(interview::text),
             md5(interview::text), decode(repeat(md5(interview::text), 60), 'hex')
         from hirenet.interviews where tenant like 'view-%'",
    );
    assessments.bind(bundle).bind(SPAN).execute(&mut *transaction).await?;
    transaction.commit().await?;
    // As the database does by itself in time: without it the plan reads the tables beside the indexes.
    for table in ["hirenet.interviews", "hirenet.assessments", "hirenet.positions", "hirenet.tenants"] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("vacuum analyze {table}"))).execute(pool).await?;
    }
    Ok(())
}

/// Writes down how the database reads the page.
async fn keep_plan(recruiter: &PgPool) -> Result<()> {
    let query = format!("explain (analyze, buffers, costs off) {PAGE_QUERY}");
    let lines = sqlx::query(sqlx::AssertSqlSafe(query)).bind(POSITION).bind(PAGE).fetch_all(recruiter).await?;
    let plan: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
    let folder = source_dir().join("bench-out");
    std::fs::create_dir_all(&folder)?;
    Ok(std::fs::write(folder.join("view-plan.txt"), plan.join("\n") + "\n")?)
}
