//! F10: the clock of a worker's machine jumps.

use std::path::PathBuf;
use std::process::Command;

use crate::support::{World, answer, interview};

/// A library that adds forty days to what the machine's clock says, to a program that is started with it.
fn forty_days_ahead(world: &World) -> PathBuf {
    const SOURCE: &str = r"
        #define _GNU_SOURCE
        #include <sys/syscall.h>
        #include <time.h>
        #include <unistd.h>
        int clock_gettime(clockid_t clock, struct timespec *now) {
            int result = syscall(SYS_clock_gettime, clock, now);
            if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += 40L * 86400;
            return result;
        }";
    let (source, library) = (world.dir.path().join("clock.c"), world.dir.path().join("clock.so"));
    std::fs::write(&source, SOURCE).unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status().unwrap();
    assert!(built.success());
    library
}

#[tokio::test]
async fn f10_leases_and_retention_do_not_look_at_the_workers_clock() {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "one");
    let ahead = forty_days_ahead(&world);
    let mut barrier = world.barrier();
    let [point, file] = crate::support::stop_at("extract:before_commit", &barrier);
    // Its retention runs all the time; interviews are kept for thirty days.
    let every = ("HIRENET_RETENTION__INTERVAL_S", std::ffi::OsStr::new("0.05"));
    let lease = ("HIRENET_WORK__LEASE_S", std::ffi::OsStr::new("600"));
    let jumped = world.worker_with(&[], &[("LD_PRELOAD", ahead.as_os_str()), point, file, every, lease]);
    let job_id = world.submit(&interview(&[answer("a1", &media)])).await;
    barrier.reached().await;
    // A lease that was given by this clock would have weeks left, or be over.
    let left = world
        .database
        .count(
            "select extract(epoch from lease_until - clock_timestamp())::bigint from hirenet.jobs
        where state = 'running'",
        )
        .await;
    assert!((500..=600).contains(&left), "{left} s");
    jumped.go_on();
    assert_eq!(world.event(job_id).await["event"], "interview.scored");
    assert_eq!(world.database.count("select count(*) from hirenet.interviews where status = 'scored'").await, 1);
    jumped.stop().await;
    world.settle(&[(job_id, "scored")]).await;
    assert_eq!(world.database.count("select count(*) from hirenet.erasures").await, 0, "nothing is forty days old");
    world.end().await;
}
