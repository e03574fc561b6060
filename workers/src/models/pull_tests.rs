use std::path::{Path, PathBuf};
use std::time::Duration;

use hirenet_core::{Code, Coded, sha256_bytes};
use tempfile::TempDir;

use super::pull::PullReport;
use super::test_server::{Reply, TestServer};
use super::{Manifest, ModelsError, Pull, State};

/// Long enough for several reads and writes.
fn content() -> Vec<u8> {
    (0..700_001_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

struct Folder {
    dir: TempDir,
    manifest: Manifest,
}

impl Folder {
    /// A models' folder whose manifest has the one model of [`content`], served at `url`.
    fn new(url: &str, download: bool) -> Self {
        Folder::with(url, download, "shipped = false\n")
    }

    /// The same with `more` lines in the model's entry.
    fn with(url: &str, download: bool, more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "[[model]]\nname = \"model\"\nrole = \"speech\"\nfile = \"model.bin\"\nbytes = {}\nsha256 = \"{}\"\n\
             source = \"{url}\"\ndownload = {download}\nlicence = \"MIT\"\norigin = \"\"\ncontract = \"\"\n{more}",
            content().len(),
            sha256_bytes(&content())
        );
        std::fs::write(dir.path().join("manifest.toml"), text).unwrap();
        let manifest = Manifest::load(dir.path()).unwrap();
        Folder { dir, manifest }
    }

    fn pull(&self, mirror: Option<&Path>) -> PullReport<'_> {
        let pull = Pull::new(&self.manifest, mirror).with_idle_timeout(Duration::from_millis(500));
        pull.run(self.manifest.entries(), &mut |_, _| {})
    }

    /// Pulls, and gives the error that the one model failed with.
    fn failure(&self, mirror: Option<&Path>) -> ModelsError {
        let mut report = self.pull(mirror);
        assert!(report.fetched.is_empty() && report.present.is_empty());
        assert_eq!(self.state(), State::Missing, "nothing stands under the final name");
        report.failed.pop().unwrap().1
    }

    fn state(&self) -> State {
        self.manifest.verify(&self.manifest.entries()[0])
    }

    fn part(&self) -> PathBuf {
        self.dir.path().join("model.bin.part")
    }
}

fn served(replies: &[Reply]) -> (TestServer, Folder) {
    let server = TestServer::start(&content(), replies);
    let folder = Folder::new(&server.url(), true);
    (server, folder)
}

#[test]
fn a_file_is_fetched_once_and_counted_while_it_comes() {
    let (server, folder) = served(&[Reply::Ranged]);
    let mut seen = Vec::new();
    let pull = Pull::new(&folder.manifest, None);
    let report = pull.run(folder.manifest.entries(), &mut |entry, bytes| seen.push((entry.name.clone(), bytes)));
    assert_eq!((report.fetched.len(), report.failed.len()), (1, 0));
    assert_eq!(seen.last(), Some(&("model".to_owned(), content().len() as u64)));
    assert!(seen.is_sorted_by_key(|(_, bytes)| *bytes));
    assert_eq!(folder.state(), State::Whole);
    assert!(!folder.part().exists());
    assert_eq!(server.finish(), [None]);
    assert_eq!(folder.pull(None).present.len(), 1, "the server is gone and not asked again");
}

#[test]
fn a_cut_connection_is_continued_where_it_broke() {
    let (server, folder) = served(&[Reply::CutAfter(300_000), Reply::CutAfter(100_000), Reply::Ranged]);
    assert_eq!(folder.pull(None).fetched.len(), 1);
    assert_eq!(folder.state(), State::Whole);
    assert_eq!(server.finish(), [None, Some(300_000), Some(400_000)]);
}

#[test]
fn what_an_ended_process_left_is_continued() {
    let (server, folder) = served(&[Reply::Ranged]);
    std::fs::write(folder.part(), &content()[..123_456]).unwrap();
    assert_eq!(folder.pull(None).fetched.len(), 1);
    assert_eq!(folder.state(), State::Whole);
    assert_eq!(server.finish(), [Some(123_456)]);
}

#[test]
fn a_whole_part_file_needs_no_server() {
    let folder = Folder::new("http://127.0.0.1:9/model.bin", true);
    std::fs::write(folder.part(), content()).unwrap();
    assert_eq!(folder.pull(None).fetched.len(), 1);
    assert_eq!(folder.state(), State::Whole);
}

#[test]
fn a_redirection_is_followed_with_the_offset() {
    let (server, folder) = served(&[Reply::CutAfter(300_000), Reply::Moved, Reply::Ranged]);
    assert_eq!(folder.pull(None).fetched.len(), 1);
    assert_eq!(folder.state(), State::Whole);
    assert_eq!(server.finish(), [None, Some(300_000), Some(300_000)]);
}

#[test]
fn a_server_without_ranges_starts_again() {
    let (server, folder) = served(&[Reply::CutAfter(300_000), Reply::WithoutRanges]);
    assert_eq!(folder.pull(None).fetched.len(), 1);
    assert_eq!(folder.state(), State::Whole);
    server.finish();
}

#[test]
fn a_server_that_dies_leaves_only_the_part_file() {
    let (server, folder) = served(&[Reply::CutAfter(300_000), Reply::CutAfter(0)]);
    assert_eq!(folder.failure(None).code(), Code::DownloadFailed);
    assert_eq!(std::fs::read(folder.part()).unwrap(), content()[..300_000]);
    server.finish();
}

#[test]
fn wrong_bytes_are_thrown_away() {
    let (server, folder) = served(&[Reply::WrongBytes]);
    let error = folder.failure(None);
    assert_eq!(error.code(), Code::ModelCorrupt);
    assert!(error.to_string().contains("sha256"), "{error}");
    assert!(!folder.part().exists());
    server.finish();
}

#[test]
fn a_server_that_sends_too_much_is_cut() {
    let (server, folder) = served(&[Reply::TooMuch(5_000_000)]);
    let error = folder.failure(None);
    assert_eq!(error.code(), Code::ModelCorrupt);
    assert!(error.to_string().contains("more than its 700001 bytes"), "{error}");
    assert!(!folder.part().exists());
    server.finish();
}

#[test]
fn statuses_and_silence_are_said() {
    let (server, folder) = served(&[Reply::Status(404), Reply::Silence]);
    let missing = folder.failure(None);
    assert_eq!(missing.code(), Code::DownloadFailed);
    assert!(missing.to_string().contains("404"), "{missing}");
    assert!(!folder.part().exists(), "an empty part file is not left");
    let silent = folder.failure(None);
    assert_eq!(silent.code(), Code::DownloadFailed);
    assert!(silent.to_string().contains("timeout"), "{silent}");
    server.finish();
}

#[test]
fn a_damaged_file_is_replaced() {
    let (server, folder) = served(&[Reply::Ranged]);
    std::fs::write(folder.dir.path().join("model.bin"), "damaged").unwrap();
    assert!(matches!(folder.state(), State::Corrupt { .. }));
    assert_eq!(folder.pull(None).fetched.len(), 1);
    assert_eq!(folder.state(), State::Whole);
    server.finish();
}

#[test]
fn a_mirror_serves_without_a_network() {
    let (folder, mirror) = (Folder::new("https://models.example/model", false), tempfile::tempdir().unwrap());
    std::fs::write(mirror.path().join("model.bin"), content()).unwrap();
    std::fs::write(folder.part(), "of another attempt").unwrap();
    assert_eq!(folder.pull(Some(mirror.path())).fetched.len(), 1);
    assert_eq!(folder.state(), State::Whole);
}

#[test]
fn a_mirror_that_lacks_or_spoils_a_file_is_named_and_the_network_is_not_asked() {
    let (folder, mirror) = (Folder::new("http://127.0.0.1:9/model.bin", true), tempfile::tempdir().unwrap());
    let missing = folder.failure(Some(mirror.path()));
    assert_eq!(missing.code(), Code::ModelMissing);
    assert!(missing.to_string().contains("model.bin is not in the mirror"), "{missing}");
    for spoiled in [&content()[1..], &[content().as_slice(), &[0]].concat(), &vec![7; content().len()]] {
        std::fs::write(mirror.path().join("model.bin"), spoiled).unwrap();
        assert_eq!(folder.failure(Some(mirror.path())).code(), Code::ModelCorrupt);
        assert!(!folder.part().exists());
    }
}

#[test]
fn a_mirror_may_hold_an_equal_file_and_only_a_whole_one() {
    let older = [content(), vec![1; 9]].concat();
    let equal =
        format!("shipped = false\nequal = [{{ bytes = {}, sha256 = \"{}\" }}]\n", older.len(), sha256_bytes(&older));
    let (folder, mirror) = (Folder::with("-", false, &equal), tempfile::tempdir().unwrap());
    for spoiled in [vec![7; older.len()], older[1..].to_vec()] {
        std::fs::write(mirror.path().join("model.bin"), spoiled).unwrap();
        assert_eq!(folder.failure(Some(mirror.path())).code(), Code::ModelCorrupt);
    }
    std::fs::write(mirror.path().join("model.bin"), &older).unwrap();
    assert_eq!(folder.pull(Some(mirror.path())).fetched.len(), 1);
    assert_eq!(folder.state(), State::Equal);
    assert_eq!(folder.pull(None).present.len(), 1, "it serves, and is not fetched again");
}

#[test]
fn what_is_shipped_comes_from_the_programs_own_folder_where_no_mirror_has_it() {
    let (folder, empty) = (Folder::with("-", false, "shipped = true\n"), tempfile::tempdir().unwrap());
    let own = tempfile::tempdir().unwrap();
    let pull = |mirror| {
        let pull = Pull::new(&folder.manifest, mirror).with_installed(Some(own.path().to_path_buf()));
        let report = pull.run(folder.manifest.entries(), &mut |_, _| {});
        (report.installed.len(), report.failed.len())
    };
    std::fs::write(own.path().join("model.bin"), "damaged").unwrap();
    assert_eq!(pull(Some(empty.path())), (0, 1));
    assert_eq!(folder.state(), State::Missing);
    std::fs::write(own.path().join("model.bin"), content()).unwrap();
    assert_eq!(pull(Some(empty.path())), (1, 0));
    assert_eq!(folder.state(), State::Whole);
}

#[test]
fn a_model_that_no_address_serves_is_named() {
    let error = Folder::new("https://models.example/repository", false).failure(None);
    assert_eq!(error.code(), Code::ModelMissing);
    assert!(error.to_string().contains("model.bin cannot be downloaded"), "{error}");
}

#[test]
fn two_processes_never_write_one_file() {
    let folder = Folder::new("http://127.0.0.1:9/model.bin", true);
    let other = std::fs::File::create(folder.part()).unwrap();
    other.lock().unwrap();
    assert_eq!(folder.failure(None).code(), Code::ResourceExhausted);
    assert!(folder.part().exists());
}
