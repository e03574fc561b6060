//! Worker processes: started, waited for, killed.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::world::World;

/// Longest time until a worker has loaded its models.
const START: Duration = Duration::from_secs(120);
/// Pause between two questions to a worker that starts.
const ASK: Duration = Duration::from_millis(50);

/// A worker; killed when this is dropped.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    port: u16,
}

impl Worker {
    /// Starts `hirenet work` with these arguments and settings (`WORK__LEASE_S`, value).
    ///
    /// # Errors
    /// Where the program cannot be started.
    pub fn start(world: &World, arguments: &[&str], settings: &[(&str, &str)]) -> Result<Self> {
        // Free a moment ago; another program is not likely to take it before the worker does.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command: Command = world.program(&[&["work"][..], arguments].concat());
        command.env("HIRENET_HTTP__LISTEN", format!("127.0.0.1:{port}"));
        for (key, value) in settings {
            command.env(format!("HIRENET_{key}"), value);
        }
        // A group of its own: an interrupt at the terminal ends this process, which ends the workers.
        let child = command.process_group(0).spawn().context("the worker cannot be started")?;
        Ok(Worker { child, port })
    }

    /// Waits until the worker can work.
    ///
    /// # Errors
    /// Where it ends instead, or takes too long.
    pub async fn ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START;
        loop {
            if let Some(status) = self.ended()? {
                bail!("the worker ended with {status} before it was ready");
            }
            if self.get("/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the worker is not ready after {} s: {:?}", START.as_secs(), self.get("/readyz"));
            }
            tokio::time::sleep(ASK).await;
        }
    }

    /// The answer to `GET path`, head and all.
    ///
    /// # Errors
    /// Where the worker does not answer.
    pub fn get(&self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Resident memory in bytes, as the kernel says.
    ///
    /// # Errors
    /// Where the process has ended.
    pub fn resident_bytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib << 10)
    }

    /// Its status where it has ended.
    ///
    /// # Errors
    /// Where the kernel does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// kill -9, and waits for its end.
    ///
    /// # Errors
    /// Where it cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and waits for its end.
    ///
    /// # Errors
    /// Where it cannot be signalled.
    pub fn terminate(&mut self) -> Result<ExitStatus> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        Ok(self.child.wait()?)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.kill();
    }
}
