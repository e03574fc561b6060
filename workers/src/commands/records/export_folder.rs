//! The folder of an export: written beside what is there, then put in its place whole.
//!
//! 1. Everything is written below `next.part`.
//! 2. `dataset.json` of an older export goes: the folder is no data set now.
//! 3. The rest of the older export goes.
//! 4. What was written moves to its place, `dataset.json` last.
//!
//! A kill before 2 leaves the older export as it was; a kill after it leaves no data set, and the next export begins anew.
//! What is read is thus never a mixture, in which tracks of an interview that was erased meanwhile would stay.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use hirenet_core::Code;

use crate::failure::Failure;

/// What makes the folder a data set.
pub(super) const HEADER: &str = "dataset.json";
/// One line an interview.
pub(super) const RECORDS: &str = "interviews.jsonl";
/// Folder with a folder an interview.
pub(super) const ANSWERS: &str = "answers";
const NEXT: &str = "next.part";

/// A folder that an export may be written to.
#[derive(Debug)]
pub(super) struct ExportFolder {
    out: PathBuf,
    next: PathBuf,
}

impl ExportFolder {
    /// Looks at the folder and begins the next export in it. The folder is made where it is missing.
    ///
    /// # Errors
    /// [`Code::UsageInvalid`] where it holds anything but an older export: that would be lost or become a part of the data
    /// set. [`Code::OutputFailed`] where it cannot be read or written.
    pub(super) fn open(out: &Path) -> Result<ExportFolder, Failure> {
        fs::create_dir_all(out).map_err(|error| failed(out, &error))?;
        for entry in fs::read_dir(out).map_err(|error| failed(out, &error))? {
            let name = entry.map_err(|error| failed(out, &error))?.file_name();
            if [HEADER, RECORDS, ANSWERS, NEXT].iter().all(|own| name != *own) {
                let (out, name) = (out.display(), name.display());
                let sentence = format!(
                    "{out} holds `{name}`, which is no part of an export: name a new or an empty folder in --out"
                );
                return Err(Failure::new(Code::UsageInvalid, sentence));
            }
        }
        let folder = ExportFolder { out: out.to_owned(), next: out.join(NEXT) };
        remove(&folder.next)?;
        fs::create_dir_all(folder.next.join(ANSWERS)).map_err(|error| failed(&folder.next, &error))?;
        Ok(folder)
    }

    /// Where the next export is written.
    pub(super) fn next(&self) -> &Path {
        &self.next
    }

    /// Puts what was written in its place.
    ///
    /// # Errors
    /// [`Code::OutputFailed`] where something cannot be moved or removed.
    pub(super) fn replace(&self) -> Result<(), Failure> {
        for name in [HEADER, RECORDS, ANSWERS] {
            remove(&self.out.join(name))?;
        }
        for name in [ANSWERS, RECORDS, HEADER] {
            let to = self.out.join(name);
            fs::rename(self.next.join(name), &to).map_err(|error| failed(&to, &error))?;
        }
        remove(&self.next)
    }
}

/// Removes a file or a folder that may be there. A link goes, and not what it names.
fn remove(path: &Path) -> Result<(), Failure> {
    let gone = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    gone.map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Code::OutputFailed, format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes an export of these answers, and puts it in its place.
    fn export(out: &Path, answers: &[&str]) {
        let folder = ExportFolder::open(out).unwrap();
        for answer in answers {
            fs::write(folder.next().join(ANSWERS).join(answer), answer).unwrap();
        }
        fs::write(folder.next().join(RECORDS), answers.concat()).unwrap();
        fs::write(folder.next().join(HEADER), "{}").unwrap();
        folder.replace().unwrap();
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn an_older_export_goes_whole() {
        let dir = tempfile::TempDir::new().unwrap();
        let out = dir.path().join("set");
        export(&out, &["a", "b", "c"]);
        export(&out, &["b"]);
        assert_eq!(
            (names(&out), names(&out.join(ANSWERS))),
            (vec![ANSWERS.into(), HEADER.into(), RECORDS.into()], vec!["b".into()])
        );
        // One that fails on its way changes nothing, and is in nobody's way.
        let unfinished = ExportFolder::open(&out).unwrap();
        fs::write(unfinished.next().join(ANSWERS).join("d"), "d").unwrap();
        assert_eq!(fs::read_to_string(out.join(RECORDS)).unwrap(), "b");
        export(&out, &["e"]);
        assert_eq!((names(&out).len(), names(&out.join(ANSWERS))), (3, vec!["e".into()]));
    }

    #[test]
    fn what_is_no_export_is_left_alone() {
        let dir = tempfile::TempDir::new().unwrap();
        fs::write(dir.path().join("thesis.txt"), "mine").unwrap();
        let refused = ExportFolder::open(dir.path()).unwrap_err();
        assert!(refused.code() == Code::UsageInvalid && refused.to_string().contains("thesis.txt"), "{refused}");
        assert_eq!(names(dir.path()), ["thesis.txt"]);
    }
}
