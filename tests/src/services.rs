//! The broker and the database that tests use: `scripts/services.sh` starts them, `make test` does so by itself.

use std::path::PathBuf;
use std::process::Command;

use crate::source_dir;

/// Address of the RabbitMQ that tests share.
///
/// # Panics
/// Where the services have not been started.
#[must_use]
pub fn amqp() -> String {
    variable("HIRENET_TEST_AMQP")
}

/// Address of the PostgreSQL that tests share, as a user who may make databases.
///
/// # Panics
/// Where the services have not been started.
#[must_use]
pub fn postgres() -> String {
    variable("HIRENET_TEST_POSTGRES")
}

fn variable(name: &str) -> String {
    let advice = "run `make test`, or `eval \"$(scripts/services.sh start DIR)\"` first";
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: {advice}"))
}

/// A broker and a database of a test's own, which it may break. They end when this is dropped.
#[derive(Debug)]
pub struct OwnServices {
    folder: PathBuf,
    /// Address of the broker.
    pub amqp: String,
    /// Address of the database.
    pub postgres: String,
}

impl OwnServices {
    /// Starts them in a folder; takes some ten seconds.
    ///
    /// # Panics
    /// Where they do not start.
    #[must_use]
    pub fn start(folder: PathBuf) -> OwnServices {
        let mut services = OwnServices { folder, amqp: String::new(), postgres: String::new() };
        let printed = services.call("start", &[]);
        let value = |name: &str| {
            let line = printed.lines().find_map(|line| line.strip_prefix(&format!("export {name}=")));
            line.unwrap_or_else(|| panic!("no {name} in {printed}")).to_owned()
        };
        (services.amqp, services.postgres) = (value("HIRENET_TEST_AMQP"), value("HIRENET_TEST_POSTGRES"));
        services
    }

    /// Runs an action of `scripts/services.sh`, such as `kill-broker`, and gives what it printed.
    ///
    /// # Panics
    /// Where it fails.
    #[allow(clippy::must_use_candidate, reason = "most actions are called for what they do")]
    pub fn call(&self, action: &str, arguments: &[&str]) -> String {
        let script = source_dir().join("scripts/services.sh");
        let output = Command::new(script).arg(action).arg(&self.folder).args(arguments).output();
        let output = output.unwrap_or_else(|error| panic!("services.sh cannot be started: {error}"));
        assert!(output.status.success(), "services.sh {action}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for OwnServices {
    fn drop(&mut self) {
        // A test that fails already says why.
        let _ = Command::new(source_dir().join("scripts/services.sh")).arg("stop").arg(&self.folder).output();
    }
}
