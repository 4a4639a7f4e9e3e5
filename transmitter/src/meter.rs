//! The metrics of the transmitter for Prometheus.

use runtime::Observer;
use runtime::observe::{BATCH_BOUNDS, Counter, Faults, Gauge, Histogram, HopMeter};

/// Handles to the transmitter's metrics. Cheap to clone; the default's metrics are not exported.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    /// Number of clips that arrived.
    pub clips: Counter,
    /// Number of clips that were refused before a burst was sent, by error code.
    pub refused: Faults,
    /// Number of outcomes with a prediction.
    pub predicted: Counter,
    /// Number of outcomes with an error, including the transmitter's own refusals.
    pub failed: Counter,
    /// Number of complex symbols handed to the hop.
    pub symbols: Counter,
    /// Number of open client streams.
    pub streams: Gauge,
    /// Seconds from a clip's arrival to its burst, including the wait for a slot of the window.
    pub encoding: Histogram,
    /// Seconds from a clip's arrival to its outcome.
    pub answering: Histogram,
    /// Seconds that reading one media file takes.
    pub extracting: Histogram,
    /// Number of clips in a batch of the encoder.
    pub batch: Histogram,
    /// Metrics of the hop to the channel emulator.
    pub hop: HopMeter,
}

impl Meter {
    /// Creates the metrics and registers them with `observer`, which exports them.
    pub fn register(observer: &Observer) -> Self {
        let counter = |name: &str, help: &str| observer.counter(&format!("latentlink_transmitter_{name}"), help);
        let latency = |name: &str, help: &str| observer.latency(&format!("latentlink_transmitter_{name}"), help);
        let [predicted, failed] = observer.counters(
            "latentlink_transmitter_outcomes",
            "Outcomes given to clients, a prediction or an error",
            "result",
            ["prediction", "error"],
        );
        Meter {
            clips: counter("clips", "Clips that came in"),
            refused: Faults::register(
                observer,
                "latentlink_transmitter_clips_refused",
                "Clips that could not be sent, by error code",
            ),
            predicted,
            failed,
            symbols: counter("symbols", "Complex symbols that were sent"),
            streams: observer.gauge("latentlink_transmitter_streams", "Client streams that are open"),
            encoding: latency(
                "latency",
                "From a clip's arrival to its burst, waiting for a place in the window included",
            ),
            answering: latency("answer", "From a clip's arrival to its outcome, through the whole link"),
            extracting: latency("extract", "From when a media file is begun with to its features"),
            batch: observer.histogram("latentlink_transmitter_batch_clips", "Clips encoded at once", BATCH_BOUNDS),
            hop: HopMeter::register(observer, "channel-emulator", true),
        }
    }
}
