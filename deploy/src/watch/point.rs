//! One point of the curve: what the counts of a tally come to.

use metrics::{Binary, Interval, mean_interval_of_repeats, wilson_of_rate};
use phy::Conditions;
use proto::v1::Tally;

/// Counts beyond this are no counts of clips, and their sums would not be exact.
const MOST: u64 = 1 << 53;

/// What the curve shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Accuracy of the sign, labels of 0 dropped.
    Acc2Pos,
    /// Accuracy of the sign, all labels, 0 with the positive ones.
    Acc2Nonneg,
    /// Support-weighted F1 of the family "pos".
    F1Pos,
    /// Accuracy of the most likely of seven classes.
    Acc7,
    /// Mean absolute error of the score.
    Mae,
}

impl Metric {
    const ALL: [Metric; 5] = [Metric::Acc2Pos, Metric::Acc2Nonneg, Metric::F1Pos, Metric::Acc7, Metric::Mae];

    /// As tables name it.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Acc2Pos => "Acc-2 pos",
            Metric::Acc2Nonneg => "Acc-2 nonneg",
            Metric::F1Pos => "F1 pos",
            Metric::Acc7 => "Acc-7",
            Metric::Mae => "MAE",
        }
    }

    /// The one after it, the first after the last.
    pub fn next(self) -> Metric {
        let at = Metric::ALL.iter().position(|&metric| metric == self).unwrap_or(0);
        Metric::ALL[(at + 1) % Metric::ALL.len()]
    }

    /// Whether it is a rate, which lies in [0, 1] and is better the larger it is.
    pub fn is_rate(self) -> bool {
        self != Metric::Mae
    }
}

/// All rows that met the same conditions, summed up.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// What the rows met.
    pub conditions: Conditions,
    /// Rows, with a label or without.
    pub clips: u64,
    /// Decisions of the family "pos".
    pub pos: Binary,
    /// Decisions of the family "nonneg".
    pub nonneg: Binary,
    /// Different clips among the decisions of "pos" and of "nonneg".
    distinct: [u64; 2],
    acc7: Option<Interval>,
    mae: Option<f64>,
    mae_interval: Option<Interval>,
}

impl Point {
    /// Of a tally; `None` of one whose conditions or counts no receiver has that is in order.
    pub fn of(tally: &Tally) -> Option<Point> {
        let conditions = wire::convert::conditions_from_wire(tally.conditions.as_ref()?).ok()?;
        if tally.clips > MOST || tally.labelled > tally.clips || tally.class_correct > tally.labelled {
            return None;
        }
        let sums = [tally.absolute_error, tally.squared_error];
        if !sums.iter().all(|sum| sum.is_finite() && *sum >= 0.0) {
            return None;
        }
        let signed = (tally.signed <= tally.labelled).then_some(tally.signed)?;
        // A receiver that does not tell clips apart says 0.
        let distinct = |clips: u64, rows: u64| if clips == 0 { rows } else { clips.min(rows) };
        let distinct = [distinct(tally.distinct_signed, signed), distinct(tally.distinct_labelled, tally.labelled)];
        let acc7 = tally.class_correct as f64 / tally.labelled as f64;
        Some(Point {
            conditions,
            clips: tally.clips,
            pos: confusion(signed, tally.sign_correct, tally.positive, tally.positive_correct)?,
            nonneg: confusion(tally.labelled, tally.nonneg_correct, tally.nonneg, tally.nonneg_met)?,
            distinct,
            acc7: wilson_of_rate(acc7, distinct[1]),
            mae: (tally.labelled > 0).then(|| sums[0] / tally.labelled as f64),
            mae_interval: mean_interval_of_repeats(tally.labelled, distinct[1], sums[0], sums[1]),
        })
    }

    /// The value of a metric; `None` without labels.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Acc2Pos => self.pos.accuracy(),
            Metric::Acc2Nonneg => self.nonneg.accuracy(),
            Metric::F1Pos => self.pos.f1(),
            Metric::Acc7 => self.acc7.map(|interval| interval.estimate),
            Metric::Mae => self.mae,
        }
    }

    /// Its 95 % interval over the different clips, as repeats of a clip are no independent samples: Wilson's of a rate, the
    /// normal one of the error, that of `metrics` for F1.
    pub fn interval(&self, metric: Metric) -> Option<Interval> {
        match metric {
            Metric::Acc2Pos => wilson_of_rate(self.pos.accuracy()?, self.distinct[0]),
            Metric::Acc2Nonneg => wilson_of_rate(self.nonneg.accuracy()?, self.distinct[1]),
            Metric::F1Pos => self.pos.f1_interval_over(self.distinct[0]),
            Metric::Acc7 => self.acc7,
            Metric::Mae => self.mae_interval,
        }
    }
}

/// The four counts from how many there are, how many were right, how many are true, and how many of those were right.
fn confusion(total: u64, correct: u64, truths: u64, true_pos: u64) -> Option<Binary> {
    let true_neg = correct.checked_sub(true_pos)?;
    let false_pos = total.checked_sub(truths)?.checked_sub(true_neg)?;
    Some(Binary { true_pos, false_pos, true_neg, false_neg: truths.checked_sub(true_pos)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::v1;

    fn tally() -> Tally {
        Tally {
            conditions: Some(v1::Conditions { kind: 2, snr_db: Some(-6.0), k_factor: None }),
            clips: 12,
            labelled: 11,
            signed: 10,
            sign_correct: 6,
            nonneg_correct: 7,
            class_correct: 4,
            absolute_error: 8.8,
            squared_error: 10.0,
            positive: 7,
            positive_correct: 5,
            nonneg: 8,
            nonneg_met: 6,
            distinct_labelled: 11,
            distinct_signed: 10,
        }
    }

    #[test]
    fn metrics_equal_those_worked_out_by_hand() {
        let point = Point::of(&tally()).unwrap();
        assert_eq!(point.pos, Binary { true_pos: 5, false_pos: 2, true_neg: 1, false_neg: 2 });
        assert_eq!(point.nonneg, Binary { true_pos: 6, false_pos: 2, true_neg: 1, false_neg: 2 });
        assert_eq!(point.value(Metric::Acc2Pos), Some(0.6));
        assert_eq!(point.value(Metric::Acc2Nonneg), Some(7.0 / 11.0));
        // Class 1: F1 5/7 of 7 truths; class 0: F1 1/3 of 3 truths.
        assert!((point.value(Metric::F1Pos).unwrap() - (0.7 * 5.0 / 7.0 + 0.3 / 3.0)).abs() < 1e-15);
        assert_eq!(point.value(Metric::Acc7), Some(4.0 / 11.0));
        assert!((point.value(Metric::Mae).unwrap() - 0.8).abs() < 1e-15);
        // Wilson for 6 of 10; the normal one with variance (10 − 11·0.64)/10 = 0.296.
        let acc2 = point.interval(Metric::Acc2Pos).unwrap();
        assert!((acc2.low - 0.312_674).abs() < 1e-6 && (acc2.high - 0.831_820).abs() < 1e-6, "{acc2:?}");
        let mae = point.interval(Metric::Mae).unwrap();
        let half = metrics::Z95 * (0.296f64 / 11.0).sqrt();
        assert!((mae.high - 0.8 - half).abs() < 1e-12 && (mae.low - 0.8 + half).abs() < 1e-12, "{mae:?}");
        let f1 = point.interval(Metric::F1Pos).unwrap();
        assert!(f1.low < 0.55 && f1.high > 0.65, "around 0.6: {f1:?}");
    }

    #[test]
    fn repeats_of_clips_narrow_no_interval() {
        let point = Point::of(&tally()).unwrap();
        let times = |n: u64| {
            let t = tally();
            Point::of(&Tally {
                clips: n * t.clips,
                labelled: n * t.labelled,
                signed: n * t.signed,
                sign_correct: n * t.sign_correct,
                nonneg_correct: n * t.nonneg_correct,
                class_correct: n * t.class_correct,
                absolute_error: n as f64 * t.absolute_error,
                squared_error: n as f64 * t.squared_error,
                positive: n * t.positive,
                positive_correct: n * t.positive_correct,
                nonneg: n * t.nonneg,
                nonneg_met: n * t.nonneg_met,
                ..t
            })
        };
        let often = times(20).unwrap();
        for metric in Metric::ALL {
            let (a, b) = (point.interval(metric).unwrap(), often.interval(metric).unwrap());
            assert!((a.low - b.low).abs() < 1e-12 && (a.high - b.high).abs() < 1e-12, "{metric:?}: {a:?} {b:?}");
        }
    }

    #[test]
    fn without_labels_there_is_no_value() {
        let conditions = tally().conditions;
        let point = Point::of(&Tally { conditions, clips: 3, ..Tally::default() }).unwrap();
        assert!(Metric::ALL.iter().all(|&m| point.value(m).is_none() && point.interval(m).is_none()), "{point:?}");
    }

    #[test]
    fn counts_that_cannot_be_are_dropped() {
        let changes: [fn(&mut Tally); 12] = [
            |t| t.conditions = None,
            |t| t.conditions.as_mut().unwrap().snr_db = Some(f64::NAN),
            |t| t.conditions.as_mut().unwrap().kind = 77,
            |t| t.clips = u64::MAX,
            |t| t.labelled = 13,
            |t| t.signed = 12,
            |t| t.positive = 11,
            |t| t.positive_correct = 8,
            |t| t.sign_correct = 10,
            |t| t.nonneg_met = 9,
            |t| t.absolute_error = f64::INFINITY,
            |t| t.squared_error = f64::NAN,
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = tally();
            change(&mut changed);
            assert_eq!(Point::of(&changed), None, "change {number}");
        }
    }

    #[test]
    fn metrics_come_round() {
        let five = std::iter::successors(Some(Metric::Acc2Pos), |m| Some(m.next())).take(6).collect::<Vec<_>>();
        assert_eq!((&five[..5], five[5]), (&Metric::ALL[..], Metric::Acc2Pos));
    }
}
