use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use hirenet_core::Code;
use hirenet_queue::{Priority, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;

use super::events::{DeliveryTaken, JobEnded, JobRunning, Outcome};
use super::{Health, HttpServer, HttpSettings, Part, metrics};

/// Status and body of `GET path`.
async fn get(server: &HttpServer, path: &str) -> (u16, String) {
    let mut stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

async fn serve(health: &Arc<Health>) -> HttpServer {
    let settings = HttpSettings { listen: "127.0.0.1:0".to_owned(), ..HttpSettings::default() };
    HttpServer::start(&settings, Arc::clone(health), None).await.unwrap().unwrap()
}

#[tokio::test]
async fn ready_means_that_every_part_is_there() {
    let health = Arc::new(Health::new(Duration::from_secs(60)));
    let server = serve(&health).await;
    assert_eq!(get(&server, "/readyz").await, (503, "missing: broker, database, models, intake\n".to_owned()));
    for part in [Part::Broker, Part::Database, Part::Models, Part::Intake] {
        health.set(part, true);
    }
    assert_eq!(get(&server, "/readyz").await, (200, "ready\n".to_owned()));
    health.set(Part::Intake, false);
    assert_eq!(get(&server, "/readyz").await.0, 503);
    // A worker that ends or waits for the broker is no worker to be killed.
    assert_eq!(get(&server, "/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(get(&server, "/other").await.0, 404);
}

#[tokio::test]
async fn a_worker_without_a_beat_hangs() {
    let health = Arc::new(Health::new(Duration::ZERO));
    health.beat();
    assert_eq!(get(&serve(&health).await, "/healthz").await, (503, "hangs\n".to_owned()));
}

#[tokio::test]
async fn events_are_counted_under_the_names_of_the_table() {
    let server = serve(&Arc::new(Health::new(Duration::from_secs(60)))).await;
    let (job, interview) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let running = JobRunning::start(Stage::Extract, job, interview, 1);
    let waited = Some(Duration::from_millis(7));
    DeliveryTaken { stage: Stage::Extract, priority: Priority::Bulk, redelivered: true, waited }.emit();
    let outcome = Outcome::Retry(Code::FetchFailed, Duration::from_secs(5));
    JobEnded { stage: Stage::Extract, job, interview, outcome, took: Duration::from_secs(1) }.emit();

    let (status, text) = get(&server, "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "hirenet_jobs_running{stage=\"extract\"} 1",
        "hirenet_deliveries_total{stage=\"extract\",priority=\"bulk\",redelivered=\"yes\"} 1",
        "hirenet_queue_wait_seconds_bucket{stage=\"extract\",priority=\"bulk\",le=\"0.01\"} 1",
        "hirenet_failures_total{stage=\"extract\",code=\"fetch_failed\"} 1",
        "hirenet_retries_total{stage=\"extract\"} 1",
        "# TYPE hirenet_job_seconds histogram",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    assert!(!text.contains(&job.to_string()) && !text.contains(&interview.to_string()));
    drop(running);
    assert!(get(&server, "/metrics").await.1.contains("hirenet_jobs_running{stage=\"extract\"} 0"));

    let known: BTreeSet<&str> = metrics::ALL.iter().map(|metric| metric.name).collect();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap();
        assert!(known.contains(name), "{name} is not in the table");
    }
}

#[tokio::test]
async fn every_family_of_the_process_is_there_before_anything_happened() {
    let server = serve(&Arc::new(Health::new(Duration::from_secs(60)))).await;
    let text = get(&server, "/metrics").await.1;
    // Those behind it come from the database.
    let own = metrics::ALL.iter().take_while(|metric| metric.name != metrics::DATABASE_UP);
    for metric in own {
        assert!(text.contains(&format!("# TYPE {} ", metric.name)), "{} is missing", metric.name);
    }
    for line in [
        "hirenet_connections_lost_total{peer=\"database\"} 0",
        "hirenet_erased_interviews_total{cause=\"retention\"} 0",
        "hirenet_leases_lost_total{stage=\"score\"} 0",
        "hirenet_dead_letters_total{stage=\"admit\",code=\"delivery_limit\"} 0",
        "hirenet_job_seconds_count{stage=\"score\",outcome=\"lease_lost\"} 0",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}

#[test]
fn names_follow_the_rule() {
    for metric in metrics::ALL {
        let total = metric.name.ends_with("_total");
        assert!(metric.name.starts_with("hirenet_"), "{}", metric.name);
        assert_eq!(total, metric.kind == metrics::Type::Counter, "{}", metric.name);
        if metric.kind == metrics::Type::Histogram {
            assert!(["_seconds", "_ratio"].iter().any(|unit| metric.name.ends_with(unit)), "{}", metric.name);
        }
    }
}

#[test]
fn the_manual_lists_every_metric_and_no_other() {
    let manual = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md")).unwrap();
    let listed: Vec<&str> = manual.lines().filter(|line| line.starts_with("| `hirenet_")).collect();
    let expected: Vec<String> = metrics::ALL
        .iter()
        .map(|metric| {
            let labels = metric.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
            format!(
                "| `{}` | {} | {labels} | {} |",
                metric.name,
                format!("{:?}", metric.kind).to_lowercase(),
                metric.meaning
            )
        })
        .collect();
    assert_eq!(listed, expected, "docs/operations.md should have\n{}", expected.join("\n"));
}

#[test]
fn dashboard_and_manifests_use_metrics_that_exist() {
    let deploy = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy"));
    let known: BTreeSet<&str> = metrics::ALL.iter().map(|metric| metric.name).collect();
    let mut used = BTreeSet::new();
    let mut folders = vec![deploy.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            used.extend(words.filter(|word| word.starts_with("hirenet_")).map(str::to_owned));
        }
    }
    let base = |name: &str| ["_bucket", "_sum", "_count"].iter().find_map(|s| name.strip_suffix(s)).map(str::to_owned);
    // Roles and logins of the database share the prefix.
    let roles = ["hirenet_worker", "hirenet_owner", "hirenet_recruiter", "hirenet_login"];
    let unknown: Vec<_> = used
        .iter()
        .filter(|name| !roles.contains(&name.as_str()) && !known.contains(name.as_str()))
        .filter(|name| !base(name).is_some_and(|name| known.contains(name.as_str())))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(used.iter().filter(|name| known.contains(name.as_str())).count() >= 10, "{used:?}");
}
