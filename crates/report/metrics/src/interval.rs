//! How far a figure may be off.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The normal quantile of a two-sided 95 % interval.
pub const Z95: f64 = 1.959_963_984_540_054;

/// An estimate between its 95 % bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate itself.
    pub estimate: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl Interval {
    /// The share of a reference that this accuracy reaches. The reference counts as known: its own uncertainty, that of
    /// the noiseless accuracy it was computed from, is not in the interval, so quote that accuracy beside it.
    pub fn share_of(self, reference: f64) -> Interval {
        Interval { estimate: self.estimate / reference, low: self.low / reference, high: self.high / reference }
    }
}

/// Wilson's 95 % interval of a rate, for one run over independent clips; `None` of nothing.
pub fn wilson(successes: u64, trials: u64) -> Option<Interval> {
    wilson_of_rate(successes as f64 / trials.max(1) as f64, trials)
}

/// Wilson's 95 % interval of a rate from 0 to 1 over `trials` independent trials. The rate times `trials` need not be whole: it may be
/// the mean over repetitions of each trial. `None` of no trials.
pub fn wilson_of_rate(rate: f64, trials: u64) -> Option<Interval> {
    if trials == 0 {
        return None;
    }
    let (n, z2) = (trials as f64, Z95 * Z95);
    let centre = (rate + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z95 / (1.0 + z2 / n) * (rate * (1.0 - rate) / n + z2 / (4.0 * n * n)).sqrt();
    Some(Interval { estimate: rate, low: (centre - half).max(0.0), high: (centre + half).min(1.0) })
}

/// Mean and sample standard deviation (n − 1), which is `None` below two values; `None` of nothing.
pub fn mean_sd(values: &[f64]) -> Option<(f64, Option<f64>)> {
    if values.is_empty() {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    Some((mean, (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt())))
}

/// The normal 95 % interval of a mean of independent values, such as each clip's accuracy averaged over its draws: draws of
/// one clip are not independent, clips are. `None` below two values.
pub fn mean_interval(values: &[f64]) -> Option<Interval> {
    let (estimate, sd) = mean_sd(values)?;
    let half = Z95 * sd? / (values.len() as f64).sqrt();
    Some(Interval { estimate, low: estimate - half, high: estimate + half })
}

/// Student's 95 % interval of a mean of few independent, roughly normal values, such as differences of paired runs over their
/// seeds. `None` below two values.
pub fn student_interval(values: &[f64]) -> Option<Interval> {
    let (estimate, sd) = mean_sd(values)?;
    let (sd, n) = (sd?, values.len() as f64);
    let quantile = StudentsT::new(0.0, 1.0, n - 1.0).ok()?.inverse_cdf(0.975);
    let half = quantile * sd / n.sqrt();
    Some(Interval { estimate, low: estimate - half, high: estimate + half })
}

/// The 95 % interval of the difference `a` − `b` of two rates by Newcombe's hybrid score method, from the interval of each:
/// d − √((a−a_low)² + (b_high−b)²) to d + √((a_high−a)² + (b−b_low)²). The rates are taken as independent of each other. Of two systems
/// scored on the same clips, whose errors go together, it is wider than a paired interval.
pub fn difference_interval(a: Interval, b: Interval) -> Interval {
    let estimate = a.estimate - b.estimate;
    let low = (a.estimate - a.low).hypot(b.high - b.estimate);
    let high = (a.high - a.estimate).hypot(b.estimate - b.low);
    Interval { estimate, low: estimate - low, high: estimate + high }
}

/// [`mean_interval`] of `n` values that were only added up, and their squares with them.
pub fn mean_interval_of_sums(n: u64, sum: f64, squares: f64) -> Option<Interval> {
    if n < 2 {
        return None;
    }
    let count = n as f64;
    let estimate = sum / count;
    // Rounding may take equal values below 0.
    let variance = ((squares - sum * estimate) / (count - 1.0)).max(0.0);
    let half = Z95 * (variance / count).sqrt();
    Some(Interval { estimate, low: estimate - half, high: estimate + half })
}

/// [`mean_interval_of_sums`] of `rows` values measured on `clips` independent clips, each perhaps more than once. Every row
/// weighs the same in the mean; the width is that of `clips` values with the rows' variance. `None` below two clips.
pub fn mean_interval_of_repeats(rows: u64, clips: u64, sum: f64, squares: f64) -> Option<Interval> {
    if clips >= rows {
        return mean_interval_of_sums(rows, sum, squares);
    }
    let share = clips as f64 / rows as f64;
    let scaled = mean_interval_of_sums(clips, sum * share, squares * share)?;
    Some(Interval { estimate: sum / rows as f64, ..scaled })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_of_clips_narrow_no_interval() {
        assert_eq!(wilson_of_rate(8.0 / 10.0, 10), wilson(8, 10));
        assert_eq!(wilson_of_rate(0.5, 0), None);
        // Each of three values twenty times over.
        let once = mean_interval_of_sums(3, 6.0, 14.0).unwrap();
        let often = mean_interval_of_repeats(60, 3, 120.0, 280.0).unwrap();
        for (a, b) in [(once.estimate, often.estimate), (once.low, often.low), (once.high, often.high)] {
            assert!((a - b).abs() < 1e-12, "{once:?} {often:?}");
        }
        assert_eq!(mean_interval_of_repeats(3, 3, 6.0, 14.0), Some(once));
        assert_eq!(mean_interval_of_repeats(20, 1, 20.0, 20.0), None);
    }

    #[test]
    fn wilson_known_values() {
        let i = wilson(8, 10).unwrap();
        assert!((i.low - 0.490_162).abs() < 1e-6 && (i.high - 0.943_318).abs() < 1e-6, "{i:?}");
        let none = wilson(0, 10).unwrap();
        assert!(none.low == 0.0 && (none.high - 0.277_533).abs() < 1e-6, "{none:?}");
        assert!(wilson(0, 0).is_none());
        // The figures of conventions: ±2.7 points at 686 clips, ±5.3 at 216, for an accuracy near 0.8.
        let half = |n: u64| wilson(n * 4 / 5, n).map(|i| (i.high - i.low) / 2.0).unwrap();
        assert!((half(686) - 0.030).abs() < 0.001 && (half(216) - 0.053).abs() < 0.001);
    }

    /// Newcombe (1998), method 10, examples (a) 56/70 against 48/80 and (h) 10/10 against 0/10.
    #[test]
    fn differences_of_rates_as_published() {
        let of = |a: (u64, u64), b: (u64, u64)| {
            let d = difference_interval(wilson(a.0, a.1).unwrap(), wilson(b.0, b.1).unwrap());
            [d.estimate, d.low, d.high].map(|v| (v * 1e4).round() / 1e4)
        };
        assert_eq!(of((56, 70), (48, 80)), [0.2, 0.0524, 0.3339]);
        assert_eq!(of((10, 10), (0, 10)), [1.0, 0.6075, 1.0]);
        assert_eq!(wilson_of_rate(0.8, 10), wilson(8, 10));
        assert!(wilson_of_rate(0.8, 0).is_none());
    }

    /// Quantiles as printed tables have them: 4.303 at 2 degrees of freedom, 2.776 at 4.
    #[test]
    fn few_values_have_wide_intervals() {
        let half = |values: &[f64]| student_interval(values).map(|i| (i.high - i.low) / 2.0).unwrap();
        assert!((half(&[1.0, 2.0, 3.0]) - 4.302_653 / 3f64.sqrt()).abs() < 1e-5);
        assert!((half(&[1.0, 2.0, 3.0, 4.0, 5.0]) - 2.776_445 * 0.5f64.sqrt()).abs() < 1e-5);
        assert!(student_interval(&[1.0]).is_none());
    }

    #[test]
    fn means_and_spreads() {
        assert_eq!(mean_sd(&[1.0, 2.0, 3.0]), Some((2.0, Some(1.0))));
        assert_eq!(mean_sd(&[4.0]), Some((4.0, None)));
        assert_eq!(mean_sd(&[]), None);
        let i = mean_interval(&[1.0, 2.0, 3.0]).unwrap();
        assert!((i.high - 2.0 - Z95 / 3f64.sqrt()).abs() < 1e-12 && (i.low + i.high - 4.0).abs() < 1e-12);
        assert!(mean_interval(&[1.0]).is_none());
        let sums = mean_interval_of_sums(3, 6.0, 14.0).unwrap();
        assert!((sums.low - i.low).abs() < 1e-12 && (sums.high - i.high).abs() < 1e-12, "{sums:?}");
        assert!(mean_interval_of_sums(1, 1.0, 1.0).is_none());
        let share = Interval { estimate: 0.7, low: 0.6, high: 0.8 }.share_of(0.8);
        assert!((share.estimate - 0.875).abs() < 1e-15 && (share.low - 0.75).abs() < 1e-12);
    }
}
