//! What is published, in order and never by two relays at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use hirenet_store::{OutboxRow, Stage};
use tokio::sync::Barrier;
use uuid::Uuid;

use crate::support::{bundle, interview, with_database};

fn ids(rows: &[OutboxRow]) -> Vec<Uuid> {
    rows.iter().map(|row| row.id).collect()
}

#[test]
fn two_relays_at_once_share_the_interviews_and_keep_each_ones_order() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        for n in 0..4 {
            db.whole(&interview("acme", &format!("i{n}")), 0.5, Vec::new()).await;
        }
        // Each holds what it took until the other has looked, too.
        let both_hold = Arc::new(Barrier::new(2));
        let relay = |store: hirenet_store::Store| {
            let both_hold = both_hold.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                let publish = |rows: Vec<OutboxRow>| {
                    seen.clone_from(&rows);
                    async move {
                        both_hold.wait().await;
                        ids(&rows)
                    }
                };
                store.relay(6, publish).await.unwrap();
                seen
            })
        };
        let (one, two) = (relay(db.store.clone()), relay(db.store.clone()));
        let (one, two) = (one.await.unwrap(), two.await.unwrap());
        assert_eq!((one.len(), two.len()), (6, 6), "an interview and a half each");
        let of = |rows: &[OutboxRow]| rows.iter().filter_map(|r| r.interview).collect::<BTreeSet<_>>();
        assert!(of(&one).is_disjoint(&of(&two)));
        let all: Vec<OutboxRow> = [one, two, db.published().await].concat();
        assert_eq!((all.len(), of(&all).len()), (16, 4));
        for interview in of(&all) {
            let kinds: Vec<_> =
                all.iter().filter(|r| r.interview == Some(interview)).map(|r| r.routing_key.as_str()).collect();
            assert_eq!(kinds, ["extract.interactive", "extract.interactive", "score.interactive", "interview.scored"]);
        }
        assert_eq!(db.count("select count(*) from hirenet.outbox").await, 0);
    });
}

#[test]
fn what_is_not_confirmed_stays_with_all_that_follows_it() {
    with_database(async |db| {
        db.register(&bundle('a')).await;
        db.whole(&interview("acme", "i1"), 0.5, Vec::new()).await;
        let all = db.published_but(&[]).await;
        let done = db.store.relay(10, |rows| async move { ids(&rows[..1]) }).await.unwrap();
        assert_eq!((done.taken, done.published), (4, 1));
        let done = db.store.relay(10, |rows| async move { ids(&rows[1..]) }).await.unwrap();
        assert_eq!((done.taken, done.published), (3, 0), "later ones wait for the first");
        assert_eq!(ids(&db.published().await), ids(&all[1..]));
    });
}

#[test]
fn a_long_outbox_is_not_read_for_each_of_its_rows() {
    const INTERVIEWS: i64 = 400;
    with_database(async |db| {
        let fill = format!(
            "insert into hirenet.outbox (key, destination, routing_key, kind, payload)
            select md5((n / 5)::text)::uuid, 'stage', 'extract.bulk', 'job', '{{}}' from generate_series(1, 5 * {INTERVIEWS}) n"
        );
        let run = async |sql: &str| sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&db.admin).await.map(drop).unwrap();
        // Statistics of a moment at which nothing waits and much has gone, as after a time without the broker.
        run(&fill).await;
        run("delete from hirenet.outbox").await;
        run("analyze hirenet.outbox").await;
        run(&fill).await;
        let done = db.store.relay(10, |rows| async move { ids(&rows) }).await.unwrap();
        assert_eq!((done.taken, done.published), (10, 10));

        db.has_counted().await;
        let looks = "select (seq_tup_read + idx_tup_fetch)::bigint + (select sum(idx_tup_read)::bigint
                from pg_stat_user_indexes where relname = 'outbox')
            from pg_stat_user_tables where relname = 'outbox'";
        // Filled and emptied twice, read in whole by two statements at the most.
        let read = db.count(looks).await;
        assert!(read < 10 * 5 * INTERVIEWS, "{read} rows were read");
    });
}

#[test]
fn nothing_is_asked_of_the_publisher_where_there_is_nothing() {
    with_database(async |db| {
        let done = db.store.relay(10, |_| async { panic!("called") }).await.unwrap();
        assert_eq!((done.taken, done.published), (0, 0));
        assert_eq!(db.store.outbox_state().await.unwrap().rows, 0);
        let id = db.admitted(&interview("acme", "i1")).await;
        assert_eq!(db.jobs(id, Stage::Extract).await.len(), 2);
        let state = db.store.outbox_state().await.unwrap();
        assert!(state.rows == 2 && state.oldest_s >= 0.0);
        // The commit has woken whoever relays.
        tokio::time::timeout(std::time::Duration::from_secs(5), db.store.outbox_filled()).await.unwrap();
    });
}
