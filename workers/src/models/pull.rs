use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::download::Downloader;
use super::part_file::{Interrupted, PartFile};
use super::{Entry, Manifest, ModelsError, State};

const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Fetches model files into the folder of a manifest.
#[derive(Debug)]
pub(crate) struct Pull<'a> {
    manifest: &'a Manifest,
    mirror: Option<PathBuf>,
    downloader: Downloader,
}

/// What became of each model that was asked for.
#[derive(Debug, Default)]
pub(crate) struct PullReport<'a> {
    /// Fetched now, and whole.
    pub(crate) fetched: Vec<&'a Entry>,
    /// Whole before.
    pub(crate) present: Vec<&'a Entry>,
    /// Not to be had, with the reason.
    pub(crate) failed: Vec<(&'a Entry, ModelsError)>,
}

impl<'a> Pull<'a> {
    /// Fetches from the folder `mirror` where one is given, and then from nowhere else; otherwise from the network.
    pub(crate) fn new(manifest: &'a Manifest, mirror: Option<&Path>) -> Self {
        let mirror = mirror.map(Path::to_path_buf);
        Pull { manifest, mirror, downloader: Downloader::new(IDLE_TIMEOUT) }
    }

    /// The same with another patience for silent servers.
    #[cfg(test)]
    pub(super) fn with_idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.downloader = Downloader::new(idle_timeout);
        self
    }

    /// Fetches each of `entries` that is missing or corrupt; one that fails does not stop the others. `progress` is
    /// called with the bytes that are here of the file that is being fetched.
    pub(crate) fn run(
        &self,
        entries: impl IntoIterator<Item = &'a Entry>,
        progress: &mut dyn FnMut(&Entry, u64),
    ) -> PullReport<'a> {
        let mut report = PullReport::default();
        for entry in entries {
            if self.manifest.verify(entry) == State::Whole {
                report.present.push(entry);
                continue;
            }
            match self.fetch(entry, progress) {
                Ok(()) => report.fetched.push(entry),
                Err(error) => report.failed.push((entry, error)),
            }
        }
        report
    }

    fn fetch(&self, entry: &Entry, progress: &mut dyn FnMut(&Entry, u64)) -> Result<(), ModelsError> {
        let folder = self.manifest.folder();
        if let Some(mirror) = &self.mirror {
            let mut source = open_in_mirror(entry, mirror)?;
            let mut part = PartFile::open(entry, folder)?;
            // A copy is fast: nothing is gained by trusting what an earlier attempt left.
            part.restart()?;
            part.append(&mut source, progress).map_err(|interrupted| match interrupted {
                Interrupted::Fatal(error) => error,
                Interrupted::Source(detail) => part.wrong(format!("in the mirror: {detail}")),
            })?;
            return part.finish(folder);
        }
        if !entry.download {
            return Err(ModelsError::NoAddress { file: entry.file.clone() });
        }
        let mut part = PartFile::open(entry, folder)?;
        if !part.is_complete() {
            self.downloader.complete(entry, &mut part, progress)?;
        }
        part.finish(folder)
    }
}

fn open_in_mirror(entry: &Entry, mirror: &Path) -> Result<File, ModelsError> {
    let path = mirror.join(&entry.file);
    File::open(&path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => {
            ModelsError::NotInMirror { file: entry.file.clone(), mirror: mirror.to_path_buf() }
        }
        _ => ModelsError::Io { path, source },
    })
}
