//! The broker's `consumer_timeout`: how long a delivery may stay unsettled before the broker takes the channel away.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tracing::debug;

use crate::{Broker, QueueError, QueueSettings};

/// The broker looks once a minute (measured on RabbitMQ 3.10.8): a timeout may strike that much later, never earlier,
/// but a worker's own clock and the acknowledgement's way need some room too.
const ROOM: Duration = Duration::from_secs(60);

/// Checks that a delivery may be held for `longest`.
///
/// AMQP does not tell the timeout, so a setting does. Where the management interface answers and knows a timeout of the
/// queue (a policy or an argument, from RabbitMQ 3.12 on), that one counts.
///
/// # Errors
/// [`QueueError::ConsumerTimeout`] where it may not.
pub async fn check_consumer_timeout(broker: &Broker, queue: &str, longest: Duration) -> Result<(), QueueError> {
    let settings = broker.settings().clone();
    let name = queue.to_owned();
    let told = tokio::task::spawn_blocking(move || from_management(&settings, &name)).await.unwrap_or(None);
    let (found_s, source_name) = match told {
        Some(told) => (told, "told by the management interface"),
        None => (broker.settings().consumer_timeout_s, "setting queue.consumer_timeout_s"),
    };
    judge(found_s, source_name, longest)
}

fn judge(found_s: f64, source_name: &'static str, longest: Duration) -> Result<(), QueueError> {
    let needed_s = (longest + ROOM).as_secs_f64();
    if found_s > 0.0 && found_s < needed_s {
        return Err(QueueError::ConsumerTimeout { found_s, source_name, needed_s });
    }
    Ok(())
}

/// The queue's timeout in seconds, where the management interface is configured, answers, and knows one.
fn from_management(settings: &QueueSettings, queue: &str) -> Option<f64> {
    let address = settings.management_address().ok()??;
    let (base, authorization) = split(address.expose())?;
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5))).build().into();
    let url = format!("{base}/api/queues/{}/{queue}", vhost(settings));
    let answer = agent.get(&url).header("Authorization", &authorization).call();
    let Ok(mut answer) = answer else {
        // Its error may repeat the address.
        debug!("the management interface did not answer");
        return None;
    };
    let queue: Value = serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()?;
    timeout_of(&queue)
}

fn timeout_of(queue: &Value) -> Option<f64> {
    let argument = &queue["arguments"]["x-consumer-timeout"];
    let policy = &queue["effective_policy_definition"]["consumer-timeout"];
    let ms = argument.as_f64().or_else(|| policy.as_f64())?;
    Some(ms / 1000.0)
}

/// `http://user:password@host:port` to the address without them, and the header that says them.
fn split(address: &str) -> Option<(String, String)> {
    let (scheme, rest) = address.trim_end_matches('/').split_once("://")?;
    let (login, host) = rest.rsplit_once('@')?;
    Some((format!("{scheme}://{host}"), format!("Basic {}", BASE64_STANDARD.encode(login))))
}

/// The virtual host of the AMQP address, as it stands in a path.
fn vhost(settings: &QueueSettings) -> String {
    let address = settings.address().ok();
    let path = address.as_ref().and_then(|a| a.expose().split_once("://")?.1.split_once('/')).map(|(_, path)| path);
    match path.map(|path| path.split('?').next().unwrap_or_default()) {
        None | Some("") => "%2f".to_owned(),
        Some(name) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_timeout_that_is_too_short_is_told() {
        let error = judge(60.0, "a test", Duration::from_secs(840)).unwrap_err();
        assert!(error.to_string().contains("60 s") && error.to_string().contains("900 s"), "{error}");
        judge(900.0, "a test", Duration::from_secs(840)).unwrap();
        judge(0.0, "a test", Duration::from_secs(840)).unwrap();
    }

    #[test]
    fn the_argument_counts_before_the_policy() {
        let queue = json!({"arguments": {"x-consumer-timeout": 60_000}, "effective_policy_definition": {"consumer-timeout": 1}});
        assert_eq!(timeout_of(&queue), Some(60.0));
        assert_eq!(timeout_of(&json!({"effective_policy_definition": {"consumer-timeout": 120_000}})), Some(120.0));
        assert_eq!(timeout_of(&json!({"arguments": {}})), None);
    }

    #[test]
    fn addresses_are_taken_apart() {
        let (base, authorization) = split("http://guest:guest@127.0.0.1:15672/").unwrap();
        assert_eq!((base.as_str(), authorization.as_str()), ("http://127.0.0.1:15672", "Basic Z3Vlc3Q6Z3Vlc3Q="));
        let settings = |url: &str| QueueSettings { url: hirenet_core::Secret::new(url), ..QueueSettings::default() };
        assert_eq!(vhost(&settings("amqp://h:1")), "%2f");
        assert_eq!(vhost(&settings("amqp://u:p@h:1/jobs?heartbeat=1")), "jobs");
    }
}
