use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{Entry, ModelsError};

const BUFFER_BYTES: usize = 1 << 18;

/// Why bytes stopped coming before the file was complete.
#[derive(Debug)]
pub(super) enum Interrupted {
    /// The source failed or ended: the bytes so far are kept and can be continued.
    Source(String),
    /// The bytes cannot be kept.
    Fatal(ModelsError),
}

impl From<ModelsError> for Interrupted {
    fn from(error: ModelsError) -> Self {
        Interrupted::Fatal(error)
    }
}

/// A model file on its way: it grows as `FILE.part`, is hashed while it grows, and takes its own name only when it is
/// complete, right and on the disk. It holds the file's lock, so that two processes never write into one.
#[derive(Debug)]
pub(super) struct PartFile<'a> {
    entry: &'a Entry,
    /// Length and hash of the wanted file: the entry's, or those of an equal file.
    bytes: u64,
    sha256: &'a str,
    path: PathBuf,
    file: File,
    hasher: Sha256,
    length: u64,
}

impl<'a> PartFile<'a> {
    /// Opens `folder/FILE.part`, with what an earlier attempt left in it. A source of `offered` bytes can be an equal
    /// file, which that length tells; anything else must become the entry's own.
    pub(super) fn open(entry: &'a Entry, offered: u64, folder: &Path) -> Result<Self, ModelsError> {
        let (bytes, sha256) =
            entry.sha256_of(offered).map_or((entry.bytes, entry.sha256.as_str()), |sha256| (offered, sha256));
        std::fs::create_dir_all(folder).map_err(ModelsError::io(folder))?;
        let path = folder.join(format!("{}.part", entry.file));
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(ModelsError::io(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ModelsError::Busy { file: entry.file.clone() }),
            Err(TryLockError::Error(source)) => return Err(ModelsError::Io { path, source }),
        }
        let (hasher, length) = hash_from_start(&mut file).map_err(ModelsError::io(&path))?;
        let mut part = PartFile { entry, bytes, sha256, path, file, hasher, length };
        if part.length > bytes {
            part.restart()?;
        }
        Ok(part)
    }

    /// Bytes that are here.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// True where every byte is here.
    pub(super) fn is_complete(&self) -> bool {
        self.length == self.bytes
    }

    /// Forgets what an earlier attempt left.
    pub(super) fn restart(&mut self) -> Result<(), ModelsError> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(ModelsError::io(&self.path))?;
        self.hasher = Sha256::new();
        self.length = 0;
        Ok(())
    }

    /// Appends what `source` gives until it ends. A source that gives more than the manifest's length is cut there.
    pub(super) fn append(
        &mut self,
        source: &mut dyn Read,
        progress: &mut dyn FnMut(&Entry, u64),
    ) -> Result<(), Interrupted> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let n = match source.read(&mut buffer) {
                Ok(n) => n,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(Interrupted::Source(error.to_string())),
            };
            if n == 0 {
                break;
            }
            if self.length + n as u64 > self.bytes {
                return Err(self.wrong(format!("there is more than its {} bytes", self.bytes)).into());
            }
            self.file.write_all(&buffer[..n]).map_err(ModelsError::io(&self.path))?;
            self.hasher.update(&buffer[..n]);
            self.length += n as u64;
            progress(self.entry, self.length);
        }
        if self.is_complete() {
            return Ok(());
        }
        Err(Interrupted::Source(format!("ended after {} of {} bytes", self.length, self.bytes)))
    }

    /// Checks the hash and gives the file its own name in `folder`.
    pub(super) fn finish(self, folder: &Path) -> Result<(), ModelsError> {
        let sha256 = hex::encode(self.hasher.clone().finalize());
        if sha256 != self.sha256 {
            return Err(self.wrong(format!("its sha256 is {sha256}, not {}", self.sha256)));
        }
        self.file.sync_all().map_err(ModelsError::io(&self.path))?;
        let target = folder.join(&self.entry.file);
        std::fs::rename(&self.path, &target).map_err(ModelsError::io(&target))?;
        // The rename itself must survive a power cut too.
        File::open(folder).and_then(|dir| dir.sync_all()).map_err(ModelsError::io(folder))
    }

    /// Removes the file, for its content is not the manifest's.
    pub(super) fn wrong(&self, detail: String) -> ModelsError {
        match std::fs::remove_file(&self.path) {
            Ok(()) => ModelsError::WrongContent { file: self.entry.file.clone(), detail },
            Err(source) => ModelsError::Io { path: self.path.clone(), source },
        }
    }
}

impl Drop for PartFile<'_> {
    fn drop(&mut self) {
        if self.length == 0 {
            // Nothing arrived, so nothing is lost where this fails.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Hash and length of a file's content; the position is its end afterwards.
fn hash_from_start(file: &mut File) -> std::io::Result<(Sha256, u64)> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut length = 0;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok((hasher, length));
        }
        hasher.update(&buffer[..n]);
        length += n as u64;
    }
}
