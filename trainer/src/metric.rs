//! The metrics that reports and comparisons show, with their levels, differences and intervals.

use metrics::{Interval, Record, Spread, difference_interval, student_interval};
use serde::Serialize;

/// A metric that reports and comparisons show.
#[derive(Clone, Copy)]
pub struct Metric {
    /// Name of the metric in file names and JSON.
    pub name: &'static str,
    /// Name of the metric on axes and in tables. MMSA calls `pos` Non0 and `nonneg` Has0.
    pub label: &'static str,
    /// Value of the metric in a record; `None` where it is undefined.
    pub of: fn(&Record) -> Option<f64>,
    /// 95 % interval of the metric from one run, with each clip as one Bernoulli trial; `None` for metrics that are no
    /// rate over clips.
    pub binomial: fn(&Record) -> Option<Interval>,
    /// Whether larger values are better.
    pub more_is_better: bool,
}

/// All metrics, in the order of reports.
pub const METRICS: [Metric; 5] = [
    Metric {
        name: "acc2",
        label: "Acc-2 Non0 (pos)",
        of: |r| r.acc2_pos,
        binomial: Record::acc2_pos_binomial,
        more_is_better: true,
    },
    Metric { name: "f1", label: "F1 Non0 (pos), weighted", of: |r| r.f1_pos, binomial: |_| None, more_is_better: true },
    Metric { name: "acc7", label: "Acc-7", of: |r| r.acc7, binomial: Record::acc7_binomial, more_is_better: true },
    Metric { name: "mae", label: "MAE, scale of the score", of: |r| r.mae, binomial: |_| None, more_is_better: false },
    Metric {
        name: "ece",
        label: "Calibration error of the sign",
        of: |r| r.ece,
        binomial: |_| None,
        more_is_better: false,
    },
];

/// The metric Acc-2 "pos", which MMSA calls Non0: clips with label 0 dropped.
pub const ACC2: Metric = METRICS[0];
/// The metric Acc-7, of the most likely class.
pub const ACC7: Metric = METRICS[2];
/// The metric mean absolute error of the score.
pub const MAE: Metric = METRICS[3];

/// What the interval of a difference is derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Student's t over runs with different training seeds, paired by seed.
    Seeds,
    /// Binomial: each clip is one Bernoulli trial. Wilson's interval of a rate; Newcombe's of a difference, which
    /// takes the two as independent.
    Binomial,
}

/// Difference between two systems in one metric at one point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The first system less the second, the mean over runs.
    pub mean: f64,
    /// 95 % interval of the difference; `None` where it cannot be given.
    pub interval: Option<(f64, f64)>,
    /// What the interval is derived from; `None` without one.
    pub basis: Option<Basis>,
}

impl Difference {
    /// The difference of pairs of records of one point. Both records of a pair have the same training seed, unless
    /// there is only one pair. `None` without a pair or where a record has no value.
    pub fn of(pairs: &[(&Record, &Record)], metric: &Metric) -> Option<Difference> {
        let values: Option<Vec<f64>> = pairs.iter().map(|(a, b)| Some((metric.of)(a)? - (metric.of)(b)?)).collect();
        let difference = Difference::of_values(&values?)?;
        if difference.interval.is_some() {
            return Some(difference);
        }
        let (a, b) = pairs.first()?;
        let both = (metric.binomial)(a).zip((metric.binomial)(b));
        let interval = both.map(|(a, b)| difference_interval(a, b)).map(|interval| (interval.low, interval.high));
        Some(Difference { interval, basis: interval.map(|_| Basis::Binomial), ..difference })
    }

    /// The mean of independent differences, with Student's 95 % interval if there are two or more; `None` if there is
    /// none.
    pub fn of_values(values: &[f64]) -> Option<Difference> {
        let mean = Spread::of(values.iter().map(|value| Some(*value)))?.mean;
        let interval = student_interval(values).map(|interval| (interval.low, interval.high));
        Some(Difference { mean, interval, basis: interval.map(|_| Basis::Seeds) })
    }

    /// The difference as text, such as `+0.020 [-0.005, +0.045]`.
    pub fn text(self) -> String {
        let interval = self.interval.map_or(String::new(), |(low, high)| format!(" [{low:+.3}, {high:+.3}]"));
        format!("{:+.3}{interval}", self.mean)
    }

    /// The difference of a rate as text in percentage points, such as `+2.0 points [−0.5, +4.5]`.
    pub fn points(self) -> String {
        let percent = |v: f64| format!("{:+.1}", 100.0 * v).replace('-', "\u{2212}");
        let interval = self.interval.map(|(low, high)| format!(" [{}, {}]", percent(low), percent(high)));
        format!("{} points{}", percent(self.mean), interval.unwrap_or_default())
    }
}

/// Level of a metric at one point, over runs with different training seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Level {
    /// Mean over the runs.
    pub mean: f64,
    /// Sample standard deviation over the runs; `None` (null in JSON) for one run.
    pub sd: Option<f64>,
    /// Binomial 95 % interval of a single run, where the metric has one; else `None`.
    pub interval: Option<(f64, f64)>,
}

impl Level {
    /// The level of a metric from the records of one point, one for each run. `None` without a record or where a
    /// record has no value.
    pub fn of(records: &[&Record], metric: &Metric) -> Option<Level> {
        let Spread { mean, sd } = Spread::of(records.iter().map(|record| (metric.of)(record)))?;
        let interval = match records {
            [record] => (metric.binomial)(record).map(|interval| (interval.low, interval.high)),
            _ => None,
        };
        Some(Level { mean, sd, interval })
    }

    /// The level as text, such as `0.832 ± 0.012`, or of a single run `0.832 [0.801, 0.859]`.
    pub fn text(self) -> String {
        match (self.sd, self.interval) {
            (None, Some((low, high))) => format!("{:.3} [{low:.3}, {high:.3}]", self.mean),
            (sd, _) => Spread { mean: self.mean, sd }.text(),
        }
    }

    /// Ends of the band or bar that figures draw: one standard deviation to either side, or the interval of a single
    /// run.
    pub fn ends(self) -> Option<(f64, f64)> {
        self.sd.map(|sd| (self.mean - sd, self.mean + sd)).or(self.interval)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use metrics::{Context, Prediction, PredictionRow, records};

    /// A record of ten clips at `snr_db` over AWGN, or noiseless without it. `right` of the clips have the right sign;
    /// half have label 0.5, the others −0.5.
    pub(crate) fn record(scheme: &str, training_seed: Option<u64>, snr_db: Option<f64>, right: u64) -> Record {
        let row = |index: u64| {
            let positive = (index < right) == index.is_multiple_of(2);
            let p_pos = if positive { 0.75 } else { 0.25 };
            let mut classes = [0.0; 7];
            (classes[2], classes[4]) = (1.0 - p_pos, p_pos);
            PredictionRow {
                id: index.to_string(),
                row: index,
                draw: 0,
                channel: if snr_db.is_some() { "awgn" } else { "none" }.into(),
                snr_db,
                label: if index.is_multiple_of(2) { 0.5 } else { -0.5 },
                prediction: Prediction { p_neg: 1.0 - p_pos, p_zero: 0.0, p_pos, classes, score: 2.0 * p_pos - 1.0 },
                h_re: 1.0,
                h_im: 0.0,
            }
        };
        let context = Context {
            scheme: scheme.into(),
            corpus: "data/c".into(),
            split: "test".into(),
            equaliser: "mmse".into(),
            training_snr_db: None,
            symbols: 25,
            model_id: format!("{scheme} {training_seed:?}"),
            seed: 0,
            training_seed,
        };
        records(&(0..10).map(row).collect::<Vec<_>>(), &context, None).remove(0)
    }

    #[test]
    fn seeds_give_students_interval_and_one_run_the_binomial_one() {
        let [a, b, c, d] = [8, 7, 9, 7].map(|right| record("s", None, Some(0.0), right));
        // Differences 0.1 and 0.2: mean 0.15, sd 0.0707, half = 12.706 · 0.0707/√2 = 0.6353.
        let seeds = Difference::of(&[(&a, &b), (&c, &d)], &ACC2).unwrap();
        assert_eq!((seeds.basis, seeds.text().as_str()), (Some(Basis::Seeds), "+0.150 [-0.485, +0.785]"));
        let one = Difference::of(&[(&a, &b)], &ACC2).unwrap();
        // Newcombe: Wilson's 8/10 is [0.4902, 0.9433], 7/10 [0.3968, 0.8922]; −0.3646 and +0.3354 around 0.1.
        assert_eq!((one.basis, one.text().as_str()), (Some(Basis::Binomial), "+0.100 [-0.265, +0.435]"));
        assert_eq!(one.points(), "+10.0 points [\u{2212}26.5, +43.5]");
        let mae = Difference::of(&[(&a, &b)], &MAE).unwrap();
        assert_eq!((mae.interval, mae.basis), (None, None));
        assert_eq!(Difference::of(&[], &ACC2), None);
    }

    #[test]
    fn a_level_has_a_deviation_or_an_interval() {
        let [a, b] = [8, 10].map(|right| record("s", None, Some(0.0), right));
        assert_eq!(Level::of(&[&a, &b], &ACC2).unwrap().text(), "0.900 \u{b1} 0.141");
        let one = Level::of(&[&a], &ACC2).unwrap();
        assert_eq!(one.text(), "0.800 [0.490, 0.943]");
        assert_eq!(one.ends(), one.interval);
        assert_eq!(Level::of(&[&a], &MAE).unwrap().ends(), None);
    }
}
