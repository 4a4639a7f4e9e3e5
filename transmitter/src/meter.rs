//! What the transmitter counts.

use runtime::Observer;
use runtime::observe::{BATCH_BOUNDS, Counter, Faults, Gauge, Histogram, HopMeter};

/// Handles to the transmitter's metrics. Cheap to clone; the default is shown nowhere.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    /// Clips that came in.
    pub clips: Counter,
    /// Clips that got no burst.
    pub refused: Faults,
    /// Outcomes with a prediction.
    pub predicted: Counter,
    /// Outcomes with an error, our own refusals included.
    pub failed: Counter,
    /// Complex symbols handed to the hop.
    pub symbols: Counter,
    /// Client streams that are open.
    pub streams: Gauge,
    /// From a clip's arrival to its burst.
    pub encoding: Histogram,
    /// From a clip's arrival to its outcome.
    pub answering: Histogram,
    /// From when a media file is begun with to its features.
    pub extracting: Histogram,
    /// Clips encoded at once.
    pub batch: Histogram,
    /// The hop to the emulator.
    pub hop: HopMeter,
}

impl Meter {
    /// Shown by `observer`.
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
