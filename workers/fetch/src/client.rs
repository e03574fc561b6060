//! HTTP clients for the stores: TLS on ring, time limits, and no way out of the allowed prefixes.

use std::time::Duration;

use async_trait::async_trait;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{BackoffConfig, ClientConfigKey, ClientOptions, RetryConfig};
use reqwest::redirect::Policy;

use crate::address::Prefixes;
use crate::{FetchError, FetchSettings};

/// Redirects followed for one recording.
const MAX_REDIRECTS: usize = 5;

/// A redirect to an address that is not allowed, or one too many.
#[derive(Debug, thiserror::Error)]
#[error("a redirect leaves the allowed prefixes")]
pub(crate) struct Leaves;

/// A status that the stores' library would fold into a sentence.
#[derive(Debug, thiserror::Error)]
#[error("status {status}")]
pub(crate) struct Refused {
    pub(crate) status: u16,
}

/// The clients of one configuration; each pools its connections.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    web: reqwest::Client,
    cloud: reqwest::Client,
    /// For the credential services of cloud machines, which speak plain HTTP, and for endpoints that the store's own
    /// settings open to it (`AWS_ALLOW_HTTP`).
    cloud_plain: reqwest::Client,
}

impl Clients {
    /// Builds the clients.
    pub(crate) fn new(settings: &FetchSettings, prefixes: &Prefixes) -> Result<Self, FetchError> {
        // Whichever part of the program comes first decides; all of them use ring.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let allowed = prefixes.clone();
        let follow = Policy::custom(move |attempt| {
            if attempt.previous().len() <= MAX_REDIRECTS && allowed.allows(attempt.url()) {
                attempt.follow()
            } else {
                attempt.error(Leaves)
            }
        });
        let build = |https_only: bool, redirects: Policy| {
            reqwest::Client::builder()
                .user_agent(concat!("hirenet/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(Duration::from_secs_f64(settings.connect_s))
                .read_timeout(Duration::from_secs_f64(settings.stall_s))
                .https_only(https_only)
                .redirect(redirects)
                .build()
                .map_err(|_| FetchError::Setting {
                    setting: "allowed_prefixes",
                    detail: "the HTTP client cannot be built; are the system's certificates installed?".to_owned(),
                })
        };
        Ok(Clients {
            web: build(!settings.plain_http_on_loopback, follow)?,
            cloud: build(true, Policy::none())?,
            cloud_plain: build(false, Policy::none())?,
        })
    }

    /// For web servers: redirects are followed under the allowed prefixes.
    pub(crate) fn web(&self) -> impl HttpConnector + use<> {
        Connector { strict: self.web.clone(), plain: self.web.clone(), redirects: Redirects::Followed }
    }

    /// For object stores, which do not redirect.
    pub(crate) fn cloud(&self) -> impl HttpConnector + use<> {
        Connector { strict: self.cloud.clone(), plain: self.cloud_plain.clone(), redirects: Redirects::Unknown }
    }

    /// Few and quick retries: a job that fails for longer is put back, and waits in the queue.
    pub(crate) fn retry() -> RetryConfig {
        let backoff =
            BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(2), base: 2.0 };
        RetryConfig { backoff, max_retries: 2, retry_timeout: Duration::from_secs(20) }
    }
}

/// What an answer that redirects means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Redirects {
    /// The client has followed those that it may: this one leads to no web server.
    Followed,
    /// A store does not redirect; its library knows what the status says.
    Unknown,
}

#[derive(Debug)]
struct Connector {
    strict: reqwest::Client,
    plain: reqwest::Client,
    redirects: Redirects,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let plain = options.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let client = if plain { &self.plain } else { &self.strict };
        Ok(HttpClient::new(Service { client: client.clone(), redirects: self.redirects }))
    }
}

/// Keeps the status of a failure: the stores' library tells the common ones apart and drops the others.
#[derive(Debug)]
struct Service {
    client: reqwest::Client,
    redirects: Redirects,
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.client.call(request).await?;
        let status = response.status().as_u16();
        match status {
            300..=399 if self.redirects == Redirects::Followed => Err(HttpError::new(HttpErrorKind::Unknown, Leaves)),
            ..=399 | 401 | 403 | 404 => Ok(response),
            // Retried by the library.
            408 | 425 | 429 | 500.. => Err(HttpError::new(HttpErrorKind::Interrupted, Refused { status })),
            _ => Err(HttpError::new(HttpErrorKind::Unknown, Refused { status })),
        }
    }
}
