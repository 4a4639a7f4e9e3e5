//! The metrics of the receiver for Prometheus, among them accuracy by SNR.

use crate::accuracy::Verdict;
use proto::v1::{ChannelKind, Conditions};
use runtime::Observer;
use runtime::observe::{
    BATCH_BOUNDS, Collector, ConstCounter, Counter, DescriptorEncoder, EncodeMetric, Faults, Gauge, Histogram,
};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The range of the SNR bins in whole dB. An SNR is rounded to the nearest whole dB; one beyond an end is counted in
/// the bin at that end.
const SNR_DB: std::ops::RangeInclusive<i32> = -40..=60;
const BINS: usize = 101;
/// The kinds of channel that have an SNR, with their names as labels; the noiseless channel has one bin after theirs.
const KINDS: [(ChannelKind, &str); 3] =
    [(ChannelKind::Awgn, "awgn"), (ChannelKind::Rayleigh, "rayleigh"), (ChannelKind::Rician, "rician")];

/// Handles to the receiver's metrics. Cheap to clone; the default's metrics are not exported.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    /// Number of complete bursts that arrived, refused ones included.
    pub bursts: Counter,
    /// Number of refused bursts, by error code.
    pub refused: Faults,
    /// Number of acknowledgements with a prediction.
    pub receipts: Counter,
    /// Number of complex symbols that arrived.
    pub symbols: Counter,
    /// Number of open streams of bursts.
    pub streams: Gauge,
    /// Seconds from a burst's arrival to its acknowledgement.
    pub latency: Histogram,
    /// Number of bursts in a batch of the decoder.
    pub batch: Histogram,
    /// Seconds that equalising and decoding a batch takes.
    pub decoding: Histogram,
    /// Seconds that a transaction of the journal takes.
    pub commit: Histogram,
    /// Number of entries in a transaction of the journal.
    pub commit_rows: Histogram,
    /// Number of transactions of the journal that failed.
    pub commit_failures: Counter,
    /// Number of rows in the journal under the weights being served.
    pub rows: Gauge,
    /// Number of bursts whose delivery key was answered already or is being decoded.
    pub repeated: Counter,
    /// Accuracy of the rows written since the process began, by channel and SNR.
    pub accuracy: AccuracyBySnr,
}

impl Meter {
    /// Creates the metrics and registers them with `observer`, which exports them.
    pub fn register(observer: &Observer) -> Self {
        let counter = |name: &str, help: &str| observer.counter(&format!("latentlink_receiver_{name}"), help);
        let gauge = |name: &str, help: &str| observer.gauge(&format!("latentlink_receiver_{name}"), help);
        let latency = |name: &str, help: &str| observer.latency(&format!("latentlink_receiver_{name}"), help);
        let batch =
            |name: &str, help: &str| observer.histogram(&format!("latentlink_receiver_{name}"), help, BATCH_BOUNDS);
        let accuracy = AccuracyBySnr::default();
        observer.collect(accuracy.clone());
        Meter {
            bursts: counter("bursts", "Bursts that came in, refused ones included"),
            refused: Faults::register(
                observer,
                "latentlink_receiver_bursts_refused",
                "Bursts that got an error, by error code",
            ),
            receipts: counter("receipts", "Receipts with a prediction"),
            symbols: counter("symbols", "Complex symbols that came in"),
            streams: gauge("streams", "Streams of bursts that are open"),
            latency: latency("latency", "From a burst's arrival to its receipt"),
            batch: batch("batch_bursts", "Bursts decoded at once"),
            decoding: latency("decode", "Equalising and decoding a batch"),
            commit: latency("commit", "A transaction of the journal"),
            commit_rows: batch("commit_rows", "Entries in one transaction"),
            commit_failures: counter("commit_failures", "Transactions of the journal that failed"),
            rows: gauge("journal_rows", "Rows in the journal under the weights being served"),
            repeated: counter("repeated_keys", "Bursts that were answered from the journal, or refused for its row"),
            accuracy,
        }
    }
}

/// The counts of the new rows of one channel and one whole dB of SNR.
#[derive(Debug, Default)]
struct Bin {
    clips: AtomicU64,
    labelled: AtomicU64,
    signed: AtomicU64,
    sign_correct: AtomicU64,
    nonneg_correct: AtomicU64,
    class_correct: AtomicU64,
    /// Sum of |score − label| in millionths, so that it is an integer.
    absolute_error: AtomicU64,
}

/// Counts of new rows and of their correct decisions, by channel and whole dB of nominal SNR. The K factor is ignored.
/// There are 304 bins, whatever conditions occur.
#[derive(Clone, Debug)]
pub struct AccuracyBySnr(Arc<[Bin]>);

impl Default for AccuracyBySnr {
    fn default() -> Self {
        AccuracyBySnr((0..=KINDS.len() * BINS).map(|_| Bin::default()).collect())
    }
}

impl AccuracyBySnr {
    /// Counts a new row of the journal in the bin of `conditions`; `verdict` is `None` for a row without a label.
    pub fn count(&self, conditions: Option<&Conditions>, verdict: Option<&Verdict>) {
        let bin = &self.0[bin(conditions)];
        let add = |count: &AtomicU64, by: u64| count.fetch_add(by, Ordering::Relaxed);
        add(&bin.clips, 1);
        if let Some(verdict) = verdict {
            add(&bin.labelled, 1);
            add(&bin.signed, verdict.sign_correct.is_some().into());
            add(&bin.sign_correct, (verdict.sign_correct == Some(true)).into());
            add(&bin.nonneg_correct, verdict.nonneg_correct.into());
            add(&bin.class_correct, verdict.class_correct.into());
            // |score − label| is at most 6.
            add(&bin.absolute_error, (verdict.absolute_error * 1e6).round() as u64);
        }
    }
}

/// The index of the bin of channel conditions; that of the noiseless channel if they have no SNR.
fn bin(conditions: Option<&Conditions>) -> usize {
    let kind = |conditions: &Conditions| KINDS.iter().position(|(kind, _)| *kind as i32 == conditions.kind);
    let (Some(kind), Some(snr_db)) = (conditions.and_then(kind), conditions.and_then(|met| met.snr_db)) else {
        return KINDS.len() * BINS;
    };
    // `as` saturates a float that does not fit, and turns NaN into 0.
    let db = (snr_db.round() as i32).clamp(*SNR_DB.start(), *SNR_DB.end());
    kind * BINS + (db - SNR_DB.start()) as usize
}

/// A metric of [`AccuracyBySnr`]: its name after `latentlink_receiver_`, its help text, and its value in a bin.
type Shown = (&'static str, &'static str, fn(&Bin) -> f64);

const SHOWN: [Shown; 7] = [
    ("clips", "New rows, by channel and nominal SNR", |bin| load(&bin.clips)),
    ("labelled", "New rows with a reference label", |bin| load(&bin.labelled)),
    ("signed", "New rows with a reference label other than 0", |bin| load(&bin.signed)),
    ("sign_correct", "Those of the signed whose sign was met: Acc-2 pos", |bin| load(&bin.sign_correct)),
    ("nonneg_correct", "Those of the labelled told from below zero: Acc-2 nonneg", |bin| load(&bin.nonneg_correct)),
    ("class_correct", "Those of the labelled whose class was met: Acc-7", |bin| load(&bin.class_correct)),
    ("absolute_error", "Sum of |score - label| over the labelled", |bin| load(&bin.absolute_error) / 1e6),
];

fn load(count: &AtomicU64) -> f64 {
    count.load(Ordering::Relaxed) as f64
}

impl Collector for AccuracyBySnr {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let met: Vec<usize> = (0..self.0.len()).filter(|&bin| load(&self.0[bin].clips) > 0.0).collect();
        if met.is_empty() {
            return Ok(());
        }
        let counter = ConstCounter::new(0.0).metric_type();
        for (name, help, value) in SHOWN {
            let (name, help) = (format!("latentlink_receiver_{name}"), format!("{help}."));
            let mut family = encoder.encode_descriptor(&name, &help, None, counter)?;
            for &bin in &met {
                let labels = match KINDS.get(bin / BINS) {
                    Some((_, kind)) => {
                        let snr_db = SNR_DB.start() + (bin % BINS) as i32;
                        vec![("channel", (*kind).to_owned()), ("snr_db", snr_db.to_string())]
                    }
                    None => vec![("channel", "none".to_owned())],
                };
                ConstCounter::new(value(&self.0[bin])).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(kind: ChannelKind, snr_db: Option<f64>) -> Conditions {
        Conditions { kind: kind.into(), snr_db, k_factor: None }
    }

    #[test]
    fn bins_are_few_whatever_conditions_come() {
        let observer = Observer::new("test");
        let meter = Meter::register(&observer);
        assert!(!observer.page().contains("sign_correct"), "nothing was met");
        let verdict = Verdict {
            sign_correct: Some(true),
            nonneg_correct: true,
            class_correct: false,
            absolute_error: 0.75,
            truth: (true, true),
        };
        for tenth in -3000..3000 {
            for (kind, _) in KINDS {
                meter.accuracy.count(Some(&conditions(kind, Some(f64::from(tenth) / 10.0))), Some(&verdict));
            }
        }
        meter.accuracy.count(Some(&conditions(ChannelKind::None, None)), None);
        let page = observer.page();
        assert_eq!(page.matches("latentlink_receiver_clips_total{").count(), 304, "{page}");
        for line in [
            // From 2.5 to 3.4 dB: halves are rounded away from zero.
            "latentlink_receiver_clips_total{channel=\"awgn\",snr_db=\"3\"} 10",
            "latentlink_receiver_sign_correct_total{channel=\"rician\",snr_db=\"-12\"} 10",
            "latentlink_receiver_class_correct_total{channel=\"rician\",snr_db=\"-12\"} 0",
            "latentlink_receiver_absolute_error_total{channel=\"rayleigh\",snr_db=\"7\"} 7.5",
            "latentlink_receiver_clips_total{channel=\"rayleigh\",snr_db=\"-40\"} 2606",
            "latentlink_receiver_clips_total{channel=\"none\"} 1",
            "latentlink_receiver_labelled_total{channel=\"none\"} 0",
        ] {
            assert!(page.lines().any(|found| found.trim_end_matches(".0") == line), "{line} is not in\n{page}");
        }
    }
}
