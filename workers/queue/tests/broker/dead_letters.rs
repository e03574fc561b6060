use hirenet_queue::Outgoing;
use serde_json::json;
use uuid::Uuid;

use crate::{World, settings};

#[tokio::test]
async fn dead_letters_are_looked_at_and_taken_out_one_by_one() {
    let world = World::new(&settings()).await;
    let letter = |k: u32| {
        let content = json!({"job": k, "interview_id": format!("i-{}", k % 2)});
        Outgoing::to_dead(world.broker.names(), Uuid::new_v4(), "dead", content.to_string().into_bytes())
    };
    let letters: Vec<Outgoing> = (0..6).map(letter).collect();
    assert!(world.broker.publisher().publish_all(&letters).await.iter().all(Result::is_ok));

    let jobs = async || -> Vec<u64> {
        world.broker.dead_letters(100).await.unwrap().iter().map(|l| l.content["job"].as_u64().unwrap()).collect()
    };
    assert_eq!(jobs().await, [0, 1, 2, 3, 4, 5]);
    assert_eq!(jobs().await, [0, 1, 2, 3, 4, 5], "looking changes nothing");
    assert_eq!(world.broker.dead_letters(2).await.unwrap().len(), 2);

    let purged = world.broker.purge_dead_letters(|letter| letter["interview_id"] == "i-1").await.unwrap();
    let mut left = jobs().await;
    // Two were returned before the others: the broker may hand them out later.
    left.sort_unstable();
    assert_eq!((purged, left), (3, vec![0, 2, 4]));
    let dropped = world.broker.drop_dead_letters(|letter| letter.id == letters[2].id.to_string()).await.unwrap();
    let left = world.broker.dead_letters_that(1, |letter| letter.content["job"] == 4).await.unwrap();
    assert_eq!((dropped, left.len(), left[0].id.as_str()), (1, 1, letters[4].id.to_string().as_str()));
    let age = left[0].published.and_then(|at| at.elapsed().ok());
    assert!(age.is_some_and(|age| age.as_secs() < 600), "{age:?}");
    world.end().await;
}
