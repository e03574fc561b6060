//! The child as its parent sees it: a reader of messages with a watch on the clock.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::message::Message;
use crate::protocol::Source;
use crate::stderr::Tail;
use crate::task::Task;
use crate::{Launcher, MediaError, MediaSettings, protocol};

/// How long a child that closed its output may take to end.
const LAST_BREATH: Duration = Duration::from_secs(2);

/// A running child. Dropping it kills it and its process group.
#[derive(Debug)]
pub(crate) struct Process {
    group: Group,
    exit: OwnedFd,
    stdout: ChildStdout,
    stderr: Tail,
    watch: Watch,
    memory_mb: u64,
    cpu_s: u64,
}

/// Time spent waiting for the child. The time in which its messages are worked on here does not count.
#[derive(Debug)]
struct Watch {
    left: Duration,
    stall: Duration,
    total_s: f64,
    stall_s: f64,
    over: Option<(&'static str, f64)>,
}

impl Process {
    /// Starts a child that does the task with this file.
    pub(crate) fn start(launcher: &Launcher, file: File, task: &Task) -> Result<Self, MediaError> {
        let failed = MediaError::Start;
        let json = serde_json::to_string(task).map_err(|error| failed(error.into()))?;
        let mut started = Command::new(&launcher.program)
            .args(&launcher.args)
            .arg(json)
            .env_clear()
            .envs(std::env::var_os("LD_LIBRARY_PATH").map(|path| ("LD_LIBRARY_PATH", path)))
            .current_dir("/")
            .stdin(file)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let pipes = started.stdout.take().zip(started.stderr.take());
        let group = Group::new(started).map_err(failed)?;
        let Some((stdout, stderr)) = pipes else { return Err(failed(ErrorKind::BrokenPipe.into())) };
        let exit = pidfd_open(group.number, PidfdFlags::empty()).map_err(|error| failed(error.into()))?;
        let stderr = Tail::new(stderr).map_err(failed)?;
        let settings = &task.settings;
        let (memory_mb, cpu_s) = (settings.max_decode_memory_mb, settings.max_decode_cpu_s);
        Ok(Process { group, exit, stdout, stderr, watch: Watch::new(settings), memory_mb, cpu_s })
    }

    /// The next message. After an error the child is of no more use.
    pub(crate) fn next(&mut self) -> Result<Message, MediaError> {
        self.watch.stall = Duration::try_from_secs_f64(self.watch.stall_s).unwrap_or(Duration::MAX);
        let read = protocol::read(&mut Watched { stdout: &mut self.stdout, watch: &mut self.watch });
        match read {
            Ok(Message::Refused(refusal)) => Err(refusal.into()),
            Ok(message) => Ok(message),
            Err(_) if self.watch.over.is_some() => Err(self.timed_out()),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(self.post_mortem()),
            Err(error) => {
                self.group.end();
                Err(MediaError::Crashed { how: error.to_string(), stderr: self.stderr.finish() })
            }
        }
    }

    fn timed_out(&mut self) -> MediaError {
        let (what, limit_s) = self.watch.over.unwrap_or_default();
        self.group.end();
        tracing::warn!(what, limit_s, stderr = %self.stderr.finish(), "decoder ended at a limit");
        MediaError::Time { what, limit_s }
    }

    /// Why the child ended without a last message.
    fn post_mortem(&mut self) -> MediaError {
        let ended = wait_readable(&self.exit, LAST_BREATH);
        let status = self.group.end();
        let stderr = self.stderr.finish();
        let signal = status.as_ref().and_then(ExitStatusExt::signal).and_then(Signal::from_named_raw);
        tracing::warn!(?status, %stderr, "decoder ended early");
        let how = match (signal, status) {
            (Some(Signal::XCPU), _) => {
                return MediaError::Time { what: "processor time", limit_s: self.cpu_s as f64 };
            }
            // Rust and the C library abort where an allocation fails.
            (Some(Signal::ABORT), _) if stderr.contains("memory allocation") => {
                return MediaError::Memory { limit_mb: self.memory_mb };
            }
            (Some(_), _) if !matches!(ended, Ok(true)) => "it closed its output and did not end".to_owned(),
            (Some(signal), _) => format!("signal {}", signal_name(signal)),
            (None, Some(status)) => status.to_string(),
            (None, None) => "its status is unknown".to_owned(),
        };
        MediaError::Crashed { how, stderr }
    }
}

/// A child that leads a process group of its own. Dropping it kills the group.
#[derive(Debug)]
struct Group {
    child: Child,
    number: Pid,
    reaped: Option<ExitStatus>,
}

impl Group {
    fn new(mut child: Child) -> io::Result<Self> {
        match Pid::from_raw(child.id().cast_signed()) {
            Some(number) => Ok(Group { child, number, reaped: None }),
            None => child.kill().and_then(|()| Err(ErrorKind::InvalidData.into())),
        }
    }

    /// Kills the whole group, then reaps the child. In this order and only once: a reaped child's number may be
    /// another's.
    fn end(&mut self) -> Option<ExitStatus> {
        if self.reaped.is_none() {
            // The group may have ended by itself.
            let _gone = kill_process_group(self.number, Signal::KILL);
            self.reaped = self.child.wait().ok();
        }
        self.reaped
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

fn signal_name(signal: Signal) -> String {
    match signal {
        Signal::SEGV => "SIGSEGV".to_owned(),
        Signal::ABORT => "SIGABRT".to_owned(),
        Signal::BUS => "SIGBUS".to_owned(),
        Signal::FPE => "SIGFPE".to_owned(),
        Signal::ILL => "SIGILL".to_owned(),
        Signal::KILL => "SIGKILL".to_owned(),
        Signal::SYS => "SIGSYS".to_owned(),
        Signal::XFSZ => "SIGXFSZ".to_owned(),
        other => other.as_raw().to_string(),
    }
}

/// Waits until a descriptor can be read, or is closed at the other end; false when the time is up.
fn wait_readable(descriptor: &impl std::os::fd::AsFd, limit: Duration) -> io::Result<bool> {
    let timeout = Timespec::try_from(limit).ok();
    match poll(&mut [PollFd::new(descriptor, PollFlags::IN)], timeout.as_ref()) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl Watch {
    fn new(settings: &MediaSettings) -> Self {
        let (total_s, stall_s) = (settings.max_decode_s, settings.max_stall_s);
        let left = Duration::try_from_secs_f64(total_s).unwrap_or(Duration::MAX);
        Watch { left, stall: Duration::MAX, total_s, stall_s, over: None }
    }

    fn spend(&mut self, spent: Duration) {
        self.left = self.left.saturating_sub(spent);
        self.stall = self.stall.saturating_sub(spent);
        if self.left.is_zero() {
            self.over = Some(("wall time", self.total_s));
        } else if self.stall.is_zero() {
            self.over = Some(("time without a sign of life", self.stall_s));
        }
    }
}

/// The child's output, read under the watch.
struct Watched<'a> {
    stdout: &'a mut ChildStdout,
    watch: &'a mut Watch,
}

impl Watched<'_> {
    /// Waits until there is something to read, or the end of the stream.
    fn wait(&mut self) -> io::Result<()> {
        loop {
            let asked = Instant::now();
            let ready = wait_readable(self.stdout, self.watch.left.min(self.watch.stall))?;
            self.watch.spend(asked.elapsed());
            if ready {
                return Ok(());
            }
            if self.watch.over.is_some() {
                return Err(ErrorKind::TimedOut.into());
            }
        }
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait()?;
        self.stdout.read(buffer)
    }
}

impl Source for Watched<'_> {
    fn append(&mut self, to: &mut Vec<u8>) -> io::Result<usize> {
        self.wait()?;
        let read = rustix::io::retry_on_intr(|| rustix::io::read(&self.stdout, spare_capacity(to)));
        Ok(read?)
    }
}
