//! Files that are there whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Result, TrainError};

/// Writes a file by way of `NAME.part`, which is put on the disk before it takes the name: a full disk or a kill leaves
/// the earlier content.
///
/// # Errors
/// [`TrainError::Write`]
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = part_of(path);
    let written = std::fs::File::create(&part)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&part, path));
    written.map_err(|error| {
        // What is left of the part would only take room.
        let _ = std::fs::remove_file(&part);
        TrainError::write(path, &error)
    })
}

/// Refuses a place that [`write_whole`] will fail on, before hours of work go into what shall be written there.
///
/// # Errors
/// [`TrainError::Write`]
pub fn check_writable(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(TrainError::write(path, &"it is a folder"));
    }
    let part = part_of(path);
    let tried = std::fs::File::create(&part).and_then(|_| std::fs::remove_file(&part));
    tried.map_err(|error| TrainError::write(path, &error))
}

/// The name under which a file grows.
#[must_use]
pub fn part_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    path.with_file_name(name)
}

/// Writes a value as indented JSON.
///
/// # Errors
/// [`TrainError::Write`]
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| TrainError::write(path, &error))?;
    text.push(b'\n');
    write_whole(path, &text)
}

/// Reads a JSON file.
///
/// # Errors
/// [`TrainError::Read`] where it is not there, [`TrainError::Dataset`] where it is not of the form.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).map_err(|error| TrainError::read(path, &error))?;
    serde_json::from_str(&text).map_err(|error| TrainError::dataset(path, error.to_string()))
}

/// Makes a folder and those above it.
///
/// # Errors
/// [`TrainError::Write`]
pub fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|error| TrainError::write(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_cannot_be_written_is_told_beforehand() {
        let dir = tempfile::tempdir().unwrap();
        assert!(check_writable(&dir.path().join("b.onnx")).is_ok());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        for bad in [dir.path().join("nodir/b.onnx"), dir.path().to_owned()] {
            assert_eq!(check_writable(&bad).unwrap_err().code(), "output_failed");
        }
    }

    #[test]
    fn a_full_disk_leaves_the_earlier_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("checkpoint");
        write_whole(&path, b"earlier").unwrap();
        // Every write to this device fails as on a full disk.
        std::os::unix::fs::symlink("/dev/full", part_of(&path)).unwrap();
        let error = write_whole(&path, b"later").unwrap_err();
        assert!(error.to_string().contains("checkpoint cannot be written"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"earlier");
        write_whole(&path, b"later").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"later");
    }
}
