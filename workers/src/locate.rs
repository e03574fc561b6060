//! Where configuration, models and ONNX Runtime are found, from any working directory.
//!
//! The order is the same for all three: flag, environment, beside the executable, then the source folder known at build
//! time. Flag and environment are taken at their word; the other places count only where the thing is there.

use std::path::{Path, PathBuf};

/// The source folder that this program was built from.
fn source_dir() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The folder of the executable, symbolic links followed.
fn executable_dir() -> Option<PathBuf> {
    let executable = std::env::current_exe().ok()?.canonicalize().ok()?;
    executable.parent().map(Path::to_path_buf)
}

/// The first of the places where `name` lies: beside the executable (or in `beside` there), then in the source folder.
fn find(name: &str, in_source: &str) -> Option<PathBuf> {
    let beside = executable_dir().map(|dir| dir.join(name));
    let candidates = beside.into_iter().chain([source_dir().join(in_source)]);
    candidates.into_iter().find(|path| path.exists()).map(|path| path.canonicalize().unwrap_or(path))
}

/// `config.toml`; `None`: the built-in defaults, which are the same.
pub(crate) fn config(flag: Option<&Path>) -> Option<PathBuf> {
    flag.map(Path::to_path_buf)
        .or_else(|| std::env::var_os("HIRENET_CONFIG").map(PathBuf::from))
        .or_else(|| find("config.toml", "config.toml"))
}

/// The folder of model files with its `manifest.toml`.
pub(crate) fn models(configured: &Path) -> PathBuf {
    if configured.as_os_str().is_empty() {
        find("models", "models").unwrap_or_else(|| PathBuf::from("models"))
    } else {
        configured.to_path_buf()
    }
}

/// ONNX Runtime's shared library.
pub(crate) fn onnx_library(configured: &Path) -> PathBuf {
    if !configured.as_os_str().is_empty() {
        return configured.to_path_buf();
    }
    std::env::var_os("ORT_DYLIB_PATH")
        .map(PathBuf::from)
        .or_else(|| find("libonnxruntime.so", ".runtime/libonnxruntime.so"))
        .unwrap_or_else(|| PathBuf::from("libonnxruntime.so"))
}
