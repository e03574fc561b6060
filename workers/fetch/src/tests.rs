use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use hirenet_core::{Code, Coded, Kind, sha256_bytes};

use crate::test_server::{Reply, TestServer};
use crate::{FetchError, FetchSettings, Fetched, Fetcher, download, store};

fn content() -> Vec<u8> {
    (0..200_000_u32).map(|i| (i * 31 % 251) as u8).collect()
}

fn settings(prefixes: &[&str], dir: &Path) -> FetchSettings {
    FetchSettings {
        allowed_prefixes: prefixes.iter().map(|&p| p.to_owned()).collect(),
        dir: dir.to_owned(),
        plain_http_on_loopback: true,
        ..FetchSettings::default()
    }
}

const MAX_BYTES: u64 = 1 << 20;

/// Fetches from a server that gives `replies`.
async fn fetch(replies: &[Reply], change: impl FnOnce(&mut FetchSettings)) -> Result<Fetched, FetchError> {
    fetch_up_to(MAX_BYTES, replies, change).await
}

async fn fetch_up_to(
    max_bytes: u64,
    replies: &[Reply],
    change: impl FnOnce(&mut FetchSettings),
) -> Result<Fetched, FetchError> {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(&content(), replies.to_vec());
    let mut settings = settings(&[&server.root()], dir.path());
    change(&mut settings);
    let fetched = Fetcher::new(&settings).unwrap().fetch(&format!("{}a.mp4", server.root()), None, max_bytes).await;
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "a temporary file has a name");
    fetched
}

#[tokio::test]
async fn a_recording_is_fetched_whole_and_can_be_opened_again_and_again() {
    let fetched = fetch(&[Reply::Whole], |_| ()).await.unwrap();
    assert_eq!(fetched.sha256(), sha256_bytes(&content()));
    assert_eq!(fetched.bytes(), content().len() as u64);
    for _ in 0..2 {
        assert_eq!(std::fs::read(fetched.path()).unwrap(), content());
    }
    let facts = std::fs::metadata(fetched.path()).unwrap();
    assert!(facts.is_file());
    assert_eq!((facts.mode() & 0o777, facts.nlink()), (0o600, 0), "open to others, or with a name");
    let path = fetched.path().to_owned();
    drop(fetched);
    assert!(std::fs::read(path).is_err(), "the content outlives its guard");
}

#[tokio::test]
async fn a_signed_address_is_asked_for_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(&content(), vec![Reply::Whole]);
    let fetcher = Fetcher::new(&settings(&[&server.root()], dir.path())).unwrap();
    fetcher.fetch(&format!("{}x%20y/a.mp4?X-Signature=a%2Fb", server.root()), None, MAX_BYTES).await.unwrap();
    assert_eq!(server.requests()[0][0], "GET /x%20y/a.mp4?X-Signature=a%2Fb HTTP/1.1");
}

#[tokio::test]
async fn statuses_tell_passing_failures_from_faults() {
    for (status, code, kind) in [
        (404, Code::MediaMissing, Kind::Faulty),
        (410, Code::MediaMissing, Kind::Faulty),
        (401, Code::MediaDenied, Kind::Unknown),
        (403, Code::MediaDenied, Kind::Unknown),
        (400, Code::MediaDenied, Kind::Unknown),
        (429, Code::FetchFailed, Kind::Passing),
        (500, Code::FetchFailed, Kind::Passing),
        (503, Code::FetchFailed, Kind::Passing),
    ] {
        let error = fetch(&[Reply::Status(status)], |_| ()).await.unwrap_err();
        assert_eq!((error.code(), error.code().kind()), (code, kind), "{status}: {error}");
    }
}

#[tokio::test]
async fn a_hiccup_of_the_server_is_overcome_at_once() {
    assert!(fetch(&[Reply::Status(503), Reply::Whole], |_| ()).await.is_ok());
}

#[tokio::test]
async fn limits_hold() {
    let one_less = content().len() as u64 - 1;
    let error = fetch_up_to(one_less, &[Reply::Whole], |_| ()).await.unwrap_err();
    assert_eq!(error, FetchError::TooLarge { max_bytes: one_less });
    let error = fetch(&[Reply::Stalls], |s| s.stall_s = 0.05).await.unwrap_err();
    assert_eq!(error, FetchError::Timeout);
    let error = fetch(&[Reply::Stalls], |s| s.timeout_s = 0.05).await.unwrap_err();
    assert_eq!(error, FetchError::Timeout);
}

#[tokio::test]
async fn half_a_recording_is_none() {
    let error = fetch(&[Reply::Cut], |_| ()).await.unwrap_err();
    assert_eq!(error.code(), Code::FetchFailed, "{error}");
    let error = fetch(&[Reply::WithoutLength], |_| ()).await.unwrap_err();
    assert_eq!(error.code(), Code::MediaDenied, "{error}");
}

#[tokio::test]
async fn nobody_listens() {
    let dir = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let root = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let error = Fetcher::new(&settings(&[&root], dir.path())).unwrap().fetch(&root, None, MAX_BYTES).await.unwrap_err();
    assert_eq!(error.code(), Code::FetchFailed, "{error}");
}

#[tokio::test]
async fn redirects_stay_under_the_allowed_prefixes() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = TestServer::start(b"secret", vec![Reply::Whole]);
    let outside = format!("{}a.mp4", elsewhere.root());
    for place in [outside.as_str(), "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "/other/a.mp4"] {
        let server = TestServer::start(&content(), vec![Reply::Moved(place.to_owned())]);
        let fetcher = Fetcher::new(&settings(&[&format!("{}media/", server.root())], dir.path())).unwrap();
        let error = fetcher.fetch(&format!("{}media/a.mp4", server.root()), None, MAX_BYTES).await.unwrap_err();
        assert_eq!(error, FetchError::NotAllowed, "{place}");
    }
    assert!(elsewhere.requests().is_empty());
    let server = TestServer::start(&content(), vec![Reply::Moved("/media/b.mp4".to_owned()), Reply::Whole]);
    let fetcher = Fetcher::new(&settings(&[&format!("{}media/", server.root())], dir.path())).unwrap();
    assert!(fetcher.fetch(&format!("{}media/a.mp4", server.root()), None, MAX_BYTES).await.is_ok());
    let server = TestServer::start(&content(), vec![Reply::Moved("/a.mp4".to_owned())]);
    let fetcher = Fetcher::new(&settings(&[&server.root()], dir.path())).unwrap();
    assert_eq!(
        fetcher.fetch(&format!("{}a.mp4", server.root()), None, MAX_BYTES).await.unwrap_err(),
        FetchError::NotAllowed
    );
}

#[tokio::test]
async fn the_hash_decides() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(&content(), vec![Reply::Whole]);
    let fetcher = Fetcher::new(&settings(&[&server.root()], dir.path())).unwrap();
    let address = format!("{}a.mp4", server.root());
    assert!(fetcher.fetch(&address, Some(&sha256_bytes(&content()).to_uppercase()), MAX_BYTES).await.is_ok());
    assert_eq!(fetcher.fetch(&address, Some(&sha256_bytes(b"x")), MAX_BYTES).await.unwrap_err(), FetchError::Hash);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_a_passing_fault() {
    let error = fetch(&[Reply::Whole], |s| s.dir = "/proc/none".into()).await;
    assert_eq!(error.unwrap_err().code().kind(), Kind::Passing);
}

#[tokio::test]
async fn local_recordings_are_read_where_they_lie() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let media = root.join("media");
    std::fs::create_dir(&media).unwrap();
    std::fs::write(media.join("a b.mp4"), content()).unwrap();
    std::fs::write(root.join("secret.mp4"), b"secret").unwrap();
    symlink(root.join("secret.mp4"), media.join("link.mp4")).unwrap();
    std::fs::create_dir(media.join("folder.mp4")).unwrap();
    let fetcher = Fetcher::new(&settings(&[&format!("file://{}/", media.display())], dir.path())).unwrap();
    let address = |name: &str| format!("file://{}/{name}", media.display());

    let fetched = fetcher.fetch(&address("a%20b.mp4"), Some(&sha256_bytes(&content())), MAX_BYTES).await.unwrap();
    assert_eq!(fetched.path(), media.join("a b.mp4"));
    for (name, error) in [
        ("link.mp4", FetchError::NotAllowed),
        ("none.mp4", FetchError::Missing),
        ("folder.mp4", FetchError::Unreadable),
        ("a%20b.mp4/x", FetchError::Unreadable),
    ] {
        assert_eq!(fetcher.fetch(&address(name), None, MAX_BYTES).await.unwrap_err(), error, "{name}");
    }
    let error = fetcher.fetch(&address("a%20b.mp4"), None, 10).await.unwrap_err();
    assert_eq!(error, FetchError::TooLarge { max_bytes: 10 });
}

#[tokio::test]
async fn no_error_tells_an_address() {
    let dir = tempfile::tempdir().unwrap();
    for reply in [Reply::Status(404), Reply::Status(403), Reply::Status(500), Reply::Cut, Reply::Moved("/x".to_owned())]
    {
        let server = TestServer::start(&content(), vec![reply]);
        let fetcher = Fetcher::new(&settings(&[&format!("{}jane-doe/", server.root())], dir.path())).unwrap();
        let error = fetcher.fetch(&format!("{}jane-doe/a.mp4", server.root()), None, MAX_BYTES).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("jane") && !text.contains("127.0.0.1"), "{text}");
    }
}

#[tokio::test]
async fn an_object_store_is_asked_with_a_signature() {
    for (address, environment, signature) in [
        (
            "s3://interviews/a/b.mp4",
            vec![
                ("AWS_ACCESS_KEY_ID", "key"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
                ("AWS_REGION", "eu-central-1"),
                ("AWS_ALLOW_HTTP", "true"),
                ("AWS_ENDPOINT", ""),
            ],
            "authorization: AWS4-HMAC-SHA256 ",
        ),
        (
            "az://interviews/a/b.mp4",
            vec![
                ("AZURE_STORAGE_ACCOUNT_NAME", "account"),
                ("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0"),
                ("AZURE_ALLOW_HTTP", "true"),
                ("AZURE_STORAGE_ENDPOINT", ""),
            ],
            "authorization: SharedKey account:",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let server = TestServer::start(&content(), vec![Reply::Whole]);
        let fetcher = Fetcher::new(&settings(&["s3://interviews/", "az://interviews/"], dir.path())).unwrap();
        let url = url::Url::parse(address).unwrap();
        // An empty value stands for the server's own address.
        let root = server.root().trim_end_matches('/').to_owned();
        let environment = environment
            .into_iter()
            .map(|(key, value)| (key.to_owned(), if value.is_empty() { root.clone() } else { value.to_owned() }));
        let (store, path) = store::open(&url, &fetcher.clients, environment).unwrap();
        let fetched = download::download(&*store, &path, &fetcher.settings, MAX_BYTES).await.unwrap();
        assert_eq!(fetched.sha256(), sha256_bytes(&content()));
        let request = &server.requests()[0];
        assert!(request[0].starts_with("GET /") && request[0].contains("interviews/a/b.mp4"), "{request:?}");
        assert!(request.iter().any(|line| line.to_lowercase().starts_with(&signature.to_lowercase())), "{request:?}");
    }
}

#[tokio::test]
async fn a_store_speaks_plain_http_only_where_its_own_settings_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(&content(), vec![Reply::Whole]);
    let fetcher = Fetcher::new(&settings(&["s3://interviews/"], dir.path())).unwrap();
    let environment = [
        ("AWS_ACCESS_KEY_ID", "key".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ("AWS_ENDPOINT", server.root()),
    ];
    let environment = environment.into_iter().map(|(key, value)| (key.to_owned(), value));
    let url = url::Url::parse("s3://interviews/a.mp4").unwrap();
    let (store, path) = store::open(&url, &fetcher.clients, environment).unwrap();
    assert!(download::download(&*store, &path, &fetcher.settings, MAX_BYTES).await.is_err());
    assert!(server.requests().is_empty());
}
