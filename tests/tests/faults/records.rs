//! What people read and operators do, from the command line, of what a worker has stored.

use std::fs;

use hirenet_tests::program::{Run, finish};
use serde_json::Value;

use crate::support::{World, answer, interview};

fn run(world: &World, arguments: &[&str]) -> Run {
    let run = finish(&mut world.command(arguments));
    assert_eq!(run.status, 0, "{arguments:?}: {}", run.stderr);
    run
}

#[tokio::test]
async fn what_was_stored_is_read_exported_checked_and_erased() {
    let mut world = World::new().await;
    let recordings = [world.media("1", "first"), world.media("2", "second")];
    let message = interview(&[answer("a1", &recordings[0]), answer("a2", &recordings[1])]);
    let id = message["interview_id"].as_str().unwrap().to_owned();
    let job_id = world.submit(&message).await;
    world.drain().await;
    let event = world.event(job_id).await;

    let rows = run(&world, &["results", "--position", "p-1", "--json"]).stdout;
    let row: Value = serde_json::from_str(rows.trim()).unwrap();
    assert_eq!(
        (&row["interview_id"], &row["status"], &row["rank"]),
        (&id.as_str().into(), &event["status"], &1.into())
    );
    let table = run(&world, &["results"]).stdout;
    assert!(table.contains(&id) && table.contains("not yet reviewed"), "{table}");
    assert!(!run(&world, &["results", "--position", "other"]).stdout.contains(&id));
    for column in ["bundle_sha256", "software", "final_at"] {
        assert!(row[column].is_string(), "{column}: {row}");
    }
    for column in ["override", "reviewed_by", "reviewed_at"] {
        assert!(row.get(column).is_some_and(Value::is_null), "{column}: {row}");
    }

    let page = world.dir.path().join("page.html");
    run(&world, &["report", "--interview", &id, "--out", page.to_str().unwrap()]);
    assert!(fs::read_to_string(&page).unwrap().contains("Sales assistant"));

    let bundles: Value = serde_json::from_str(&run(&world, &["bundles", "list", "--json"]).stdout).unwrap();
    assert_eq!((bundles.as_array().unwrap().len(), &bundles[0]["active"]), (1, &true.into()));
    let sha256 = bundles[0]["bundle"]["sha256"].as_str().unwrap();
    let compared = run(&world, &["bundles", "compare", sha256, &sha256[..12], "--json"]).stdout;
    let compared: Value = serde_json::from_str(&compared).unwrap();
    assert_eq!((&compared["interviews"], &compared["flips"]), (&1.into(), &0.into()));

    let out = world.dir.path().join("dataset");
    let none = run(&world, &["export", "--out", out.to_str().unwrap()]).stdout;
    assert!(none.contains("0 interviews with a decision") && none.contains("1 without"), "{none}");
    let decided = "insert into hirenet.recruiter_decisions (tenant, interview_id, selected)
        select tenant, interview_id, true from hirenet.interviews";
    world.database.run(decided).await;
    run(&world, &["export", "--out", out.to_str().unwrap()]);
    let record: Value = serde_json::from_str(&fs::read_to_string(out.join("interviews.jsonl")).unwrap()).unwrap();
    assert_eq!((&record["label"], &record["position"]["title"]), (&1.into(), &"Sales assistant".into()));
    let header: Value = serde_json::from_str(&fs::read_to_string(out.join("dataset.json")).unwrap()).unwrap();
    assert_eq!(header["schemas"]["vocal"]["id"], "vocal/lld51/1");
    for answer in record["answers"].as_array().unwrap() {
        let file = fs::read(out.join(answer["file"].as_str().unwrap())).unwrap();
        let length = usize::try_from(u64::from_le_bytes(file[..8].try_into().unwrap())).unwrap();
        let tensors: Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
        for name in ["verbal", "verbal_valid", "vocal", "visual", "question", "title"] {
            assert!(tensors[name]["shape"][0].as_u64().unwrap() > 0, "{name}");
        }
    }

    let erased = run(&world, &["erase", "--interview", &id]).stdout;
    assert!(erased.contains("erased 1 interviews"), "{erased}");
    run(&world, &["export", "--out", out.to_str().unwrap()]);
    assert_eq!(fs::read_dir(out.join("answers")).unwrap().count(), 0, "tracks of an erased interview are left");
    fs::write(out.join("notes.txt"), "mine").unwrap();
    let refused = finish(&mut world.command(["export", "--out", out.to_str().unwrap()]));
    assert!(refused.status == 2 && refused.stderr.contains("notes.txt"), "{}", refused.stderr);
    world.settle(&[(job_id, event["status"].as_str().unwrap())]).await;
    assert!(!world.database.everything().await.contains(message["candidate"].as_str().unwrap()));
    let gone = finish(&mut world.command(["report", "--interview", &id, "--out", page.to_str().unwrap()]));
    assert_eq!(gone.status, 3, "{}", gone.stderr);
    world.end().await;
}

#[tokio::test]
async fn a_broken_invariant_is_printed_with_its_number() {
    let mut world = World::new().await;
    let media = world.media("1", "first");
    world.submit(&interview(&[answer("a1", &media)])).await;
    world.drain().await;
    world.database.run("update hirenet.assessments set result_sha256 = 'another'").await;
    let found = finish(&mut world.command(["check", "--json"]));
    assert_eq!(found.status, 5, "{}", found.stderr);
    let rows: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(rows[0]["invariant"], 23);
    assert!(found.stderr.contains("invariant_broken"), "{}", found.stderr);
    world.end().await;
}

#[tokio::test]
async fn a_recruiter_is_refused_another_tenants_results() {
    let mut world = World::new().await;
    let media = world.media("1", "first");
    let message = interview(&[answer("a1", &media)]);
    world.submit(&message).await;
    world.drain().await;
    let login = format!("test_{}", uuid::Uuid::new_v4().simple());
    let make = format!(
        "create role {login} login password 'test' in role hirenet_recruiter;
        insert into hirenet.recruiter_logins values ('{login}', 'acme')"
    );
    world.database.run_text(&make).await;
    let (_, place) = world.database.url.rsplit_once('@').unwrap();
    let url = format!("postgres://{login}:test@{place}");
    let results = |arguments: &[&str]| {
        let mut command = world.command(["results"].iter().chain(arguments));
        finish(command.env("HIRENET_STORE__URL", &url).env("HIRENET_STORE__ROLE", ""))
    };
    let own = results(&["--tenant", "acme"]);
    assert!(own.status == 0 && own.stdout.contains(message["interview_id"].as_str().unwrap()), "{}", own.stderr);
    let other = results(&["--tenant", "beta"]);
    assert_eq!((other.status, other.stdout.as_str()), (2, ""), "{}", other.stderr);
    assert!(other.stderr.contains("usage_invalid") && other.stderr.contains("acme"), "{}", other.stderr);
    world.database.run_text(&format!("drop owned by {login}; drop role {login}")).await;
    world.end().await;
}
