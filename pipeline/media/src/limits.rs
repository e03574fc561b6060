//! What the child forbids itself before it touches the file.

use std::io;

use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetStatus};
use rustix::io::Result;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::set_no_new_privs;

use crate::MediaSettings;

/// Seconds between the signal that ends the child by its limit on processor time and the one that cannot be caught.
const CPU_GRACE_S: u64 = 5;
/// Descriptors: the three standard ones, their copies, and a few for the C library.
const MAX_FILES: u64 = 32;

/// Applies the limits of the settings to this process.
pub(crate) fn apply(settings: &MediaSettings) -> Result<()> {
    let set = |resource, soft: u64, hard: u64| setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) });
    let memory = settings.max_decode_memory_mb.saturating_mul(1 << 20);
    // Data and not address space: shared libraries do not count, what is allocated does.
    set(Resource::Data, memory, memory)?;
    set(Resource::Cpu, settings.max_decode_cpu_s, settings.max_decode_cpu_s.saturating_add(CPU_GRACE_S))?;
    set(Resource::Fsize, 0, 0)?;
    set(Resource::Core, 0, 0)?;
    set(Resource::Nofile, MAX_FILES, MAX_FILES)?;
    set_no_new_privs(true)
}

/// Forbids this thread, and all that it starts, to open any file and to speak TCP; the descriptors that are open stay
/// usable. Returns whether the kernel enforces it: one without Landlock does not, and the other limits have to do.
pub(crate) fn forbid_files() -> io::Result<bool> {
    let restricted = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V5))
        .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(ABI::V5)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(io::Error::other)?;
    Ok(restricted.ruleset != RulesetStatus::NotEnforced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_opens_in_the_jail() {
        let jailed =
            || forbid_files().unwrap().then(|| std::fs::File::open("/etc/passwd").map_err(|error| error.kind()));
        // The jail holds its thread alone.
        match std::thread::spawn(jailed).join().unwrap() {
            Some(opened) => assert_eq!(opened.err(), Some(io::ErrorKind::PermissionDenied)),
            None => hirenet_tests::skipped("limits.rs needs a kernel with Landlock"),
        }
        assert!(std::fs::File::open("/etc/passwd").is_ok());
    }
}
