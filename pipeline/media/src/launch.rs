use std::ffi::OsString;
use std::path::PathBuf;

/// The hidden subcommand that a program with a decoder answers by [`child_main`](crate::child_main).
pub const CHILD_COMMAND: &str = "decode-child";

/// How the decoding child is started: a program and its first arguments, before the task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launcher {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
}

impl Launcher {
    /// The program that is running now, with the hidden subcommand `decode-child`.
    #[must_use]
    pub fn this_program() -> Self {
        // The link and not its target: it works even after the program's file was replaced by an upgrade.
        Launcher::new("/proc/self/exe", [CHILD_COMMAND])
    }

    /// Another program that calls [`child_main`](crate::child_main) with what follows `args`.
    pub fn new(program: impl Into<PathBuf>, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Launcher { program: program.into(), args: args.into_iter().map(Into::into).collect() }
    }
}
