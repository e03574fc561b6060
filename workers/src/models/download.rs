use std::time::Duration;

use ureq::http::header::{CONTENT_RANGE, RANGE};
use ureq::http::{Response, StatusCode};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::part_file::{Interrupted, PartFile};
use super::{Entry, ModelsError};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Attempts at one file, each of which must bring the file further.
const MAX_ATTEMPTS: u32 = 5;

/// Fetches files over HTTP and HTTPS.
#[derive(Debug)]
pub(super) struct Downloader {
    agent: Agent,
}

impl Downloader {
    /// `idle_timeout` is the longest silence of a server that is waited for; the whole may take as long as it takes.
    pub(super) fn new(idle_timeout: Duration) -> Self {
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT_TIMEOUT.min(idle_timeout)))
            .timeout_recv_response(Some(idle_timeout))
            .timeout_per_read(Some(idle_timeout))
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .user_agent(concat!("hirenet/", env!("CARGO_PKG_VERSION")))
            .build();
        Downloader { agent: config.into() }
    }

    /// Completes `part` from the entry's address; a cut connection is taken up where it broke.
    ///
    /// # Errors
    /// [`ModelsError::Status`] and [`ModelsError::Connection`], after which `part` can be continued later;
    /// [`ModelsError::WrongContent`], after which it is gone; [`ModelsError::Io`].
    pub(super) fn complete(
        &self,
        entry: &Entry,
        part: &mut PartFile,
        progress: &mut dyn FnMut(&Entry, u64),
    ) -> Result<(), ModelsError> {
        let mut attempt = 1;
        loop {
            let before = part.length();
            match self.attempt(entry, part, progress) {
                Ok(()) => return Ok(()),
                Err(Interrupted::Fatal(error)) => return Err(error),
                Err(Interrupted::Source(_)) if part.length() > before && attempt < MAX_ATTEMPTS => attempt += 1,
                Err(Interrupted::Source(detail)) => {
                    return Err(ModelsError::Connection { address: entry.source.clone(), detail });
                }
            }
        }
    }

    /// One request and its answer.
    fn attempt(
        &self,
        entry: &Entry,
        part: &mut PartFile,
        progress: &mut dyn FnMut(&Entry, u64),
    ) -> Result<(), Interrupted> {
        let mut request = self.agent.get(&entry.source);
        if part.length() > 0 {
            request = request.header(RANGE, format!("bytes={}-", part.length()));
        }
        let response = request.call().map_err(|error| match error {
            ureq::Error::StatusCode(status) => ModelsError::Status { address: entry.source.clone(), status }.into(),
            other => Interrupted::Source(other.to_string()),
        })?;
        if !continues(&response, part.length()) {
            part.restart()?;
        }
        let mut body = response.into_body();
        if let Some(offered) = body.content_length()
            && part.length() + offered != entry.bytes
        {
            let detail = format!("the server offers {} bytes, not {}", part.length() + offered, entry.bytes);
            return Err(part.wrong(detail).into());
        }
        part.append(&mut body.as_reader(), progress)
    }
}

/// True where the answer goes on at `offset`. A server without ranges answers 200 with the whole file; one that starts
/// elsewhere than asked is not believed either.
fn continues(response: &Response<Body>, offset: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    response.status() == StatusCode::PARTIAL_CONTENT
        && range.is_some_and(|range| range.starts_with(&format!("bytes {offset}-")))
}
