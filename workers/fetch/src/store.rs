//! The store behind an address.

use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore};
use url::Url;

use crate::FetchError;
use crate::client::Clients;

/// Opens the store of `url`, whose scheme is known to be fetched, and gives the object's path in it.
///
/// `environment` holds credentials and endpoints under the names that each store's own tools read.
pub(crate) fn open(
    url: &Url,
    clients: &Clients,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<(Arc<dyn ObjectStore>, Path), FetchError> {
    let bucket = url.host_str().unwrap_or_default();
    let key = || Path::from_url_path(url.path()).map_err(|_| FetchError::NotAllowed);
    let retry = Clients::retry();
    let lower = environment.map(|(key, value)| (key.to_ascii_lowercase(), value));
    Ok(match url.scheme() {
        "s3" => {
            let settings = lower.filter(|(key, _)| key.starts_with("aws_"));
            let builder = settings.filter_map(|(key, value)| Some((key.parse::<AmazonS3ConfigKey>().ok()?, value)));
            let builder = builder.fold(AmazonS3Builder::new(), |b, (key, value)| b.with_config(key, value));
            let builder = builder.with_bucket_name(bucket).with_retry(retry).with_http_connector(clients.cloud());
            (Arc::new(builder.build().map_err(misconfigured)?), key()?)
        }
        "gs" => {
            let settings = lower.filter(|(key, _)| key.starts_with("google_"));
            let builder = settings.filter_map(|(key, value)| Some((key.parse::<GoogleConfigKey>().ok()?, value)));
            let builder = builder.fold(GoogleCloudStorageBuilder::new(), |b, (key, value)| b.with_config(key, value));
            let builder = builder.with_bucket_name(bucket).with_retry(retry).with_http_connector(clients.cloud());
            (Arc::new(builder.build().map_err(misconfigured)?), key()?)
        }
        "az" => {
            let settings = lower.filter(|(key, _)| key.starts_with("azure_"));
            let builder = settings.filter_map(|(key, value)| Some((key.parse::<AzureConfigKey>().ok()?, value)));
            let builder = builder.fold(MicrosoftAzureBuilder::new(), |b, (key, value)| b.with_config(key, value));
            let builder = builder.with_container_name(bucket).with_retry(retry).with_http_connector(clients.cloud());
            (Arc::new(builder.build().map_err(misconfigured)?), key()?)
        }
        _ => {
            // The whole address is the base: a signed one has a query, which a path inside a store could not carry.
            let options = ClientOptions::new().with_allow_http(true);
            let builder = HttpBuilder::new().with_url(url.as_str()).with_retry(retry).with_client_options(options);
            let store = builder.with_http_connector(clients.web()).build().map_err(misconfigured)?;
            (Arc::new(store), Path::default())
        }
    })
}

/// The process's environment, without what is not Unicode: no store's setting is.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
}

/// A store that cannot even be opened lacks a region, an account or credentials that can be parsed.
fn misconfigured(_: object_store::Error) -> FetchError {
    FetchError::Setting {
        setting: "allowed_prefixes",
        detail: "a store's settings in the environment (AWS_*, GOOGLE_*, AZURE_*) are incomplete or wrong".to_owned(),
    }
}
