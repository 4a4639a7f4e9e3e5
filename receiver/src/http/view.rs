//! What the API shows, as JSON: conditions, estimates with their intervals, points of the curve, rows.

use crate::accuracy::{Recent, Verdict};
use metrics::{Binary, Interval, mean_interval_of_sums, wilson};
use phy::Conditions;
use proto::v1;
use serde::Serialize;

/// Conditions; what a kind does not have is null.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ConditionsView {
    kind: &'static str,
    snr_db: Option<f64>,
    k_factor: Option<f64>,
}

impl From<&Conditions> for ConditionsView {
    fn from(conditions: &Conditions) -> Self {
        let snr_db = conditions.snr_db().map(phy::SnrDb::db);
        ConditionsView { kind: conditions.kind().name(), snr_db, k_factor: conditions.k_factor() }
    }
}

impl From<v1::Conditions> for ConditionsView {
    fn from(conditions: v1::Conditions) -> Self {
        let kind = match conditions.kind() {
            v1::ChannelKind::Unspecified => "unspecified",
            v1::ChannelKind::None => "none",
            v1::ChannelKind::Awgn => "awgn",
            v1::ChannelKind::Rayleigh => "rayleigh",
            v1::ChannelKind::Rician => "rician",
        };
        ConditionsView { kind, snr_db: conditions.snr_db, k_factor: conditions.k_factor }
    }
}

/// A figure with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// The rows it is of.
    pub n: u64,
}

impl Estimate {
    fn of(interval: Option<Interval>, n: u64) -> Option<Self> {
        interval.map(|Interval { estimate, low, high }| Estimate { value: estimate, low, high, n })
    }

    /// A rate, with Wilson's interval; `None` of nothing.
    pub fn rate(correct: u64, n: u64) -> Option<Self> {
        Estimate::of(wilson(correct, n), n)
    }

    /// A mean, with the normal interval; `None` below two values.
    fn mean(n: u64, sum: f64, squares: f64) -> Option<Self> {
        let bounded = mean_interval_of_sums(n, sum, squares).map(|mean| Interval { low: mean.low.max(0.0), ..mean });
        Estimate::of(bounded, n)
    }
}

/// All rows that met the same conditions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    #[serde(flatten)]
    conditions: ConditionsView,
    clips: u64,
    labelled: u64,
    acc2_pos: Option<Estimate>,
    acc2_nonneg: Option<Estimate>,
    f1_pos: Option<Estimate>,
    f1_nonneg: Option<Estimate>,
    acc7: Option<Estimate>,
    mae: Option<Estimate>,
}

impl From<&v1::Tally> for Point {
    fn from(tally: &v1::Tally) -> Self {
        let pos = binary(tally.signed, tally.sign_correct, tally.positive, tally.positive_correct);
        let nonneg = binary(tally.labelled, tally.nonneg_correct, tally.nonneg, tally.nonneg_met);
        let n = tally.labelled;
        Point {
            conditions: tally.conditions.unwrap_or_default().into(),
            clips: tally.clips,
            labelled: n,
            acc2_pos: Estimate::rate(pos.correct(), pos.total()),
            acc2_nonneg: Estimate::rate(nonneg.correct(), nonneg.total()),
            f1_pos: Estimate::of(pos.f1_interval(), pos.total()),
            f1_nonneg: Estimate::of(nonneg.f1_interval(), nonneg.total()),
            acc7: Estimate::rate(tally.class_correct, n),
            mae: Estimate::mean(n, tally.absolute_error, tally.squared_error),
        }
    }
}

/// The confusion of `all` decisions of which `correct` were right, where `truths` were to be positive and `met` of them
/// were found to be.
fn binary(all: u64, correct: u64, truths: u64, met: u64) -> Binary {
    let true_neg = correct.saturating_sub(met);
    Binary {
        true_pos: met,
        false_pos: all.saturating_sub(truths).saturating_sub(true_neg),
        true_neg,
        false_neg: truths.saturating_sub(met),
    }
}

/// The newest labelled rows, whatever they met.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecentView {
    clips: u64,
    acc2_pos: Option<Estimate>,
    acc2_nonneg: Option<Estimate>,
    acc7: Option<Estimate>,
    mae: Option<Estimate>,
}

impl From<&Recent> for RecentView {
    fn from(recent: &Recent) -> Self {
        let count = |of: fn(&Verdict) -> bool| recent.verdicts().filter(|verdict| of(verdict)).count() as u64;
        let n = recent.verdicts().len() as u64;
        let signed = count(|verdict| verdict.sign_correct.is_some());
        let errors = || recent.verdicts().map(|verdict| verdict.absolute_error);
        RecentView {
            clips: n,
            acc2_pos: Estimate::rate(count(|verdict| verdict.sign_correct == Some(true)), signed),
            acc2_nonneg: Estimate::rate(count(|verdict| verdict.nonneg_correct), n),
            acc7: Estimate::rate(count(|verdict| verdict.class_correct), n),
            mae: Estimate::mean(n, errors().sum(), errors().map(|error| error * error).sum()),
        }
    }
}

/// Microseconds in each process.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TimingsView {
    transmitter_us: u64,
    emulator_us: u64,
    receiver_us: u64,
}

impl From<v1::Timings> for TimingsView {
    fn from(timings: v1::Timings) -> Self {
        let v1::Timings { transmitter_us, emulator_us, receiver_us } = timings;
        TimingsView { transmitter_us, emulator_us, receiver_us }
    }
}

/// A distribution over the score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PredictionView {
    p_neg: f32,
    p_zero: f32,
    p_pos: f32,
    classes: Vec<f32>,
    score: f32,
}

impl From<v1::Prediction> for PredictionView {
    fn from(prediction: v1::Prediction) -> Self {
        let v1::Prediction { distribution, score } = prediction;
        let v1::ScorePrediction { median, p_neg, p_zero, p_pos } = score.unwrap_or_default();
        PredictionView { p_neg, p_zero, p_pos, classes: distribution, score: median }
    }
}

impl PredictionView {
    /// The side of zero that is more likely.
    pub fn sentiment(&self) -> &'static str {
        match self.p_pos.total_cmp(&self.p_neg) {
            std::cmp::Ordering::Less => "negative",
            std::cmp::Ordering::Equal => "undecided",
            std::cmp::Ordering::Greater => "positive",
        }
    }
}

/// A row of the journal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RowView {
    run_id: String,
    sequence: u64,
    clip_id: String,
    caption: String,
    label: Option<f32>,
    #[serde(flatten)]
    prediction: PredictionView,
    conditions: ConditionsView,
    realised_snr_db: Option<f64>,
    timings: TimingsView,
    written_at_ms: u64,
}

impl From<v1::Row> for RowView {
    fn from(row: v1::Row) -> Self {
        let delivery = row.delivery.unwrap_or_default();
        let channel = row.channel.unwrap_or_default();
        RowView {
            run_id: delivery.run_id,
            sequence: delivery.sequence,
            clip_id: row.clip_id,
            caption: row.caption,
            label: row.label,
            prediction: row.prediction.unwrap_or_default().into(),
            conditions: channel.conditions.unwrap_or_default().into(),
            realised_snr_db: channel.realised_snr_db,
            timings: row.timings.unwrap_or_default().into(),
            written_at_ms: row.written_at_ms,
        }
    }
}
