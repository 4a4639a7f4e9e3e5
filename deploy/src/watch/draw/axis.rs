//! A scale with numbers at round values.

use super::super::text::db;

/// From one multiple of a step to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    step: f64,
    steps: u32,
}

impl Axis {
    /// Around all `values`, which are finite, in the smallest step that needs at most `gaps` of them: one of `steps`, or
    /// ten, a hundred, … times one.
    pub fn around(values: impl Iterator<Item = f64>, steps: &[f64], gaps: u16) -> Axis {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let gaps = f64::from(gaps.max(1));
        let scales = (0..300).map(|power| 10f64.powi(power));
        let steps = scales.flat_map(|scale| steps.iter().map(move |step| step * scale));
        let fitting = steps.map(|step| Axis::with(low, high, step)).find(|axis| f64::from(axis.steps) <= gaps);
        fitting.unwrap_or(Axis { low, high: high.max(low + 1.0), step: high.max(low + 1.0) - low, steps: 1 })
    }

    fn with(low: f64, high: f64, step: f64) -> Axis {
        // What is a multiple up to rounding is one.
        let first = (low / step + 1e-6).floor();
        let last = (high / step - 1e-6).ceil().max(first + 1.0);
        let steps = (last - first).min(f64::from(u32::MAX)) as u32;
        Axis { low: first * step, high: last * step, step, steps }
    }

    /// Both ends.
    pub fn bounds(&self) -> [f64; 2] {
        [self.low, self.high]
    }

    /// The values with a number, and the number.
    pub fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        let label = |at: f64| if self.step < 1.0 { format!("{at:.2}") } else { db(at) };
        (0..=self.steps).map(move |tick| {
            let at = self.low + f64::from(tick) * self.step;
            (at, label(at))
        })
    }

    /// Which of `columns` a value lies in, from the lower end, as the canvas rounds it.
    pub fn column(&self, at: f64, columns: u16) -> u16 {
        cell((at - self.low) / (self.high - self.low), columns)
    }

    /// Which of `rows` a value lies in, from the upper end, as the canvas rounds it.
    pub fn row(&self, at: f64, rows: u16) -> u16 {
        cell((self.high - at) / (self.high - self.low), rows)
    }
}

fn cell(share: f64, cells: u16) -> u16 {
    (share.clamp(0.0, 1.0) * f64::from(cells.saturating_sub(1))).round() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks().map(|(_, label)| label).collect()
    }

    #[test]
    fn numbers_stand_at_round_values() {
        let db_steps = [1.0, 3.0, 6.0];
        let snr = Axis::around([-12.0, 3.0, 21.0].into_iter(), &db_steps, 12);
        assert_eq!(labels(&snr)[..3], ["-12", "-9", "-6"]);
        assert_eq!(snr.bounds(), [-12.0, 21.0]);
        assert_eq!([-12.0, 0.0, 21.0].map(|at| snr.column(at, 34)), [0, 12, 33]);
        assert_eq!([-12.0, 0.0, 21.0].map(|at| snr.row(at, 34)), [33, 21, 0]);
        let one = Axis::around([12.0].into_iter(), &db_steps, 5);
        assert_eq!(labels(&one), ["12", "13"]);
        let wide = Axis::around([-200.0, 200.0].into_iter(), &db_steps, 5);
        assert!(labels(&wide).len() <= 6 && wide.low <= -200.0 && wide.high >= 200.0, "{wide:?}");
        let value = Axis::around([0.721, 0.842].into_iter(), &[0.01, 0.02, 0.05], 5);
        assert_eq!(labels(&value), ["0.70", "0.75", "0.80", "0.85"]);
    }

    #[test]
    fn no_values_and_huge_ones_make_an_axis() {
        for values in [vec![], vec![0.0], vec![1e300], vec![-1e300, 1e300], vec![0.0, f64::MIN_POSITIVE]] {
            let axis = Axis::around(values.iter().copied(), &[0.01, 0.02, 0.05], 3);
            assert!(axis.ticks().count() <= 4, "{values:?}: {axis:?}");
            assert!(axis.column(0.0, 10) < 10 && axis.row(0.0, 10) < 10);
        }
    }
}
