//! With real recordings, real models and the real decoder.

use std::ffi::OsStr;
use std::fs;

use hirenet_tests::source_dir;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Worker, World, ended, stop_at};

/// The sample, as `submit` sends it, under a name of its own.
fn sample(world: &World) -> (Uuid, std::path::PathBuf) {
    let text = fs::read_to_string(source_dir().join("samples/interview.json")).unwrap();
    let mut interview: Value = serde_json::from_str(&text).unwrap();
    let job_id = Uuid::new_v4();
    interview["job_id"] = json!(job_id);
    for answer in interview["answers"].as_array_mut().unwrap() {
        let name = answer["media"].as_str().unwrap().to_owned();
        fs::copy(source_dir().join("samples").join(&name), world.dir.path().join("media").join(&name)).unwrap();
    }
    let file = world.dir.path().join("media/interview.json");
    fs::write(&file, interview.to_string()).unwrap();
    (job_id, file)
}

fn real<'a>() -> [(&'a str, &'a OsStr); 2] {
    [("HIRENET_WORK__STAND_IN", OsStr::new("false")), ("HIRENET_WORK__LEASE_S", OsStr::new("5"))]
}

#[tokio::test]
async fn f01_with_real_media_killed_in_the_middle_and_ended_by_two_others() {
    let mut world = World::new().await;
    let (job_id, file) = sample(&world);
    let mut barrier = world.barrier();
    let environment = [real().as_slice(), &stop_at("extract:after_decode", &barrier)].concat();
    let first = world.worker_with(&[], &environment);
    let (status, said) = ended(world.command(["submit"]).arg(&file));
    assert_eq!(status, 0, "{said}");
    barrier.reached().await;
    first.kill();

    let workers = [world.worker_with(&[], &real()), world.worker_with(&[], &real())];
    let event = world.event(job_id).await;
    assert_eq!(event["event"], "interview.scored", "{event}");
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(world.database.rows_of("tracks").await, 6, "voice and face of three answers");
    let words =
        world.database.texts("select text from hirenet.transcripts order by answer").await.join(" ").to_lowercase();
    assert!(words.contains("team"), "{words}");
    // The score is the one that the command gives without any daemon.
    let out = world.dir.path().join("out");
    let (status, said) = ended(world.command(["analyze"]).arg(&file).arg("--out").arg(&out));
    assert_eq!(status, 0, "{said}");
    let direct: Value = serde_json::from_str(&fs::read_to_string(out.join("assessment.json")).unwrap()).unwrap();
    let stored = world.database.texts("select score::text from hirenet.assessments").await;
    let stored: f64 = stored[0].parse().unwrap();
    assert!((stored - direct["score"].as_f64().unwrap()).abs() < 1e-9, "{stored} against {}", direct["score"]);
    world.settle(&[(job_id, "scored")]).await;
    world.end().await;
}

/// The decoder's child of a worker that stands still.
fn decoder_of(worker: &Worker) -> Pid {
    let children = format!("/proc/{0}/task", worker.id());
    let mut ids = Vec::new();
    for task in fs::read_dir(children).unwrap() {
        let list = fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
        ids.extend(list.split_whitespace().map(|id| id.parse::<i32>().unwrap()));
    }
    assert_eq!(ids.len(), 1, "one recording is decoded");
    Pid::from_raw(ids[0]).unwrap()
}

#[tokio::test]
async fn f07_a_decoder_that_hangs_is_killed_and_its_neighbours_are_whole() {
    let mut world = World::new().await;
    let (job_id, file) = sample(&world);
    let mut barrier = world.barrier();
    let stall = [("HIRENET_MEDIA__MAX_STALL_S", OsStr::new("6"))];
    let environment = [real().as_slice(), &stall, &stop_at("extract:after_probe", &barrier)].concat();
    let worker = world.worker_with(&[], &environment);
    let (status, said) = ended(world.command(["submit"]).arg(&file));
    assert_eq!(status, 0, "{said}");
    barrier.reached().await;
    let decoder = decoder_of(&worker);
    kill_process(decoder, Signal::STOP).unwrap();
    worker.go_on();

    let event = world.event(job_id).await;
    assert_eq!(event["event"], "interview.partial", "{event}");
    assert!(fs::metadata(format!("/proc/{}", decoder.as_raw_nonzero())).is_err(), "the decoder is gone");
    let reasons =
        world.database.texts("select distinct r->>'code' from hirenet.answers, jsonb_array_elements(reasons) r").await;
    assert!(reasons.contains(&"limit_time".to_owned()), "{reasons:?}");
    assert_eq!(world.database.count("select count(*) from hirenet.transcripts").await, 2, "the other answers");
    worker.stop().await;
    world.settle(&[(job_id, "partial")]).await;
    world.end().await;
}
