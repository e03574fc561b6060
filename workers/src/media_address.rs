//! Media addresses as the command line reads them.

use std::path::{Component, Path, PathBuf};

use hirenet_core::{Code, Coded};

/// An address that is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    /// A relative path leaves the folder of its interview.
    #[error("the path leaves the interview's folder")]
    Outside,
    /// A scheme that needs the network.
    #[error("`{0}:` addresses are not read here")]
    Scheme(String),
}

impl Coded for AddressError {
    fn code(&self) -> Code {
        match self {
            AddressError::Outside => Code::MediaOutside,
            AddressError::Scheme(_) => Code::MediaScheme,
        }
    }
}

/// The file that `media` names: a `file:` address, an absolute path, or a path relative to `folder` that stays inside. A link
/// in the folder is the user's own doing, and followed.
pub(crate) fn resolve(media: &str, folder: &Path) -> Result<PathBuf, AddressError> {
    let path = match media.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => {
            percent_decoded(rest.strip_prefix("//localhost").or(rest.strip_prefix("//")).unwrap_or(rest))
        }
        Some((scheme, rest)) if is_scheme(scheme) && rest.starts_with("//") => {
            return Err(AddressError::Scheme(scheme.to_owned()));
        }
        _ => PathBuf::from(media),
    };
    if path.is_absolute() {
        return Ok(path);
    }
    let mut depth = 0_i32;
    for component in path.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::ParentDir => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return Err(AddressError::Outside);
        }
    }
    Ok(folder.join(path))
}

fn is_scheme(text: &str) -> bool {
    text.len() > 1 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
}

/// Percent-decoded path of a `file:` address (RFC 8089); what is not valid stays as it is.
fn percent_decoded(text: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let code = (bytes[i] == b'%').then(|| text.get(i + 1..i + 3)).flatten();
        if let Some(byte) = code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            out.push(byte);
            i += 3;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    PathBuf::from(std::ffi::OsString::from_vec(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_stay_in_their_folder() {
        let folder = Path::new("/interviews/1");
        assert_eq!(resolve("a.mp4", folder), Ok("/interviews/1/a.mp4".into()));
        assert_eq!(resolve("x/../a.mp4", folder), Ok("/interviews/1/x/../a.mp4".into()));
        assert_eq!(resolve("../a.mp4", folder), Err(AddressError::Outside));
        assert_eq!(resolve("x/../../a.mp4", folder), Err(AddressError::Outside));
        assert_eq!(resolve("file:../a.mp4", folder), Err(AddressError::Outside));
    }

    #[test]
    fn addresses_are_told_from_paths() {
        let folder = Path::new("/f");
        assert_eq!(resolve("file:///v/a%20b.mp4", folder), Ok("/v/a b.mp4".into()));
        assert_eq!(resolve("FILE:a.mp4", folder), Ok("/f/a.mp4".into()));
        assert_eq!(resolve("/v/a.mp4", folder), Ok("/v/a.mp4".into()));
        assert_eq!(resolve("12:30 take.mp4", folder), Ok("/f/12:30 take.mp4".into()));
        assert_eq!(resolve("https://x/a.mp4", folder), Err(AddressError::Scheme("https".into())));
        assert_eq!(resolve("s3://bucket/a.mp4", folder), Err(AddressError::Scheme("s3".into())));
    }
}
