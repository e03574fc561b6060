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
