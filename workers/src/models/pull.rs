use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::download::Downloader;
use super::part_file::{Interrupted, PartFile};
use super::{Entry, Manifest, ModelsError};

const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Fetches model files into the folder of a manifest.
#[derive(Debug)]
pub(crate) struct Pull<'a> {
    manifest: &'a Manifest,
    mirror: Option<PathBuf>,
    installed: Option<PathBuf>,
    downloader: Downloader,
}

/// What became of each model that was asked for.
#[derive(Debug, Default)]
pub(crate) struct PullReport<'a> {
    /// Fetched now, and whole.
    pub(crate) fetched: Vec<&'a Entry>,
    /// Copied now from the folder that came with the program, and whole.
    pub(crate) installed: Vec<&'a Entry>,
    /// Whole before.
    pub(crate) present: Vec<&'a Entry>,
    /// Not to be had, with the reason.
    pub(crate) failed: Vec<(&'a Entry, ModelsError)>,
}

impl<'a> Pull<'a> {
    /// Fetches from the folder `mirror` where one is given, and then never from the network.
    pub(crate) fn new(manifest: &'a Manifest, mirror: Option<&Path>) -> Self {
        let mirror = mirror.map(Path::to_path_buf);
        Pull { manifest, mirror, installed: None, downloader: Downloader::new(IDLE_TIMEOUT) }
    }

    /// The same, with the folder of models that came with the program: what is shipped is there, and in no mirror need be.
    pub(crate) fn with_installed(mut self, folder: Option<PathBuf>) -> Self {
        self.installed = folder;
        self
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
            if self.manifest.verify(entry).is_usable() {
                report.present.push(entry);
                continue;
            }
            match self.fetch(entry, progress) {
                Ok(Source::Installed) => report.installed.push(entry),
                Ok(Source::Mirror | Source::Network) => report.fetched.push(entry),
                Err(error) => report.failed.push((entry, error)),
            }
        }
        report
    }

    fn fetch(&self, entry: &Entry, progress: &mut dyn FnMut(&Entry, u64)) -> Result<Source, ModelsError> {
        if let Some(mirror) = &self.mirror
            && self.copy(entry, mirror, progress)?
        {
            return Ok(Source::Mirror);
        }
        if let Some(folder) = &self.installed
            && entry.shipped
            && self.manifest.clone().in_folder(folder).verify(entry).is_usable()
            && self.copy(entry, folder, progress)?
        {
            return Ok(Source::Installed);
        }
        let file = entry.file.clone();
        match &self.mirror {
            Some(mirror) => Err(ModelsError::NotInMirror { file, mirror: mirror.clone() }),
            None if !entry.download => Err(ModelsError::NoAddress { file }),
            None => self.download(entry, progress).map(|()| Source::Network),
        }
    }

    /// Copies the entry's file from a folder; false where the folder has none.
    fn copy(&self, entry: &Entry, from: &Path, progress: &mut dyn FnMut(&Entry, u64)) -> Result<bool, ModelsError> {
        let path = from.join(&entry.file);
        let mut source = match File::open(&path) {
            Ok(source) => source,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(ModelsError::Io { path, source }),
        };
        let offered = source.metadata().map_err(ModelsError::io(&path))?.len();
        let folder = self.manifest.folder();
        let mut part = PartFile::open(entry, offered, folder)?;
        // A copy is fast: nothing is gained by trusting what an earlier attempt left.
        part.restart()?;
        part.append(&mut source, progress).map_err(|interrupted| match interrupted {
            Interrupted::Fatal(error) => error,
            Interrupted::Source(detail) => part.wrong(format!("in {}: {detail}", from.display())),
        })?;
        part.finish(folder).map(|()| true)
    }

    fn download(&self, entry: &Entry, progress: &mut dyn FnMut(&Entry, u64)) -> Result<(), ModelsError> {
        let folder = self.manifest.folder();
        let mut part = PartFile::open(entry, entry.bytes, folder)?;
        if !part.is_complete() {
            self.downloader.complete(entry, &mut part, progress)?;
        }
        part.finish(folder)
    }
}

/// Where a file came from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// The folder that the user named.
    Mirror,
    /// The folder that came with the program.
    Installed,
    /// Its address.
    Network,
}
