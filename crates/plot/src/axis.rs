//! Axes: range, ticks, and the numbers beside them.

use crate::PlotError;

/// What stays free at either end of an axis that fits its range to the data, as a share of their range.
const MARGIN: f64 = 0.05;

/// One axis of a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What is shown, with its unit.
    pub label: String,
    /// From where to where; by default what the data need and a little more.
    pub range: Option<(f64, f64)>,
}

impl Axis {
    /// An axis that fits its range to the data.
    pub fn new(label: impl Into<String>) -> Axis {
        Axis { label: label.into(), range: None }
    }

    /// With a fixed range.
    pub fn range(mut self, from: f64, to: f64) -> Axis {
        self.range = Some((from, to));
        self
    }
}

/// An axis with its range and ticks decided.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scale {
    pub from: f64,
    pub to: f64,
    pub ticks: Vec<f64>,
    /// Digits after the decimal point that tell neighbouring ticks apart.
    digits: usize,
}

impl Scale {
    /// For `values`, with at most about `most` ticks. Where the values themselves make an even grid that is coarse
    /// enough, the ticks are the values.
    pub fn fit(axis: &Axis, values: &[f64], most: usize) -> Result<Scale, PlotError> {
        let (mut from, mut to) = match axis.range {
            Some(range) => range,
            None => bounds(values),
        };
        let fixed = axis.range.is_some();
        if fixed && !(from.is_finite() && to.is_finite() && from < to) {
            return Err(PlotError::BadRange { label: axis.label.clone(), from, to });
        }
        if from == to {
            // A single value sits in the middle of its axis.
            let half = if from == 0.0 { 1.0 } else { from.abs() * 0.1 };
            (from, to) = (from - half, to + half);
        }
        if let Some(ticks) = even_grid(values, most).filter(|_| !fixed) {
            let margin = 0.25 * (ticks[1] - ticks[0]);
            let digits = digits_of(&ticks);
            return Ok(Scale { from: from - margin, to: to + margin, ticks, digits });
        }
        let step = round_step((to - from) / most as f64);
        if !fixed {
            // Nothing lies on the frame.
            let margin = MARGIN * (to - from);
            (from, to) = (from - margin, to + margin);
        }
        let first = (from / step - 1e-9).ceil() as i64;
        let last = (to / step + 1e-9).floor() as i64;
        let ticks: Vec<f64> = (first..=last).map(|i| i as f64 * step).collect();
        let digits = digits_of(&ticks);
        Ok(Scale { from, to, ticks, digits })
    }

    /// Where `value` lies, 0 at the start of the axis and 1 at its end.
    pub fn fraction(&self, value: f64) -> f64 {
        (value - self.from) / (self.to - self.from)
    }

    /// A tick's number, with the typographic minus sign.
    pub fn number(&self, tick: f64) -> String {
        // Adding 0 turns -0 into 0.
        let text = format!("{:.*}", self.digits, tick + 0.0);
        text.replace('-', "\u{2212}")
    }
}

fn bounds(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)))
}

/// The distinct values, if they are evenly spaced and not too many.
fn even_grid(values: &[f64], most: usize) -> Option<Vec<f64>> {
    let mut grid = values.to_vec();
    grid.sort_by(f64::total_cmp);
    grid.dedup();
    if grid.len() < 3 || grid.len() > most + 2 {
        return None;
    }
    let step = grid[1] - grid[0];
    let even = grid.windows(2).all(|pair| ((pair[1] - pair[0]) - step).abs() < 1e-9 * step.abs().max(1.0));
    even.then_some(grid)
}

/// The next of 1, 2, 2.5, 5 times a power of ten.
fn round_step(raw: f64) -> f64 {
    let power = 10f64.powf(raw.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    steps.into_iter().map(|s| s * power).find(|&s| s >= raw * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// The fewest decimals, at most 6, that show every tick exactly.
fn digits_of(ticks: &[f64]) -> usize {
    let exact = |digits: usize| {
        let unit = 10f64.powi(digits as i32);
        ticks.iter().all(|t| ((t * unit).round() - t * unit).abs() < 1e-6)
    };
    (0..6).find(|&d| exact(d)).unwrap_or(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_sweep_is_its_own_ticks() {
        let sweep: Vec<f64> = (0..12).map(|i| -12.0 + 3.0 * i as f64).collect();
        let scale = Scale::fit(&Axis::new("SNR"), &sweep, 12).unwrap();
        assert_eq!(scale.ticks, sweep);
        assert_eq!(scale.number(-12.0), "\u{2212}12");
        assert!(scale.from < -12.0 && scale.to > 21.0);
    }

    #[test]
    fn ticks_are_round_and_the_data_off_the_frame() {
        let scale = Scale::fit(&Axis::new("Acc-2"), &[0.731, 0.8533, 0.5547, 0.6], 6).unwrap();
        assert!(scale.from < 0.5547 && scale.to > 0.8533);
        assert!((4..=8).contains(&scale.ticks.len()), "{:?}", scale.ticks);
        assert_eq!(scale.number(scale.ticks[1]), "0.60");
    }

    #[test]
    fn a_fixed_range_is_kept() {
        let scale = Scale::fit(&Axis::new("p").range(0.0, 1.0), &[0.2, 0.3, 0.4], 5).unwrap();
        assert_eq!((scale.from, scale.to), (0.0, 1.0));
        assert_eq!(scale.ticks.len(), 6);
        assert_eq!(scale.number(scale.ticks[1]), "0.2");
    }

    #[test]
    fn a_range_that_runs_backwards_is_named() {
        let error = Scale::fit(&Axis::new("p").range(1.0, 0.0), &[0.2], 5).unwrap_err();
        assert_eq!(error.to_string(), "axis 'p' runs from 1 to 0; its end must be above its start");
    }

    #[test]
    fn one_value_sits_in_the_middle() {
        let scale = Scale::fit(&Axis::new("SNR"), &[-6.0], 5).unwrap();
        assert!(scale.from < -6.0 && scale.to > -6.0);
        assert!(!scale.ticks.is_empty());
        assert_eq!(scale.number(-0.0), scale.number(0.0));
    }
}
