//! A broker and a database of one's own, through `scripts/services.sh`, and the faults that it can inject.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use hirenet_tests::source_dir;
use tempfile::TempDir;

/// Running services in a folder of their own; stopped when this is dropped.
#[derive(Debug)]
pub struct Services {
    folder: TempDir,
    /// Address of the broker.
    pub amqp: String,
    /// Address of the database server, as its superuser.
    pub postgres: String,
}

impl Services {
    /// Starts both.
    ///
    /// # Errors
    /// Where one of them is not installed or does not start.
    pub fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let environment = script(folder.path(), "start", &[])?;
        let value = |name: &str| {
            let line = environment.lines().find_map(|line| line.strip_prefix(&format!("export {name}=")));
            line.map(str::to_owned).with_context(|| format!("scripts/services.sh prints no {name}"))
        };
        let (amqp, postgres) = (value("HIRENET_TEST_AMQP")?, value("HIRENET_TEST_POSTGRES")?);
        Ok(Services { folder, amqp, postgres })
    }

    /// The folder of their data.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// kill -9 of the broker.
    ///
    /// # Errors
    /// Where the script fails.
    pub fn kill_broker(&self) -> Result<()> {
        script(self.folder.path(), "kill-broker", &[]).map(drop)
    }

    /// Starts the broker again, with its data and on its port.
    ///
    /// # Errors
    /// Where it does not come back.
    pub fn start_broker(&self) -> Result<()> {
        script(self.folder.path(), "start-broker", &[]).map(drop)
    }

    /// Crashes the database and starts it again.
    ///
    /// # Errors
    /// Where it does not come back.
    pub fn crash_postgres(&self) -> Result<()> {
        script(self.folder.path(), "restart-postgres", &["immediate"]).map(drop)
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        if let Err(error) = script(self.folder.path(), "stop", &[]) {
            eprintln!("the services were not stopped: {error:#}");
        }
    }
}

fn script(folder: &Path, action: &str, arguments: &[&str]) -> Result<String> {
    let path: PathBuf = source_dir().join("scripts/services.sh");
    let output = Command::new(&path)
        .arg(action)
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{} cannot be run", path.display()))?;
    ensure!(output.status.success(), "services.sh {action} ended with {}", output.status);
    match String::from_utf8(output.stdout) {
        Ok(text) => Ok(text),
        Err(_) => bail!("services.sh {action} printed no text"),
    }
}
