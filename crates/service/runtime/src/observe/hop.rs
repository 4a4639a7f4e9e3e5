//! The metrics of a hop: its window, its streams, and the response time of the peer.

use super::{Counter, Gauge, Histogram, Metrics};

/// Handles to the metrics of all hops to one peer. Those of the default are not on the page of metrics.
#[derive(Clone, Debug, Default)]
pub struct HopMeter {
    /// The total size in items of the windows of all hops to the peer.
    pub(crate) window: Gauge,
    /// The number of places taken in these windows.
    pub(crate) out: Gauge,
    /// The number of open streams to the peer.
    pub(crate) streams: Gauge,
    pub(crate) opened: Counter,
    pub(crate) lost: Counter,
    pub(crate) disconnections: Counter,
    /// 1 while the peer is disconnected, else 0.
    pub(crate) waiting: Gauge,
    pub(crate) sent_again: Counter,
    pub(crate) round_trip: Histogram,
}

impl HopMeter {
    /// Registers the metrics of the hops to `peer`, such as `receiver`, which the page shows as
    /// `latentlink_hop_…{peer}`. `windowed` is whether the hops keep items until they are acknowledged; without it
    /// there are no metrics of a window.
    pub fn register(metrics: &Metrics, peer: &'static str, windowed: bool) -> Self {
        let gauge = |name: &str, help: &str| {
            let [gauge] = metrics.gauges(&format!("latentlink_hop_{name}"), help, "peer", [peer]);
            gauge
        };
        let counter = |name: &str, help: &str| {
            let [counter] = metrics.counters(&format!("latentlink_hop_{name}"), help, "peer", [peer]);
            counter
        };
        let mut meter = HopMeter {
            streams: gauge("streams", "Streams to the peer that are open"),
            opened: counter("streams_opened", "Streams to the peer that were opened"),
            lost: counter("reconnects", "Streams to the peer that were lost or could not be opened, to be tried again"),
            disconnections: counter("outages", "Times that the peer was found to be away"),
            waiting: gauge("outage", "1 while the peer is away"),
            ..HopMeter::default()
        };
        if windowed {
            meter.window = gauge("window_items", "Items that the open windows have room for");
            meter.out = gauge("items_out", "Items that hold a place in a window");
            meter.sent_again = counter("items_sent_again", "Items that were sent again after a stream was lost");
            let help = "From handing an item over to its acknowledgement";
            meter.round_trip = metrics.latency("latentlink_hop_round_trip", help);
        }
        meter
    }

    /// Counts a stream to the peer that was opened. It counts as open until the result is dropped.
    pub fn opened(&self) -> Held {
        self.opened.inc();
        Held::of(&self.streams, 1)
    }

    /// Counts a stream to the peer that was lost or could not be opened, and will be tried again.
    pub fn lost(&self) {
        self.lost.inc();
    }
}

impl HopMeter {
    /// Counts that the peer was found to be disconnected (`away`), or that it responds again.
    pub(crate) fn disconnection(&self, away: bool) {
        self.disconnections.inc_by(u64::from(away));
        self.waiting.set(i64::from(away));
    }
}

/// A guard that keeps a gauge raised by an amount until it is dropped.
#[derive(Debug)]
pub struct Held {
    gauge: Gauge,
    by: i64,
}

impl Held {
    /// Raises `gauge` by the amount `by`, until the guard is dropped.
    pub fn of(gauge: &Gauge, by: i64) -> Self {
        gauge.inc_by(by);
        Held { gauge: gauge.clone(), by }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.gauge.dec_by(self.by);
    }
}
