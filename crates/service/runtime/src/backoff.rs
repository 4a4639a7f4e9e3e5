//! Retries while a peer is disconnected: exponential backoff with full jitter, and one log line per disconnection.

use crate::observe::HopMeter;
use rand::RngExt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tonic::Status;

const BASE: Duration = Duration::from_millis(50);
const CAP: Duration = Duration::from_secs(2);

/// The delays between retries: each is uniform in `[0, min(2 s, 50 ms · 2^tries)]`, `tries` being the number of delays
/// since the last success.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    tries: u32,
}

impl Backoff {
    /// Draws the delay before the next retry, and counts it.
    pub fn next_delay(&mut self) -> Duration {
        let limit = BASE.saturating_mul(1 << self.tries.min(10)).min(CAP);
        self.tries = self.tries.saturating_add(1);
        // Full jitter: clients that lost the same peer do not all reconnect at the same time.
        limit.mul_f64(rand::rng().random::<f64>())
    }

    /// Resets the number of retries to 0, after a success.
    pub fn reset(&mut self) {
        self.tries = 0;
    }
}

/// The disconnections of a peer. Each is logged once when it begins and once when it ends, whatever the number of
/// retries and streams between.
#[derive(Debug)]
pub struct Disconnection {
    peer: String,
    since: Mutex<Option<Instant>>,
    meter: HopMeter,
}

impl Disconnection {
    /// A peer without a disconnection yet. `peer` is its name for logs, such as "channel emulator at http://…".
    pub fn new(peer: impl Into<String>) -> Self {
        Disconnection { peer: peer.into(), since: Mutex::new(None), meter: HopMeter::default() }
    }

    /// Replaces the metrics of the hops to the peer by `meter`.
    #[must_use]
    pub fn metered(self, meter: HopMeter) -> Self {
        Disconnection { meter, ..self }
    }

    /// The metrics of the hops to the peer.
    pub fn meter(&self) -> &HopMeter {
        &self.meter
    }

    /// The name of the peer for logs.
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// Records that the peer could not be reached or disconnected, for `reason`. Logs it unless the peer is known to be
    /// disconnected.
    pub fn begin(&self, reason: &Status) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_none() {
            *since = Some(Instant::now());
            self.meter.disconnection(true);
            tracing::warn!("waiting for the {}: {}", self.peer, crate::connect::reason(reason));
        }
    }

    /// Records that the peer responds. Logs it if the peer was disconnected.
    pub fn end(&self) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(began) = since.take() {
            self.meter.disconnection(false);
            tracing::info!("the {} answers again after {:.1} s", self.peer, began.elapsed().as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_cap_and_start_over() {
        let mut backoff = Backoff::default();
        let mut longest = Duration::ZERO;
        for tries in 0..200 {
            let delay = backoff.next_delay();
            assert!(delay <= CAP && delay <= BASE * (1 << tries.min(10)), "{delay:?} at try {tries}");
            longest = longest.max(delay);
        }
        // 190 draws are uniform up to the cap: all are below 0.9 of it with probability 0.9^190 < 1e-8.
        assert!(longest > CAP.mul_f64(0.9), "{longest:?}");
        backoff.reset();
        assert!(backoff.next_delay() <= BASE);
    }
}
