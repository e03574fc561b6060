//! A worker as a process of its own.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use super::{Barrier, SOON};

/// A running worker; it is killed when this is dropped.
pub(crate) struct Worker {
    child: Child,
    log: PathBuf,
}

impl Worker {
    pub(crate) fn start(mut command: Command, log: PathBuf) -> Worker {
        let stderr = File::options().create(true).append(true).open(&log).unwrap();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).spawn().unwrap();
        Worker { child, log }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Ends the process as a fault of the machine would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Lets it go on after it stopped itself.
    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < SOON, "the worker does not end: {}", self.log());
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// Waits until its log says something.
    pub(crate) async fn log_has(&self, words: &str) -> bool {
        let started = Instant::now();
        while started.elapsed() < SOON {
            if self.log().contains(words) {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        false
    }

    /// Stops it in order, with everything finished.
    pub(crate) async fn stop(mut self) {
        // Before it says so it does not follow signals yet.
        assert!(self.log_has("\"message\":\"working\"").await, "{}", self.log());
        self.terminate();
        let status = self.ended().await;
        assert_eq!(status.code(), Some(0), "{}", self.log());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What tells a worker to stop itself at `STAGE:POINT`.
pub(crate) fn stop_at<'a>(point: &'a str, barrier: &'a Barrier) -> [(&'static str, &'a std::ffi::OsStr); 2] {
    [("HIRENET_FAULT_POINT", point.as_ref()), ("HIRENET_FAULT_FILE", barrier.path().as_os_str())]
}

/// The exit status of a command that was run to its end.
pub(crate) fn ended(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}
