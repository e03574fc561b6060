use std::io::Write;
use std::path::Path;

use crate::AnalyzeError;

/// Writes `bytes` to `path` whole or not at all: a temporary neighbour is renamed into place.
///
/// # Errors
/// [`AnalyzeError::Output`] where it cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), AnalyzeError> {
    let failed = |error: std::io::Error| AnalyzeError::Output { path: path.to_path_buf(), detail: error.to_string() };
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = std::fs::File::create(&part).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&part, path).map_err(failed)
}

/// Removes the files of `folder` with this extension; a folder that is not there holds none.
///
/// # Errors
/// [`AnalyzeError::Output`] where the folder cannot be read or a file cannot be removed.
pub(crate) fn remove_files(folder: &Path, extension: &str) -> Result<(), AnalyzeError> {
    let failed = |path: &Path, error: &std::io::Error| AnalyzeError::Output {
        path: path.to_path_buf(),
        detail: error.to_string(),
    };
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|error| failed(folder, &error))?,
    };
    for entry in entries {
        let path = entry.map_err(|error| failed(folder, &error))?.path();
        if path.extension().is_some_and(|e| e == extension) {
            std::fs::remove_file(&path).map_err(|error| failed(&path, &error))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_with_the_extension_go() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.safetensors", "b.txt"] {
            write_whole(&dir.path().join(name), b"x").unwrap();
        }
        remove_files(dir.path(), "safetensors").unwrap();
        let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["b.txt"]);
        remove_files(&dir.path().join("nowhere"), "safetensors").unwrap();
    }
}
