//! F2: a job that kills its worker again and again.

use serde_json::Value;

use crate::support::{World, answer, ended, interview};

#[tokio::test]
async fn f02_a_job_that_kills_its_worker_ends_in_the_dead_letters_and_takes_nothing_with_it() {
    let mut world = World::new().await;
    // A stand-in for native code that dies on this recording.
    let (killer, good) = (world.media("a1.mp4", "abort"), world.media("a2.mp4", "two"));
    let deadly = world.submit(&interview(&[answer("a1", &killer), answer("a2", &good)])).await;
    let neighbour = world.submit(&interview(&[answer("a1", &good)])).await;

    let mut deaths = 0;
    let event = loop {
        let mut worker = world.worker_with(&["--slots", "2", "--drain"], &[]);
        let status = worker.ended().await;
        if status.success() {
            break world.event(deadly).await;
        }
        assert_eq!(status.code(), None, "it dies by a signal: {}", worker.log());
        deaths += 1;
        assert!(deaths < 10, "nobody gives the job up");
    };
    // Once beside others; then alone until it was given up.
    assert_eq!(deaths, 3);
    assert_eq!(event["event"], "interview.partial");
    world.settle(&[(deadly, "partial"), (neighbour, "scored")]).await;

    let failed = world.database.texts("select code from hirenet.jobs where state = 'failed'").await;
    assert_eq!(failed, ["worker_died"]);
    let alone = world
        .database
        .texts(
            "select a.alone::text from hirenet.attempts a join hirenet.jobs j using (job)
        where j.state = 'failed' and a.outcome = 'died' order by attempt",
        )
        .await;
    assert_eq!(alone, ["false", "true", "true"]);
    let letters = world.broker.dead_letters(10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].content["code"], "worker_died");

    // The history is there for who wants to know, and another chance ends anew.
    let job = world.database.texts("select job::text from hirenet.jobs where state = 'failed'").await.remove(0);
    let (status, shown) = ended(&mut world.command(["dead", "show", &job, "--json"]));
    assert_eq!(status, 0, "{shown}");
    let shown: Value = serde_json::from_str(&shown).unwrap();
    // A claim that turned out to need the worker for itself was handed back first: that is no death.
    let attempts = shown["attempts"].as_array().unwrap();
    assert_eq!(attempts.iter().filter(|attempt| attempt["outcome"] == "died").count(), 3, "{shown}");
    world.media("a1.mp4", "mended");
    let (status, said) = ended(&mut world.command(["dead", "replay", &job]));
    assert_eq!(status, 0, "{said}");
    world.drain().await;
    let replayed =
        world.database.texts("select job_id::text from hirenet.submissions where request = 'replayed'").await.remove(0);
    let event = world.event(replayed.parse().unwrap()).await;
    assert_eq!(event["event"], "interview.scored");
    assert_eq!(world.broker.dead_letters(10).await.unwrap(), []);
    world.end().await;
}
