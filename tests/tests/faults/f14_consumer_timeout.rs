//! F14: the broker takes jobs away before they may be done.

use crate::support::{World, ended};

#[tokio::test]
async fn f14_a_consumer_timeout_of_a_minute_is_told_at_the_start() {
    let world = World::new().await;
    let (status, said) = ended(world.command(["work"]).env("HIRENET_QUEUE__CONSUMER_TIMEOUT_S", "60"));
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("consumer_timeout") && said.contains("60 s"), "{said}");
    world.end().await;
}
