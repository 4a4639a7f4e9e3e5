//! The JSON of the dashboard's API: conditions, estimates with their intervals, points of the accuracy curve, rows.

use crate::accuracy::{Verdict, Verdicts};
use metrics::{Binary, Interval, mean_interval_of_repeats, wilson_of_rate};
use phy::Conditions;
use proto::v1;
use serde::Serialize;

/// Channel conditions as JSON: kind, SNR in dB and K factor; a value that the kind does not have is null.
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

/// An estimate of a metric with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The estimate, in the metric's unit (a fraction in [0, 1] for rates).
    pub value: f64,
    /// Lower bound of the 95 % interval.
    pub low: f64,
    /// Upper bound of the 95 % interval.
    pub high: f64,
    /// Number of rows that the estimate is over.
    pub n: u64,
    /// Number of different clips among the rows. The interval is over clips: repeats of a clip are not independent
    /// samples.
    pub distinct: u64,
}

/// The size of a sample: its rows, and the different clips among them.
#[derive(Clone, Copy, Debug)]
struct Sample {
    rows: u64,
    clips: u64,
}

impl Sample {
    /// A sample of a tally's counts. A tally that does not count distinct clips (`clips` is 0) is taken to have no clip
    /// twice.
    fn of(rows: u64, clips: u64) -> Self {
        Sample { rows, clips: if clips == 0 { rows } else { clips.min(rows) } }
    }
}

impl Estimate {
    fn of(interval: Option<Interval>, Sample { rows, clips }: Sample) -> Option<Self> {
        interval.map(|Interval { estimate, low, high }| Estimate {
            value: estimate,
            low,
            high,
            n: rows,
            distinct: clips,
        })
    }

    /// A rate with Wilson's interval over the clips; `None` for no rows.
    fn rate(correct: u64, sample: Sample) -> Option<Self> {
        Estimate::of(wilson_of_rate(correct as f64 / sample.rows as f64, sample.clips), sample)
    }

    /// A mean with the normal interval over the clips, from the sum and the sum of squares; `None` for fewer than two
    /// clips.
    fn mean(sample: Sample, sum: f64, squares: f64) -> Option<Self> {
        let mean = mean_interval_of_repeats(sample.rows, sample.clips, sum, squares);
        Estimate::of(mean.map(|mean| Interval { low: mean.low.max(0.0), ..mean }), sample)
    }
}

/// A point of the accuracy curve: the metrics over all rows of the same channel conditions.
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
        let (pos, nonneg) =
            (signs(tally), binary(tally.labelled, tally.nonneg_correct, tally.nonneg, tally.nonneg_met));
        let signed = Sample::of(tally.signed, tally.distinct_signed);
        let labelled = Sample::of(tally.labelled, tally.distinct_labelled);
        Point {
            conditions: tally.conditions.unwrap_or_default().into(),
            clips: tally.clips,
            labelled: tally.labelled,
            acc2_pos: Estimate::rate(pos.correct(), signed),
            acc2_nonneg: Estimate::rate(nonneg.correct(), labelled),
            f1_pos: Estimate::of(pos.f1_interval_over(signed.clips), signed),
            f1_nonneg: Estimate::of(nonneg.f1_interval_over(labelled.clips), labelled),
            acc7: Estimate::rate(tally.class_correct, labelled),
            mae: Estimate::mean(labelled, tally.absolute_error, tally.squared_error),
        }
    }
}

/// The confusion matrix of the Acc-2 family `pos` over the rows of a tally.
pub fn signs(tally: &v1::Tally) -> Binary {
    binary(tally.signed, tally.sign_correct, tally.positive, tally.positive_correct)
}

/// The confusion matrix of `all` binary decisions, `correct` of them right, of which `truths` should be positive and
/// `met` of these were predicted positive.
fn binary(all: u64, correct: u64, truths: u64, met: u64) -> Binary {
    let true_neg = correct.saturating_sub(met);
    Binary {
        true_pos: met,
        false_pos: all.saturating_sub(truths).saturating_sub(true_neg),
        true_neg,
        false_neg: truths.saturating_sub(met),
    }
}

/// The metrics over the newest labelled rows of the same channel conditions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecentView {
    clips: u64,
    acc2_pos: Option<Estimate>,
    acc2_nonneg: Option<Estimate>,
    acc7: Option<Estimate>,
    mae: Option<Estimate>,
}

impl From<&Verdicts> for RecentView {
    fn from(recent: &Verdicts) -> Self {
        let verdicts = &recent.verdicts;
        let count = |of: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| of(verdict)).count() as u64;
        let labelled = Sample::of(verdicts.len() as u64, recent.clips);
        let signed = Sample::of(count(|verdict| verdict.sign_correct.is_some()), recent.signed_clips);
        let errors = || verdicts.iter().map(|verdict| verdict.absolute_error);
        RecentView {
            clips: labelled.rows,
            acc2_pos: Estimate::rate(count(|verdict| verdict.sign_correct == Some(true)), signed),
            acc2_nonneg: Estimate::rate(count(|verdict| verdict.nonneg_correct), labelled),
            acc7: Estimate::rate(count(|verdict| verdict.class_correct), labelled),
            mae: Estimate::mean(labelled, errors().sum(), errors().map(|error| error * error).sum()),
        }
    }
}

/// Counts of the rows that arrived within the last `seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ArrivingView {
    /// Length of the time window in seconds.
    pub seconds: u64,
    /// Number of rows under the current conditions; all rows if these are not known.
    pub here: u64,
    /// Number of rows under other conditions, such as those that clips pin.
    pub others: u64,
}

/// Microseconds that a clip spent in each process.
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

/// A prediction as JSON: the distribution over sign and class, and the score in [−3, 3].
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
    /// The more likely sign: `positive`, `negative`, or `undecided` if both are equally likely.
    pub fn sentiment(&self) -> &'static str {
        match self.p_pos.total_cmp(&self.p_neg) {
            std::cmp::Ordering::Less => "negative",
            std::cmp::Ordering::Equal => "undecided",
            std::cmp::Ordering::Greater => "positive",
        }
    }
}

/// A row of the journal as JSON.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_band_over_repeated_clips_is_that_of_the_clips() {
        let once = v1::Tally {
            clips: 686,
            labelled: 686,
            signed: 650,
            sign_correct: 543,
            nonneg_correct: 570,
            class_correct: 230,
            absolute_error: 480.0,
            squared_error: 500.0,
            positive: 270,
            positive_correct: 220,
            nonneg: 306,
            nonneg_met: 260,
            distinct_labelled: 686,
            distinct_signed: 650,
            ..v1::Tally::default()
        };
        let often = v1::Tally {
            clips: 20 * once.clips,
            labelled: 20 * once.labelled,
            signed: 20 * once.signed,
            sign_correct: 20 * once.sign_correct,
            nonneg_correct: 20 * once.nonneg_correct,
            class_correct: 20 * once.class_correct,
            absolute_error: 20.0 * once.absolute_error,
            squared_error: 20.0 * once.squared_error,
            positive: 20 * once.positive,
            positive_correct: 20 * once.positive_correct,
            nonneg: 20 * once.nonneg,
            nonneg_met: 20 * once.nonneg_met,
            ..once
        };
        let (a, b) = (Point::from(&once), Point::from(&often));
        let pairs = [
            (a.acc2_pos, b.acc2_pos),
            (a.acc2_nonneg, b.acc2_nonneg),
            (a.f1_pos, b.f1_pos),
            (a.f1_nonneg, b.f1_nonneg),
            (a.acc7, b.acc7),
            (a.mae, b.mae),
        ];
        for (metric, (a, b)) in pairs.into_iter().enumerate() {
            let (a, b) = (a.unwrap(), b.unwrap());
            assert_eq!((20 * a.n, a.distinct, a.n), (b.n, b.distinct, a.distinct), "metric {metric}");
            for (a, b) in [(a.value, b.value), (a.low, b.low), (a.high, b.high)] {
                assert!((a - b).abs() < 1e-12, "metric {metric}: {a} {b}");
            }
        }
        // Wilson's interval of 543 in 650.
        let band = b.acc2_pos.unwrap();
        assert!((band.low - 0.804_922).abs() < 1e-5 && (band.high - 0.861_907).abs() < 1e-5, "{band:?}");
    }
}
