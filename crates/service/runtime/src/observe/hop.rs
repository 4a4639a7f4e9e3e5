//! What a hop counts: its window, its streams, and how long a peer takes to answer.

use super::{Counter, Gauge, Histogram, Metrics};

/// Handles to the metrics of all hops to one peer. The default is shown nowhere.
#[derive(Clone, Debug, Default)]
pub struct HopMeter {
    /// Places of all windows.
    pub(crate) window: Gauge,
    /// Places taken.
    pub(crate) out: Gauge,
    /// Streams that are open.
    pub(crate) streams: Gauge,
    pub(crate) opened: Counter,
    pub(crate) lost: Counter,
    pub(crate) outages: Counter,
    /// 1 during an outage.
    pub(crate) waiting: Gauge,
    pub(crate) sent_again: Counter,
    pub(crate) round_trip: Histogram,
}

impl HopMeter {
    /// Of the hops to `peer`, such as `receiver`; shown as `latentlink_hop_…{peer}`. `windowed` says whether items are
    /// kept until they are acknowledged; a relay that keeps none shows no window.
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
            outages: counter("outages", "Times that the peer was found to be away"),
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

    /// A stream to the peer was opened; it counts as open until the result is dropped.
    pub fn opened(&self) -> Held {
        self.opened.inc();
        Held::of(&self.streams, 1)
    }

    /// A stream to the peer was lost or could not be opened, and will be tried again.
    pub fn lost(&self) {
        self.lost.inc();
    }
}

impl HopMeter {
    /// The peer was found to be away, or answers again.
    pub(crate) fn outage(&self, away: bool) {
        self.outages.inc_by(u64::from(away));
        self.waiting.set(i64::from(away));
    }
}

/// Keeps a gauge raised until it is dropped.
#[derive(Debug)]
pub struct Held {
    gauge: Gauge,
    by: i64,
}

impl Held {
    /// Raises `gauge` by so much.
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
