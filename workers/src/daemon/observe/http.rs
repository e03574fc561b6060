//! The HTTP side of a worker: `/healthz`, `/readyz` and `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use hirenet_core::Code;
use hirenet_store::Store;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Health, metrics, process, service};
use crate::failure::Failure;

/// Section `http` of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HttpSettings {
    /// Address and port to listen on; empty: no server.
    pub(crate) listen: String,
    /// Seconds without a sign of life of the worker's main loop, after which `/healthz` says that it hangs.
    pub(crate) stall_s: f64,
}

impl Default for HttpSettings {
    fn default() -> Self {
        HttpSettings { listen: String::new(), stall_s: 60.0 }
    }
}

/// The running server; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct HttpServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Shared {
    health: Arc<Health>,
    store: Option<Store>,
    handle: PrometheusHandle,
}

impl HttpServer {
    /// Starts counting, and serves where `settings` name an address: `None` where they do not. Without a `store` the
    /// metrics of the service are missing.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`] where the address cannot be listened on.
    pub(crate) async fn start(
        settings: &HttpSettings,
        health: Arc<Health>,
        store: Option<Store>,
    ) -> Result<Option<Self>, Failure> {
        let handle = metrics::start()?;
        if settings.listen.is_empty() {
            return Ok(None);
        }
        let refused =
            |error| Failure::new(Code::ConfigInvalid, format!("http.listen = {:?}: {error}", settings.listen));
        let listener = TcpListener::bind(&settings.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let routes = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(render))
            .with_state(Shared { health, store, handle });
        // `serve` never ends by itself and retries what fails in accepting.
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, routes).await;
        });
        tracing::info!(%address, "serving health and metrics");
        Ok(Some(HttpServer { address, task }))
    }

    /// Where it listens.
    #[cfg(test)]
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        tracing::debug!(address = %self.address, "no longer serving");
        self.task.abort();
    }
}

async fn healthz(State(shared): State<Shared>) -> impl IntoResponse {
    if shared.health.is_alive() { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "hangs\n") }
}

async fn readyz(State(shared): State<Shared>) -> impl IntoResponse {
    let missing = shared.health.missing();
    if missing.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("missing: {}\n", missing.join(", ")))
}

async fn render(State(shared): State<Shared>) -> impl IntoResponse {
    process::record();
    if let Some(store) = &shared.store {
        service::record(store).await;
    }
    shared.handle.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], shared.handle.render())
}
