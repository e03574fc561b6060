//! What to do about a model file that is missing or damaged: in sentences that are true of that very file.

use std::path::Path;

use super::{Entry, Manifest, ModelsError};

/// For what neither the repository nor an address has.
const MADE: &str = "docs/models.md says how it is made";

impl Manifest {
    /// What to do about the file at `path`, which a command could not load.
    pub(crate) fn cure(&self, path: &Path) -> String {
        match self.entries().iter().find(|entry| self.path(entry) == path) {
            Some(entry) => entry.cure(),
            None => {
                "`hirenet models pull` cannot mend a file of your own: put a whole one there, or name a model that \
                     `hirenet models list` shows"
                    .to_owned()
            }
        }
    }
}

impl Entry {
    /// The command that fetches the file.
    pub(crate) fn pull_command(&self) -> String {
        let mirror = if self.download { "" } else { " --from FOLDER" };
        format!("`hirenet models pull {}{mirror}`", self.name)
    }

    /// What to do where the file is missing or damaged.
    fn cure(&self) -> String {
        let command = self.pull_command();
        match (self.download, self.shipped) {
            (true, _) => format!("Run {command}"),
            (false, true) => format!("Run {command} with a mirror folder that holds it, or {}", self.restored()),
            (false, false) => format!("Run {command} with a mirror folder that holds it; {MADE}"),
        }
    }

    /// What to do where `error` has kept `hirenet models pull` from fetching the file.
    pub(crate) fn cure_of_pull(&self, error: &ModelsError) -> Option<String> {
        let mirrored = matches!(error, ModelsError::NotInMirror { .. });
        if !mirrored && !matches!(error, ModelsError::NoAddress { .. }) {
            return None;
        }
        Some(match (self.shipped, self.download) {
            (true, _) => {
                format!("It comes with the program: {}, or name a mirror folder that holds it", self.restored())
            }
            (false, true) => "Name a mirror folder that holds it, or none, so that it is downloaded".to_owned(),
            (false, false) => format!("Name a mirror folder that holds it (`--from FOLDER`, or models.mirror); {MADE}"),
        })
    }

    fn restored(&self) -> String {
        let file = &self.file;
        format!("restore {file} from the repository (`git checkout models/{file}`) or from another installation")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../models"))).unwrap()
    }

    #[test]
    fn the_command_is_named_once_and_is_one_that_can_help() {
        let manifest = manifest();
        for entry in manifest.entries() {
            let cure = manifest.cure(&manifest.path(entry));
            assert_eq!(cure.matches("hirenet models pull").count(), 1, "{cure}");
            assert_eq!(cure.contains("--from FOLDER"), !entry.download, "{cure}");
            let restored = cure.contains(&format!("git checkout models/{}", entry.file));
            assert_eq!(restored, entry.shipped && !entry.download, "{cure}");
        }
        let own = manifest.cure(Path::new("/some/file.bin"));
        assert!(own.contains("`hirenet models pull` cannot mend"), "{own}");
    }

    #[test]
    fn a_pull_that_failed_is_not_told_to_pull() {
        let manifest = manifest();
        for entry in manifest.entries() {
            let no_address = ModelsError::NoAddress { file: entry.file.clone() };
            let elsewhere = ModelsError::NotInMirror { file: entry.file.clone(), mirror: "/mirror".into() };
            for error in [no_address, elsewhere] {
                let cure = entry.cure_of_pull(&error).unwrap();
                assert!(!cure.contains("hirenet models pull") && cure.contains("mirror"), "{cure}");
                assert_eq!(cure.contains("git checkout"), entry.shipped, "{cure}");
            }
        }
        let busy = ModelsError::Busy { file: "x".to_owned() };
        assert_eq!(manifest.entries()[0].cure_of_pull(&busy), None);
    }
}
