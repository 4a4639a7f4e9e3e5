//! What the receiver counts, accuracy by SNR among it.

use crate::accuracy::Verdict;
use proto::v1::{ChannelKind, Conditions};
use runtime::Observer;
use runtime::observe::{
    BATCH_BOUNDS, Collector, ConstCounter, Counter, DescriptorEncoder, EncodeMetric, Faults, Gauge, Histogram,
};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// SNRs are counted to the next whole dB, and those beyond the ends at the ends.
const SNR_DB: std::ops::RangeInclusive<i32> = -40..=60;
const BINS: usize = 101;
/// Kinds that have an SNR; the noiseless channel has one bin behind theirs.
const KINDS: [(ChannelKind, &str); 3] =
    [(ChannelKind::Awgn, "awgn"), (ChannelKind::Rayleigh, "rayleigh"), (ChannelKind::Rician, "rician")];

/// Handles to the receiver's metrics. Cheap to clone; the default is shown nowhere.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    /// Whole bursts that came in, refused ones included.
    pub bursts: Counter,
    /// Bursts that got an error.
    pub refused: Faults,
    /// Receipts with a prediction.
    pub receipts: Counter,
    /// Complex symbols that came in.
    pub symbols: Counter,
    /// Streams of bursts that are open.
    pub streams: Gauge,
    /// From a burst's arrival to its receipt.
    pub latency: Histogram,
    /// Bursts decoded at once.
    pub batch: Histogram,
    /// Of equalising and decoding a batch.
    pub decoding: Histogram,
    /// Of the journal's transactions.
    pub commit: Histogram,
    /// Entries in one transaction.
    pub commit_rows: Histogram,
    /// Transactions that failed.
    pub commit_failures: Counter,
    /// Rows in the journal under the weights being served.
    pub rows: Gauge,
    /// Keys that had a row already.
    pub repeated: Counter,
    /// Of new rows since the process began.
    pub accuracy: AccuracyBySnr,
}

impl Meter {
    /// Shown by `observer`.
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

/// Counts of one bin.
#[derive(Debug, Default)]
struct Bin {
    clips: AtomicU64,
    labelled: AtomicU64,
    signed: AtomicU64,
    sign_correct: AtomicU64,
    nonneg_correct: AtomicU64,
    class_correct: AtomicU64,
    /// Millionths, so that it is an integer.
    absolute_error: AtomicU64,
}

/// New rows and what they were right about, by channel and whole dB of nominal SNR, K aside: 304 bins, whatever comes.
#[derive(Clone, Debug)]
pub struct AccuracyBySnr(Arc<[Bin]>);

impl Default for AccuracyBySnr {
    fn default() -> Self {
        AccuracyBySnr((0..=KINDS.len() * BINS).map(|_| Bin::default()).collect())
    }
}

impl AccuracyBySnr {
    /// Counts a new row; `verdict` is `None` for one without a label.
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
            // At most 6.
            add(&bin.absolute_error, (verdict.absolute_error * 1e6).round() as u64);
        }
    }
}

/// The bin of checked conditions.
fn bin(conditions: Option<&Conditions>) -> usize {
    let kind = |conditions: &Conditions| KINDS.iter().position(|(kind, _)| *kind as i32 == conditions.kind);
    let (Some(kind), Some(snr_db)) = (conditions.and_then(kind), conditions.and_then(|met| met.snr_db)) else {
        return KINDS.len() * BINS;
    };
    // A float that does not fit goes to the nearest integer that does, and NaN to 0.
    let db = (snr_db.round() as i32).clamp(*SNR_DB.start(), *SNR_DB.end());
    kind * BINS + (db - SNR_DB.start()) as usize
}

/// A metric's name behind `latentlink_receiver_`, its help, and its value in a bin.
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
