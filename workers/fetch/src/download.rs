//! A stream of bytes into a nameless file, measured and hashed on the way.

use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path as Folder;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::{FetchError, FetchSettings, Fetched};

/// Pieces between network and disk: enough to keep both busy, too few to matter in memory.
const PIECES: usize = 8;

/// Downloads the object at `path` of `store`, which may have `max_bytes` bytes.
pub(crate) async fn download(
    store: &dyn ObjectStore,
    path: &Path,
    settings: &FetchSettings,
    max_bytes: u64,
) -> Result<Fetched, FetchError> {
    let stall = Duration::from_secs_f64(settings.stall_s);
    let answer = store.get(path).await?;
    if answer.meta.size > max_bytes {
        return Err(FetchError::TooLarge { max_bytes });
    }
    let promised = answer.meta.size;
    let mut pieces = answer.into_stream();
    let (writer, sink) = start_writer(settings);
    let mut bytes = 0;
    while let Some(piece) = tokio::time::timeout(stall, pieces.next()).await.map_err(|_| FetchError::Timeout)? {
        let piece = piece.map_err(broken)?;
        bytes += piece.len() as u64;
        if bytes > max_bytes {
            return Err(FetchError::TooLarge { max_bytes });
        }
        if sink.send(piece).await.is_err() {
            // The writer gave up; its result says why.
            break;
        }
    }
    drop(sink);
    let (file, sha256, written) = writer.await.map_err(FetchError::task)??;
    if written != promised {
        return Err(FetchError::Unavailable { status: None });
    }
    Ok(Fetched::temporary(file, sha256, written))
}

type Written = Result<(File, String, u64), FetchError>;

/// Starts the thread that writes and hashes what is sent to it; it ends with the last sender.
fn start_writer(settings: &FetchSettings) -> (JoinHandle<Written>, mpsc::Sender<Bytes>) {
    let folder = settings.folder();
    let (sink, mut pieces) = mpsc::channel::<Bytes>(PIECES);
    let writer = tokio::task::spawn_blocking(move || {
        let mut file = nameless(&folder)?;
        let (mut hasher, mut bytes) = (Sha256::new(), 0);
        while let Some(piece) = pieces.blocking_recv() {
            hasher.update(&piece);
            file.write_all(&piece).map_err(|error| FetchError::Disk(error.kind()))?;
            bytes += piece.len() as u64;
        }
        Ok((file, hex::encode(hasher.finalize()), bytes))
    });
    (writer, sink)
}

/// An answer that was good and broke off: whatever the reason, the next attempt may be luckier.
fn broken(error: object_store::Error) -> FetchError {
    match FetchError::from(error) {
        FetchError::Answer { status } => FetchError::Unavailable { status },
        known => known,
    }
}

/// A file in `folder` that no other user can open and that has no name: the kernel frees it with the last descriptor,
/// also when this process is killed, so that there is nothing to sweep.
fn nameless(folder: &Folder) -> Result<File, FetchError> {
    let file = tempfile::tempfile_in(folder).map_err(|error| FetchError::Disk(error.kind()))?;
    // Without a name it could still be opened through /proc by who may look into this process.
    file.set_permissions(Permissions::from_mode(0o600)).map_err(|error| FetchError::Disk(error.kind()))?;
    Ok(file)
}
