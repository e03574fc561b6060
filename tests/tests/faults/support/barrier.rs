//! A pipe with a name: a worker writes a line to it and stops itself, and the test reads on from there.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::soon;

/// Where a worker tells that it stands still.
pub(crate) struct Barrier {
    path: PathBuf,
    lines: tokio::sync::mpsc::UnboundedReceiver<String>,
}

impl Barrier {
    pub(crate) fn new(folder: &Path) -> Barrier {
        let path = folder.join(format!("barrier-{}", uuid::Uuid::new_v4().simple()));
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        // Open for both: reading does not end when a writer goes.
        let pipe = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let (sender, lines) = tokio::sync::mpsc::unbounded_channel();
        // Ends with the test's process.
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines() {
                if line.is_err() || sender.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        Barrier { path, lines }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns when a worker stands at its point.
    pub(crate) async fn reached(&mut self) {
        let line = soon("worker at the barrier", self.lines.recv()).await.unwrap();
        let (_, process) = line.split_once(' ').unwrap();
        // It tells first and stops then: a signal in between would be undone by the stop.
        let stat = format!("/proc/{process}/stat");
        let stopped = async {
            while !std::fs::read_to_string(&stat).unwrap().contains(") T ") {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        };
        soon("stop at the barrier", stopped).await;
    }
}
