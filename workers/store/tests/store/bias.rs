//! Bias views against counts made by hand.

use sqlx::Row;

use crate::support::{Db, bundle, with_database};

/// One row of a bias view, as text: category, n, hits, rate, excluded, ratio, below four fifths.
type Shown = (String, i64, i64, String, bool, Option<String>, Option<bool>);

/// Scored interviews straight into the tables: category, score, selected.
async fn sample(db: &Db, people: &[(Option<&str>, f64, Option<bool>)]) {
    db.register(&bundle('a')).await;
    let mut sex = Vec::new();
    let mut scores = Vec::new();
    let mut selected = Vec::new();
    for (category, score, decision) in people {
        sex.push(*category);
        scores.push(*score);
        selected.push(*decision);
    }
    let sql = "with t as (insert into hirenet.tenants values ('acme') on conflict do nothing),
        p as (insert into hirenet.positions values ('acme', 'p1', 'x') on conflict do nothing),
        people as (
            select gen_random_uuid() as interview, 'i' || n as id, sex, score, selected
            from unnest($1::text[], $2::float8[], $3::boolean[]) with ordinality as u(sex, score, selected, n)),
        i as (
            insert into hirenet.interviews (interview, tenant, interview_id, position_id, candidate, consent, modalities,
                retention_days, priority, status)
            select interview, 'acme', id, 'p1', 'c', '{}', '{verbal}', 9, 'bulk', 'scored' from people),
        d as (
            insert into hirenet.demographics (tenant, interview_id, sex, race_ethnicity)
            select 'acme', id, sex, 'one' from people where sex is not null),
        r as (
            insert into hirenet.recruiter_decisions (tenant, interview_id, selected)
            select 'acme', id, selected from people where selected is not null)
        insert into hirenet.assessments (tenant, interview, position_id, bundle, status, score, completeness, ranked, reasons,
            top_spans, software, settings_sha256, input_sha256, result_sha256, document)
        select 'acme', interview, 'p1', repeat('a', 64), 'scored', score, 1, true, '[]', '[]', 'x', 'x', 'x', 'x', ''
        from people";
    sqlx::query(sql).bind(sex).bind(scores).bind(selected).execute(&db.admin).await.unwrap();
}

async fn shown(db: &Db, view: &str, hits: &str, rate: &str) -> Vec<Shown> {
    let sql = format!(
        "select set_config('hirenet.tenant', 'acme', true), category, n, {hits} as hits, round({rate}::numeric, 4)::text as rate,
            excluded, round(impact_ratio::numeric, 4)::text as ratio, below_four_fifths
        from hirenet.{view} where grouping = 'sex' order by category"
    );
    let mut tx = db.admin.begin().await.unwrap();
    sqlx::query("select set_config('hirenet.tenant', 'acme', true)").execute(&mut *tx).await.unwrap();
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut *tx).await.unwrap();
    rows.iter()
        .map(|r| {
            let below = r.get("below_four_fifths");
            (r.get("category"), r.get("n"), r.get("hits"), r.get("rate"), r.get("excluded"), r.get("ratio"), below)
        })
        .collect()
}

async fn scoring(db: &Db) -> Vec<Shown> {
    shown(db, "bias_scoring", "n_above_median", "scoring_rate").await
}

async fn selection(db: &Db) -> Vec<Shown> {
    shown(db, "bias_selection", "n_selected", "selection_rate").await
}

fn row(category: &str, n: i64, hits: i64, rate: &str, ratio: Option<&str>) -> Shown {
    let below = ratio.map(|ratio| ratio.parse::<f64>().unwrap() < 0.8);
    (category.to_owned(), n, hits, rate.to_owned(), ratio.is_none(), ratio.map(str::to_owned), below)
}

#[test]
fn a_score_on_the_median_is_not_above_it_and_ties_share_the_best_rate() {
    with_database(async |db| {
        // Scores 0.1 0.5 0.5 0.5 0.9 0.9: the median is 0.5, and the three on it do not count.
        let people =
            [("f", 0.1), ("f", 0.5), ("f", 0.9), ("m", 0.5), ("m", 0.5), ("m", 0.9)].map(|(c, s)| (Some(c), s, None));
        sample(&db, &people).await;
        let third = "0.3333";
        assert_eq!(scoring(&db).await, [row("f", 3, 1, third, Some("1.0000")), row("m", 3, 1, third, Some("1.0000"))]);
    });
}

#[test]
fn unknown_categories_are_counted_and_stay_out_of_the_ratio() {
    with_database(async |db| {
        let mut people = vec![(None, 0.9, Some(true)); 4];
        people.extend([(Some("f"), 0.8, Some(true)), (Some("f"), 0.1, Some(false))]);
        people.extend([(Some("m"), 0.2, Some(true)), (Some("m"), 0.1, None), (Some("m"), 0.1, None)]);
        sample(&db, &people).await;
        assert_eq!(
            selection(&db).await,
            [
                row("f", 2, 1, "0.5000", Some("1.0000")),
                row("m", 3, 1, "0.3333", Some("0.6667")),
                row("unknown", 4, 4, "1.0000", None),
            ]
        );
        let undecided = "select n_undecided from hirenet.bias_selection where grouping = 'sex' and category = 'm'";
        let mut tx = db.admin.begin().await.unwrap();
        sqlx::query("select set_config('hirenet.tenant', 'acme', true)").execute(&mut *tx).await.unwrap();
        assert_eq!(sqlx::query_scalar::<_, i64>(undecided).fetch_one(&mut *tx).await.unwrap(), 2);
    });
}

#[test]
fn one_group_is_its_own_best_and_no_group_is_no_row() {
    with_database(async |db| {
        assert_eq!(scoring(&db).await, []);
        sample(&db, &[(Some("f"), 0.2, None), (Some("f"), 0.8, None)]).await;
        assert_eq!(scoring(&db).await, [row("f", 2, 1, "0.5000", Some("1.0000"))]);
        // Nobody selected: no best rate, so no ratio, and nothing is excluded.
        let nobody = ("f".to_owned(), 2, 0, "0.0000".to_owned(), false, None, None);
        assert_eq!(selection(&db).await, [nobody]);
    });
}

#[test]
fn below_two_percent_is_left_out_and_two_percent_is_not() {
    with_database(async |db| {
        // 1000 people: 19 are 1.9 %, 20 are 2.0 %.
        let mut people = vec![(Some("x"), 0.9, Some(true)); 19];
        people.extend(vec![(Some("y"), 0.9, Some(true)); 20]);
        people.extend((0..961).map(|n| (Some("m"), 0.1, Some(n % 2 == 0))));
        sample(&db, &people).await;
        assert_eq!(
            selection(&db).await,
            [
                row("m", 961, 481, "0.5005", Some("0.5005")),
                row("x", 19, 19, "1.0000", None),
                row("y", 20, 20, "1.0000", Some("1.0000")),
            ]
        );
    });
}

#[test]
fn the_test_statistic_is_the_textbooks() {
    with_database(async |db| {
        // 30 of 50 against 20 of 50: pooled z = 2, p = 0.0455.
        let of = |category, n: usize, hits| (0..n).map(move |i| (Some(category), 0.5, Some(i < hits)));
        let people: Vec<_> = of("f", 50, 20).chain(of("m", 50, 30)).collect();
        sample(&db, &people).await;
        let mut tx = db.admin.begin().await.unwrap();
        sqlx::query("select set_config('hirenet.tenant', 'acme', true)").execute(&mut *tx).await.unwrap();
        let p: f64 =
            sqlx::query_scalar("select p_value from hirenet.bias_selection where grouping = 'sex' and category = 'f'")
                .fetch_one(&mut *tx)
                .await
                .unwrap();
        assert!((p - 0.045_500_3).abs() < 1e-6, "{p}");
    });
}

#[test]
fn the_year_runs_from_december_to_november() {
    with_database(async |db| {
        sample(&db, &[(Some("f"), 0.2, None), (Some("f"), 0.8, None)]).await;
        for (id, at) in [("i1", "2025-11-30T23:59:59Z"), ("i2", "2025-12-01T00:00:00Z")] {
            sqlx::query("update hirenet.interviews set received_at = $2::timestamptz where interview_id = $1")
                .bind(id)
                .bind(at)
                .execute(&db.admin)
                .await
                .unwrap();
        }
        let mut tx = db.admin.begin().await.unwrap();
        sqlx::query("select set_config('hirenet.tenant', 'acme', true)").execute(&mut *tx).await.unwrap();
        let years: Vec<String> = sqlx::query_scalar(
            "select period_start || ' to ' || period_end from hirenet.bias_scoring where grouping = 'sex' order by 1",
        )
        .fetch_all(&mut *tx)
        .await
        .unwrap();
        assert_eq!(years, ["2024-12-01 to 2025-11-30", "2025-12-01 to 2026-11-30"]);
    });
}
