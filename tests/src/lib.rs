//! Support for the tests of every room. Nothing here is part of the program.

pub mod assessment;
pub mod program;
pub mod schemas;
pub mod services;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hirenet_onnx::{Device, ModelFile, OnnxSettings, Runtime};

/// The source folder of the project.
#[must_use]
pub fn source_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// A model file that the repository ships.
#[must_use]
pub fn model(name: &str) -> ModelFile {
    ModelFile::unverified(source_dir().join("models").join(name))
}

/// The one ONNX Runtime of this test process, on the CPU.
///
/// # Panics
/// Where `make setup` has not been run.
#[must_use]
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let library = source_dir().join(".runtime/libonnxruntime.so");
        let settings = OnnxSettings { library, device: Device::Cpu, ..OnnxSettings::default() };
        Runtime::start(&settings).unwrap_or_else(|error| panic!("{error}; run `make setup` first"))
    })
}

/// A file of the folder `shared` beside the clone (or of `HIRENET_SHARED`), or `None` where it is missing: the caller
/// returns then, and the skip is counted aloud at the end of `make test`.
///
/// `#[track_caller]` names the skipped test's place.
#[must_use]
#[track_caller]
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("HIRENET_SHARED").map_or_else(|| source_dir().join("../shared"), PathBuf::from);
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    let place = std::panic::Location::caller();
    skipped(&format!("{}:{} needs shared/{path}", place.file(), place.line()));
    None
}

/// Records a skipped test: printed here, and counted by `make test` through the file `HIRENET_SKIPPED`, which gets a
/// line with the test's package and name, a tab, and the reason.
///
/// # Panics
/// Where that file cannot be written.
pub fn skipped(why: &str) {
    eprintln!("SKIPPED {why}");
    if let Some(list) = std::env::var_os("HIRENET_SKIPPED") {
        // Cargo names the package to the tests that it runs, and the test harness names each thread after its test.
        let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
        let thread = std::thread::current();
        let line = format!("{package} {}\t{why}\n", thread.name().unwrap_or("test"));
        let written =
            std::fs::OpenOptions::new().create(true).append(true).open(list).map(|mut f| f.write_all(line.as_bytes()));
        assert!(matches!(written, Ok(Ok(()))), "the list of skipped tests cannot be written");
    }
}
