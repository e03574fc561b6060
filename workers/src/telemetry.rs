//! Traces for OpenTelemetry, where a collector is set: spans go out over OTLP/HTTP, and messages carry their context in
//! the W3C header `traceparent`. Without a collector nothing of this runs, and a message's `traceparent` is handed on
//! as it came.

use std::collections::HashMap;

use hirenet_core::Code;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use serde::{Deserialize, Serialize};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::{Layer, Registry};

use crate::failure::Failure;

/// The header of messages and the key of outbox rows that carries the context.
const TRACEPARENT: &str = "traceparent";

/// Section `telemetry` of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TelemetrySettings {
    /// Address of a collector's OTLP/HTTP traces, such as `http://127.0.0.1:4318/v1/traces`; empty: no traces.
    pub(crate) otlp_endpoint: String,
    /// Share of new traces that are recorded, 0 to 1; a message that comes with a trace follows that one's choice.
    pub(crate) sample_ratio: f64,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        TelemetrySettings { otlp_endpoint: String::new(), sample_ratio: 1.0 }
    }
}

/// Sends what is left of the spans when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Flush(Option<SdkTracerProvider>);

impl Drop for Flush {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take() {
            // A collector that is away costs spans, never work.
            let _ = provider.shutdown();
        }
    }
}

/// The layer that records spans.
pub(crate) type TraceLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Prepares the export; no layer where no collector is set.
///
/// # Errors
/// [`Code::ConfigInvalid`] where the address makes no sense.
pub(crate) fn start(settings: &TelemetrySettings) -> Result<(Option<TraceLayer>, Flush), Failure> {
    if settings.otlp_endpoint.is_empty() {
        return Ok((None, Flush::default()));
    }
    if !(0.0..=1.0).contains(&settings.sample_ratio) {
        return Err(Failure::new(Code::ConfigInvalid, "telemetry.sample_ratio must lie between 0 and 1"));
    }
    // The exporter's HTTP client takes the process's provider; whichever part of the program comes first installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(&settings.otlp_endpoint)
        .build()
        .map_err(|error| Failure::new(Code::ConfigInvalid, format!("telemetry.otlp_endpoint: {error}")))?;
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sample_ratio))))
        .with_resource(Resource::builder().with_service_name("hirenet").build())
        .with_batch_exporter(exporter)
        .build();
    let ours = Targets::new().with_target("hirenet", LevelFilter::INFO);
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("hirenet")).with_filter(ours);
    Ok((Some(layer.boxed()), Flush(Some(provider))))
}

/// Makes `span` a child of the context that a message came with; a context that cannot be read is none.
pub(crate) fn continue_from(span: &Span, traceparent: Option<&str>) {
    if let Some(traceparent) = traceparent {
        let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
        // Refused where no layer records spans, and then there is nothing to continue.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&carrier));
    }
}

/// The context for messages that follow from `span`; `None` where it is not recorded.
pub(crate) fn traceparent(span: &Span) -> Option<String> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut carrier);
    carrier.remove(TRACEPARENT)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    /// Takes one request and gives its first line and body.
    fn collector() -> (String, std::thread::JoinHandle<(String, Vec<u8>)>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut request, mut piece) = (Vec::new(), [0; 4096]);
            loop {
                let text = String::from_utf8_lossy(&request).into_owned();
                if let Some((head, _)) = text.split_once("\r\n\r\n") {
                    let length =
                        head.to_lowercase().lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok());
                    let body = request[head.len() + 4..].to_vec();
                    if body.len() >= length.unwrap_or(0) {
                        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
                        return (head.lines().next().unwrap().to_owned(), body);
                    }
                }
                let read = stream.read(&mut piece).unwrap();
                assert!(read > 0, "the request ends early");
                request.extend_from_slice(&piece[..read]);
            }
        });
        (address, thread)
    }

    #[test]
    fn a_span_follows_its_message_and_reaches_the_collector() {
        let (otlp_endpoint, collector) = collector();
        let (layer, flush) = start(&TelemetrySettings { otlp_endpoint, sample_ratio: 1.0 }).unwrap();
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!(target: "hirenet::daemon", "extract");
            continue_from(&span, Some(PARENT));
            let handed_on = traceparent(&span).unwrap();
            assert_eq!(handed_on.split('-').nth(1), PARENT.split('-').nth(1), "another trace");
            assert_ne!(handed_on.split('-').nth(2), PARENT.split('-').nth(2), "the parent's own span");
        });
        drop(flush);
        let (line, body) = collector.join().unwrap();
        assert_eq!(line, "POST /v1/traces HTTP/1.1");
        let trace_id = [0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c];
        assert!(body.windows(16).any(|window| window == trace_id), "the span is not of the message's trace");
        assert!(body.windows(7).any(|window| window == b"extract"));
    }

    #[test]
    fn without_a_collector_there_is_no_context_of_ours() {
        let (layer, _flush) = start(&TelemetrySettings::default()).unwrap();
        assert!(layer.is_none());
        let span = tracing::info_span!("extract");
        continue_from(&span, Some(PARENT));
        assert_eq!(traceparent(&span), None);
    }

    #[test]
    fn a_wrong_setting_is_refused() {
        let wrong = TelemetrySettings { otlp_endpoint: "http://x/".to_owned(), sample_ratio: 2.0 };
        assert!(start(&wrong).is_err());
    }
}
