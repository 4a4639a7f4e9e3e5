//! Two-class counts: Acc-2, F1, and what the matched-filter reference asks of its source.

use crate::{Interval, Prediction, Source, Z95};

/// Decisions against truths, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Binary {
    /// Positive decisions that were right.
    pub true_pos: u64,
    /// Positive decisions that were wrong.
    pub false_pos: u64,
    /// Negative decisions that were right.
    pub true_neg: u64,
    /// Negative decisions that were wrong.
    pub false_neg: u64,
}

impl Binary {
    /// Counts (truth, decision).
    pub fn count(pairs: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut counts = Binary::default();
        for pair in pairs {
            *match pair {
                (true, true) => &mut counts.true_pos,
                (false, true) => &mut counts.false_pos,
                (false, false) => &mut counts.true_neg,
                (true, false) => &mut counts.false_neg,
            } += 1;
        }
        counts
    }

    /// The family "nonneg": all clips, truth y ≥ 0.
    pub fn nonneg<'a>(rows: impl IntoIterator<Item = (&'a Prediction, f32)>) -> Self {
        Binary::count(rows.into_iter().map(|(p, y)| (y >= 0.0, p.is_nonneg())))
    }

    /// The family "pos": clips with y ≠ 0, truth y > 0.
    pub fn pos<'a>(rows: impl IntoIterator<Item = (&'a Prediction, f32)>) -> Self {
        Binary::count(rows.into_iter().filter(|(_, y)| *y != 0.0).map(|(p, y)| (y > 0.0, p.is_pos())))
    }

    /// How many were counted.
    pub fn total(&self) -> u64 {
        self.true_pos + self.false_pos + self.true_neg + self.false_neg
    }

    /// How many decisions were right.
    pub fn correct(&self) -> u64 {
        self.true_pos + self.true_neg
    }

    /// Acc-2; `None` of nothing.
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.correct(), self.total())
    }

    /// The F1 of both classes, averaged with the number of truths of each as weight; a class never decided nor true
    /// counts 0, as a class without a right decision does. `None` of nothing.
    pub fn f1(&self) -> Option<f64> {
        let f1 = |right: u64| ratio(2 * right, 2 * right + self.false_pos + self.false_neg).unwrap_or(0.0);
        let (pos, neg) = (self.true_pos + self.false_neg, self.true_neg + self.false_pos);
        let sum = pos as f64 * f1(self.true_pos) + neg as f64 * f1(self.true_neg);
        (self.total() > 0).then(|| sum / self.total() as f64)
    }

    /// [`Binary::f1`] with its 95 % interval by the delta method over the four counts; `None` of nothing. For the width
    /// each count has ½ added, so that few decisions without an error do not pass for certainty.
    pub fn f1_interval(&self) -> Option<Interval> {
        self.f1_interval_over(self.total())
    }

    /// [`Binary::f1_interval`] where the decisions are of `clips` independent clips, each perhaps decided more than once:
    /// the estimate is over all decisions, the width that of as many decisions as clips. `None` of nothing.
    pub fn f1_interval_over(&self, clips: u64) -> Option<Interval> {
        let estimate = self.f1()?;
        let (clips, total) = (clips.min(self.total()) as f64, self.total() as f64);
        let [tp, fp, tn, fn_] =
            [self.true_pos, self.false_pos, self.true_neg, self.false_neg].map(|n| n as f64 * clips / total + 0.5);
        let (pos, neg, errors) = (tp + fn_, tn + fp, fp + fn_);
        let (a, b) = (2.0 * tp + errors, 2.0 * tn + errors);
        let (f1_pos, f1_neg) = (2.0 * tp / a, 2.0 * tn / b);
        let total = pos + neg;
        let f1 = (pos * f1_pos + neg * f1_neg) / total;
        // An error of either kind lowers the F1 of both classes.
        let loss = pos * f1_pos / a + neg * f1_neg / b;
        let slopes = [
            (tp, f1_pos + pos * 2.0 * errors / (a * a) - f1),
            (tn, f1_neg + neg * 2.0 * errors / (b * b) - f1),
            (fp, f1_neg - loss - f1),
            (fn_, f1_pos - loss - f1),
        ];
        // F1 keeps its value when all counts are scaled, so the multinomial's covariances cancel.
        let variance: f64 = slopes.iter().map(|(n, slope)| n * (slope / total).powi(2)).sum();
        let half = Z95 * variance.sqrt();
        Some(Interval { estimate, low: (estimate - half).max(0.0), high: (estimate + half).min(1.0) })
    }

    /// These decisions as a source to be transmitted; `None` of nothing. A decision never made counts as right half the
    /// time, which has no weight.
    pub fn source(&self) -> Option<Source> {
        let positive = self.true_pos + self.false_pos;
        Some(Source {
            q: ratio(positive, self.total())?,
            p1: ratio(self.true_pos, positive).unwrap_or(0.5),
            p0: ratio(self.true_neg, self.total() - positive).unwrap_or(0.5),
        })
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(p_neg: f32, p_zero: f32, p_pos: f32) -> Prediction {
        Prediction { p_neg, p_zero, p_pos, classes: [1.0 / 7.0; 7], score: 0.0 }
    }

    #[test]
    fn families_differ_in_zeros() {
        let (neg, pos, torn) = (says(0.9, 0.0, 0.1), says(0.2, 0.1, 0.7), says(0.45, 0.2, 0.35));
        let rows = [(&neg, -1.0), (&pos, 2.0), (&torn, 0.0), (&torn, 1.0), (&neg, 0.0)];
        let nonneg = Binary::nonneg(rows);
        assert_eq!(nonneg, Binary { true_pos: 3, false_pos: 0, true_neg: 1, false_neg: 1 });
        let signed = Binary::pos(rows);
        assert_eq!(signed, Binary { true_pos: 1, false_pos: 0, true_neg: 1, false_neg: 1 });
        assert_eq!(nonneg.accuracy(), Some(0.8));
    }

    /// Against scikit-learn's f1_score(y, ŷ, average="weighted") on the same counts.
    #[test]
    fn f1_is_weighted_by_support() {
        let counts = Binary { true_pos: 5, false_pos: 2, true_neg: 1, false_neg: 2 };
        // class 1: P 5/7, R 5/7, F1 5/7, support 7; class 0: P 1/3, R 1/3, F1 1/3, support 3.
        assert!((counts.f1().unwrap() - (0.7 * 5.0 / 7.0 + 0.3 / 3.0)).abs() < 1e-15);
        let constant = Binary { true_pos: 6, false_pos: 4, true_neg: 0, false_neg: 0 };
        assert!((constant.f1().unwrap() - 0.6 * 0.75).abs() < 1e-15);
        assert_eq!((Binary::default().f1(), Binary::default().accuracy()), (None, None));
        assert!(Binary::default().source().is_none());
    }

    /// Against the jackknife over single decisions, which knows no formula.
    #[test]
    fn the_interval_of_f1_is_as_wide_as_the_jackknife_says() {
        let counts = Binary { true_pos: 260, false_pos: 90, true_neg: 240, false_neg: 110 };
        let without = |change: fn(&mut Binary)| {
            let mut less = counts;
            change(&mut less);
            less.f1().unwrap()
        };
        let cells = [
            (260.0, without(|c| c.true_pos -= 1)),
            (90.0, without(|c| c.false_pos -= 1)),
            (240.0, without(|c| c.true_neg -= 1)),
            (110.0, without(|c| c.false_neg -= 1)),
        ];
        let n = 700.0;
        let mean = cells.iter().map(|(times, f1)| times * f1).sum::<f64>() / n;
        let spread: f64 = cells.iter().map(|(times, f1)| times * (f1 - mean).powi(2)).sum();
        let half = Z95 * (spread * (n - 1.0) / n).sqrt();
        let interval = counts.f1_interval().unwrap();
        assert_eq!(Some(interval.estimate), counts.f1());
        assert!(((interval.high - interval.low) / 2.0 / half - 1.0).abs() < 0.01, "{interval:?} against ±{half}");
        let few = Binary { true_pos: 3, true_neg: 2, ..Binary::default() }.f1_interval().unwrap();
        assert!(few.estimate == 1.0 && few.low < 0.9 && few.high == 1.0, "{few:?}");
        assert!(Binary::default().f1_interval().is_none());
        // The same decisions five times over.
        let Binary { true_pos, false_pos, true_neg, false_neg } = counts;
        let [true_pos, false_pos, true_neg, false_neg] = [true_pos, false_pos, true_neg, false_neg].map(|n| 5 * n);
        let often = Binary { true_pos, false_pos, true_neg, false_neg };
        let often = often.f1_interval_over(700).unwrap();
        for (a, b) in [(often.estimate, interval.estimate), (often.low, interval.low), (often.high, interval.high)] {
            assert!((a - b).abs() < 1e-12, "{often:?} {interval:?}");
        }
    }

    #[test]
    fn a_source_has_the_accuracy_of_its_counts() {
        let counts = Binary { true_pos: 50, false_pos: 20, true_neg: 10, false_neg: 20 };
        let source = counts.source().unwrap();
        assert!((source.accuracy() - counts.accuracy().unwrap()).abs() < 1e-15);
        assert_eq!(source.q, 0.7);
        let constant = Binary { true_pos: 6, false_pos: 4, true_neg: 0, false_neg: 0 };
        assert!((constant.source().unwrap().accuracy() - 0.6).abs() < 1e-15);
    }
}
