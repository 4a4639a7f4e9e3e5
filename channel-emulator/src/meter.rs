//! What the channel emulator counts, and the conditions in force.

use crate::live::Live;
use phy::ChannelKind;
use runtime::Observer;
use runtime::observe::{
    Collector, ConstGauge, Counter, DescriptorEncoder, EncodeMetric, Faults, Gauge, Histogram, HopMeter,
};
use std::fmt;

/// Upper bounds of realised SNRs in dB. Rayleigh fading reaches far below the nominal SNR.
const SNR_BOUNDS: &[f64] = &[
    -40.0, -35.0, -30.0, -25.0, -20.0, -15.0, -12.0, -9.0, -6.0, -3.0, 0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0, 21.0,
    25.0, 30.0, 35.0, 40.0, 50.0, 60.0,
];

/// Handles to the emulator's metrics. Cheap to clone; the default is shown nowhere.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    /// Whole bursts that came in, refused ones included.
    pub bursts: Counter,
    /// Bursts that were not relayed.
    pub refused: Faults,
    /// Receipts of the receiver that were passed back.
    pub receipts: Counter,
    /// Complex symbols that passed.
    pub symbols: Counter,
    /// Streams of transmitters that are open.
    pub streams: Gauge,
    /// From a burst's arrival to its leaving.
    pub latency: Histogram,
    /// What each burst met, in dB.
    pub realised_snr_db: Histogram,
    /// The streams to the receiver.
    pub hop: HopMeter,
}

impl Meter {
    /// Shown by `observer`, with the conditions of `live`.
    pub fn register(observer: &Observer, live: Live) -> Self {
        observer.collect(InForce(live));
        let counter = |name: &str, help: &str| observer.counter(&format!("latentlink_emulator_{name}"), help);
        Meter {
            bursts: counter("bursts", "Bursts that came in, refused ones included"),
            refused: Faults::register(
                observer,
                "latentlink_emulator_bursts_refused",
                "Bursts that were not relayed, by error code",
            ),
            receipts: counter("receipts", "Receipts of the receiver that were passed back"),
            symbols: counter("symbols", "Complex symbols that passed the channel"),
            streams: observer.gauge("latentlink_emulator_streams", "Streams of transmitters that are open"),
            latency: observer.latency("latentlink_emulator_latency", "From a burst's arrival to its leaving"),
            realised_snr_db: observer.histogram(
                "latentlink_emulator_realised_snr_db",
                "SNR that each burst met, its own fading and noise included, in dB",
                SNR_BOUNDS,
            ),
            hop: HopMeter::register(observer, "receiver", false),
        }
    }
}

/// The conditions in force, read when the page is.
#[derive(Debug)]
struct InForce(Live);

impl Collector for InForce {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let conditions = self.0.get();
        let gauge = ConstGauge::new(0.0).metric_type();
        let help = "1 for the live channel, 0 for the others.";
        let mut kinds = encoder.encode_descriptor("latentlink_emulator_channel", help, None, gauge)?;
        for kind in [ChannelKind::None, ChannelKind::Awgn, ChannelKind::Rayleigh, ChannelKind::Rician] {
            let labels = [("channel", kind.to_string())];
            ConstGauge::new(i64::from(kind == conditions.kind())).encode(kinds.encode_family(&labels)?)?;
        }
        let values = [
            ("latentlink_emulator_snr_db", "The live SNR in dB; absent for a channel that has none.", {
                conditions.snr_db().map(|snr| snr.db())
            }),
            (
                "latentlink_emulator_k_factor",
                "The live K factor, linear; absent but for rician.",
                conditions.k_factor(),
            ),
        ];
        for (name, help, value) in values {
            if let Some(value) = value {
                let gauge = ConstGauge::new(value);
                gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
            }
        }
        Ok(())
    }
}
