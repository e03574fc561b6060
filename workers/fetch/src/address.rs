//! Which addresses may be fetched: the comparison is made on parsed addresses, never on text, so that
//! `https://media.example.com` does not admit `https://media.example.com.elsewhere.org`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::FetchError;

/// An address that is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// An absolute path of this machine. Where its links lead is checked when it is opened.
    File(PathBuf),
    /// An object of a store or a web server.
    Stored(Url),
}

/// The allowed prefixes.
#[derive(Debug, Clone)]
pub(crate) struct Prefixes {
    prefixes: Arc<[Url]>,
    plain_http: bool,
}

impl Prefixes {
    /// Parses the prefixes of the configuration.
    pub(crate) fn new(prefixes: &[String], plain_http: bool) -> Result<Self, FetchError> {
        let parse = |text: &String| {
            let wrong = |detail: &str| FetchError::Setting {
                setting: "allowed_prefixes",
                detail: format!("`{text}` {detail}"),
            };
            let url = Url::parse(text).map_err(|_| wrong("is no address, such as `s3://bucket/folder/`"))?;
            if !is_fetched(&url, plain_http) {
                return Err(wrong("has a scheme that is not fetched"));
            }
            if !is_plain(&url) || url.query().is_some() {
                return Err(wrong("may have a scheme, a host and a path only"));
            }
            if url.scheme() != "file" && url.host().is_none() {
                return Err(wrong("names no bucket or host"));
            }
            Ok(url)
        };
        Ok(Prefixes { prefixes: prefixes.iter().map(parse).collect::<Result<_, _>>()?, plain_http })
    }

    /// The parsed address where it is allowed.
    pub(crate) fn admit(&self, address: &str) -> Result<Address, FetchError> {
        // A path without a scheme is none: a message comes from another machine.
        let url = Url::parse(address).map_err(|_| FetchError::Scheme)?;
        if !is_fetched(&url, self.plain_http) {
            return Err(FetchError::Scheme);
        }
        if !self.allows(&url) {
            return Err(FetchError::NotAllowed);
        }
        if url.scheme() == "file" {
            return url.to_file_path().map(Address::File).map_err(|()| FetchError::NotAllowed);
        }
        Ok(Address::Stored(url))
    }

    /// True where `url` lies under a prefix; asked again for each redirect.
    pub(crate) fn allows(&self, url: &Url) -> bool {
        is_fetched(url, self.plain_http)
            && is_plain(url)
            && !climbs(url)
            && self.prefixes.iter().any(|prefix| lies_under(url, prefix))
    }

    /// True where the file at `path`, links resolved, lies under a `file:` prefix, links resolved.
    pub(crate) fn hold_file(&self, path: &Path) -> bool {
        let folders = self.prefixes.iter().filter(|prefix| prefix.scheme() == "file");
        folders.filter_map(|prefix| prefix.to_file_path().ok()?.canonicalize().ok()).any(|f| path.starts_with(f))
    }
}

/// True for the schemes that are fetched; `http` on this machine's loopback alone, and only where that is set.
fn is_fetched(url: &Url, plain_http: bool) -> bool {
    match url.scheme() {
        "file" | "s3" | "gs" | "az" | "https" => true,
        "http" => plain_http && is_loopback(url),
        _ => false,
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// True without a user, a password and a fragment.
fn is_plain(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
}

/// True where a server that decodes the path once more could leave the prefix: the parser has already resolved plain
/// `..`, so what is left is hidden behind `%2f` or a backslash.
fn climbs(url: &Url) -> bool {
    let decoded = percent_decode_str(url.path()).decode_utf8_lossy();
    decoded.split(['/', '\\']).any(|segment| segment == ".." || segment == ".") || decoded.contains('\0')
}

/// Same scheme, host and port, and a path that continues the prefix's at a `/`.
fn lies_under(url: &Url, prefix: &Url) -> bool {
    let same_place = url.scheme() == prefix.scheme()
        && url.host() == prefix.host()
        && url.port_or_known_default() == prefix.port_or_known_default();
    let folder = prefix.path().trim_end_matches('/');
    let rest = url.path().strip_prefix(folder);
    same_place && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(list: &[&str]) -> Prefixes {
        Prefixes::new(&list.iter().map(|&p| p.to_owned()).collect::<Vec<_>>(), false).unwrap()
    }

    #[test]
    fn only_addresses_under_a_prefix_are_allowed() {
        let allowed = prefixes(&["https://media.example.com/interviews/", "s3://bucket/a", "file:///srv/media/"]);
        for address in [
            "https://media.example.com/interviews/1.mp4?signature=x",
            "HTTPS://MEDIA.example.com:443/interviews/1.mp4",
            "s3://bucket/a/1.mp4",
            "s3://bucket/a/b/c.webm",
            "file:///srv/media/1.mp4",
            "file:///srv/media/x%20y.mp4",
        ] {
            assert!(allowed.admit(address).is_ok(), "{address}");
        }
        for address in [
            "https://media.example.com.elsewhere.org/interviews/1.mp4",
            "https://media.example.com@elsewhere.org/interviews/1.mp4",
            "https://user@media.example.com/interviews/1.mp4",
            "https://media.example.com:8443/interviews/1.mp4",
            "https://media.example.com/interviews/../secret.mp4",
            "https://media.example.com/interviews/%2e%2e/secret.mp4",
            "https://media.example.com/interviews/..%2fsecret.mp4",
            "https://media.example.com/interviews/..%5csecret.mp4",
            "https://media.example.com/interviews-of-others/1.mp4",
            "https://169.254.169.254/latest/meta-data/",
            "s3://bucket/ab/1.mp4",
            "s3://other/a/1.mp4",
            "gs://bucket/a/1.mp4",
            "file:///srv/media-of-others/1.mp4",
            "file:///srv/media/../../etc/passwd",
            "file://elsewhere/srv/media/1.mp4",
        ] {
            assert_eq!(allowed.admit(address), Err(FetchError::NotAllowed), "{address}");
        }
    }

    #[test]
    fn other_schemes_are_refused() {
        let allowed = prefixes(&["file:///"]);
        for address in
            ["/srv/1.mp4", "a.mp4", "http://media.example.com/1.mp4", "ftp://x/1.mp4", "data:video/mp4,x", ""]
        {
            assert_eq!(allowed.admit(address), Err(FetchError::Scheme), "{address}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_and_for_trying_out() {
        let list = ["http://127.0.0.1:8000/".to_owned()];
        assert!(matches!(Prefixes::new(&list, false), Err(FetchError::Setting { .. })));
        assert!(Prefixes::new(&list, true).unwrap().admit("http://127.0.0.1:8000/1.mp4").is_ok());
        assert!(Prefixes::new(&["http://media.example.com/".to_owned()], true).is_err());
    }

    #[test]
    fn a_wrong_prefix_is_named() {
        for prefix in ["interviews/", "ftp://x/", "https://user@x/", "https://x/?a=b", "s3:///a"] {
            let error = Prefixes::new(&[prefix.to_owned()], false).unwrap_err().to_string();
            assert!(error.contains(prefix), "{error}");
        }
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        assert_eq!(prefixes(&[]).admit("file:///srv/1.mp4"), Err(FetchError::NotAllowed));
    }
}
