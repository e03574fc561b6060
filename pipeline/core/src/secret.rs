use std::path::Path;

use serde::{Deserialize, Serialize};

/// A text that is never shown: an address with a password, a token. Debug and serialisation say only whether it is set.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

/// What stands in a secret's place wherever it would be shown.
const HIDDEN: &str = "(hidden)";

impl Secret {
    /// A secret of this text.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// True where nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text itself, for the one call that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// This secret where it is set, else the first line of `file`; an empty `file` names none.
    ///
    /// # Errors
    /// Those of reading the file.
    pub fn or_file(&self, file: &Path) -> std::io::Result<Secret> {
        if !self.is_empty() || file.as_os_str().is_empty() {
            return Ok(self.clone());
        }
        let text = std::fs::read_to_string(file)?;
        Ok(Secret(text.lines().next().unwrap_or_default().trim().to_owned()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_empty() { "\"\"" } else { HIDDEN })
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.is_empty() { "" } else { HIDDEN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Secret::new("amqp://user:password@host");
        let shown = format!("{secret:?} {}", serde_json::to_string(&secret).unwrap());
        assert!(!shown.contains("password") && !shown.contains("host"), "{shown}");
        assert_eq!(serde_json::from_str::<Secret>("\"x\"").unwrap().expose(), "x");
    }

    #[test]
    fn a_file_stands_in_where_nothing_is_set() {
        let file = std::env::temp_dir().join(format!("hirenet-secret-{}", std::process::id()));
        std::fs::write(&file, "from the file\n").unwrap();
        assert_eq!(Secret::default().or_file(&file).unwrap().expose(), "from the file");
        assert_eq!(Secret::new("set").or_file(&file).unwrap().expose(), "set");
        std::fs::remove_file(&file).unwrap();
        assert!(Secret::default().or_file(&file).is_err());
        assert!(Secret::default().or_file(Path::new("")).unwrap().is_empty());
    }
}
