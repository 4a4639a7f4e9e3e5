//! `health`: asks one process whether it serves, for health checks in images that hold nothing but this binary.

use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use runtime::PeerUrl;
use runtime::connect::reason;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// Arguments of `health`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The process, http://host:port.
    #[arg(value_name = "URL")]
    url: PeerUrl,
    /// One of its gRPC services, such as latentlink.v1.Receiver; without it the process as a whole.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    service: String,
    /// Seconds to wait for the answer.
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    timeout: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}`: expected seconds, more than 0 and at most 3600, such as 3 or 0.5");
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    if seconds > 0.0 && seconds <= 3600.0 { Ok(Duration::from_secs_f64(seconds)) } else { Err(wrong()) }
}

/// Prints one line if the process serves.
///
/// # Errors
/// If it does not: because it drains, does not know the service, or gives no answer in time.
pub async fn run(args: &Args) -> Result<()> {
    let Args { url, service, timeout } = args;
    let mut client = HealthClient::new(url.channel());
    let call = client.check(HealthCheckRequest { service: service.clone() });
    let answer = tokio::time::timeout(*timeout, call)
        .await
        .map_err(|_| anyhow!("{url}: no answer within {} s", timeout.as_secs_f64()))?
        .map_err(|status| anyhow!("{url}: {}", reason(&status)))?;
    match answer.get_ref().status() {
        ServingStatus::Serving => console::print(format!("{url}: serving\n"))?,
        ServingStatus::NotServing => bail!("{url}: not serving"),
        ServingStatus::Unknown | ServingStatus::ServiceUnknown => bail!("{url}: does not say whether it serves"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_positive_number_of_seconds() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["0", "-1", "nan", "inf", "1e9", "3s", ""] {
            let error = seconds(text).unwrap_err();
            assert!(error.contains(text) && error.contains("expected seconds"), "{error}");
        }
    }
}
