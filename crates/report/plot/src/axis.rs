//! Axes: range, ticks, and the numbers beside them.

use crate::PlotError;

/// What stays free at either end of an axis that fits its range to the data, as a share of their range.
const MARGIN: f64 = 0.05;

/// Where the ticks of a logarithmic axis may be in each decade, the most of them first.
const LOG_TICKS: [&[f64]; 5] =
    [&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], &[1.0, 2.0, 3.0, 5.0], &[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]];

/// How values are spaced along an axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Spacing {
    /// Equal differences are equal lengths.
    #[default]
    Linear,
    /// Equal ratios are equal lengths; all values are above zero.
    Logarithmic,
    /// The values 0, 1, … stand for these names.
    Names(Vec<String>),
}

/// One axis of a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What is shown, with its unit.
    pub label: String,
    /// From where to where; by default what the data need and a little more.
    pub range: Option<(f64, f64)>,
    /// Linear unless said otherwise.
    pub spacing: Spacing,
}

impl Axis {
    /// A linear axis that fits its range to the data.
    pub fn new(label: impl Into<String>) -> Axis {
        Axis { label: label.into(), range: None, spacing: Spacing::Linear }
    }

    /// With logarithmic spacing.
    pub fn logarithmic(mut self) -> Axis {
        self.spacing = Spacing::Logarithmic;
        self
    }

    /// Of names instead of numbers: 0 is the first of them.
    pub fn names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Axis {
        self.spacing = Spacing::Names(names.into_iter().map(Into::into).collect());
        self
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
    /// Of the linear axis the values at its ends, of the logarithmic one their logarithms.
    pub from: f64,
    pub to: f64,
    pub ticks: Vec<f64>,
    /// Places between the ticks that are marked without a number, on a logarithmic axis.
    pub minor: Vec<f64>,
    /// Digits after the decimal point that tell neighbouring ticks apart.
    digits: usize,
    spacing: Spacing,
}

impl Scale {
    /// For `values`, with at most about `most` ticks. Where the values themselves make an even grid that is coarse
    /// enough, the ticks are the values.
    pub fn fit(axis: &Axis, values: &[f64], most: usize) -> Result<Scale, PlotError> {
        if let Some((from, to)) = axis.range
            && !(from.is_finite() && to.is_finite() && from < to)
        {
            return Err(PlotError::BadRange { label: axis.label.clone(), from, to });
        }
        match &axis.spacing {
            Spacing::Linear => Ok(Self::linear(axis.range, values, most)),
            Spacing::Logarithmic => Self::logarithmic(axis, values, most),
            Spacing::Names(names) => {
                let last = names.len().max(1) as f64 - 1.0;
                let ticks = (0..names.len()).map(|i| i as f64).collect();
                let minor = Vec::new();
                Ok(Scale { from: -0.5, to: last + 0.5, ticks, minor, digits: 0, spacing: axis.spacing.clone() })
            }
        }
    }

    fn linear(range: Option<(f64, f64)>, values: &[f64], most: usize) -> Scale {
        let spacing = Spacing::Linear;
        let (mut from, mut to) = range.unwrap_or_else(|| bounds(values));
        let fixed = range.is_some();
        if from == to {
            // A single value sits in the middle of its axis.
            let half = if from == 0.0 { 1.0 } else { from.abs() * 0.1 };
            (from, to) = (from - half, to + half);
        }
        if let Some(ticks) = even_grid(values, most).filter(|_| !fixed) {
            let margin = (0.25 * (ticks[1] - ticks[0])).min(MARGIN * (to - from));
            let digits = digits_of(&ticks);
            return Scale { from: from - margin, to: to + margin, ticks, minor: Vec::new(), digits, spacing };
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
        Scale { from, to, ticks, minor: Vec::new(), digits, spacing }
    }

    fn logarithmic(axis: &Axis, values: &[f64], most: usize) -> Result<Scale, PlotError> {
        let (low, high) = axis.range.unwrap_or_else(|| bounds(values));
        if let Some(&value) = values.iter().chain([&low]).find(|value| **value <= 0.0) {
            return Err(PlotError::NotPositive { label: axis.label.clone(), value });
        }
        let margin = match axis.range {
            Some(_) => 0.0,
            None if low == high => 0.3,
            None => MARGIN * (high / low).log10(),
        };
        let (from, to) = (low.log10() - margin, high.log10() + margin);
        let within = |factors: &[f64]| -> Vec<f64> {
            let decades = from.floor() as i32..=to.ceil() as i32;
            let ticks = decades.flat_map(|decade| factors.iter().map(move |f| f * 10f64.powi(decade)));
            ticks.filter(|tick| (from - 1e-9..=to + 1e-9).contains(&tick.log10())).collect()
        };
        // The densest of these whose numbers stay apart.
        let least = 0.7 / most as f64 * (to - from);
        let apart = |ticks: &[f64]| ticks.windows(2).all(|pair| (pair[1] / pair[0]).log10() >= least);
        let mut ticks = LOG_TICKS.iter().map(|factors| within(factors)).find(|ticks| apart(ticks)).unwrap_or_default();
        if ticks.len() < 3 {
            // Less than a decade: numbers at equal differences fill it.
            let (low, high) = (10f64.powf(from), 10f64.powf(to));
            let step = round_step((high - low) / most as f64);
            let even = |i: i64| i as f64 * step;
            let linear: Vec<f64> = ((low / step).ceil() as i64..=(high / step).floor() as i64).map(even).collect();
            if linear.len() > ticks.len() && apart(&linear) {
                ticks = linear;
            }
        }
        let every = within(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        let minor =
            every.into_iter().filter(|place| ticks.iter().all(|tick| (tick / place - 1.0).abs() > 1e-9)).collect();
        let digits = digits_of(&ticks);
        Ok(Scale { from, to, ticks, minor, digits, spacing: Spacing::Logarithmic })
    }

    /// Where `value` lies, 0 at the start of the axis and 1 at its end.
    pub fn fraction(&self, value: f64) -> f64 {
        let value = if self.spacing == Spacing::Logarithmic { value.log10() } else { value };
        (value - self.from) / (self.to - self.from)
    }

    /// What stands at a tick: its name, or its number with the typographic minus sign.
    pub fn number(&self, tick: f64) -> String {
        if let Spacing::Names(names) = &self.spacing {
            return names.get(tick as usize).cloned().unwrap_or_default();
        }
        // Adding 0 turns -0 into 0.
        let text = format!("{:.*}", self.digits, tick + 0.0);
        text.replace('-', "\u{2212}")
    }
}

fn bounds(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)))
}

/// The distinct values, or every second or third of them, if they are evenly spaced and not too many.
fn even_grid(values: &[f64], most: usize) -> Option<Vec<f64>> {
    let mut grid = values.to_vec();
    grid.sort_by(f64::total_cmp);
    grid.dedup();
    if grid.len() < 3 {
        return None;
    }
    let step = grid[1] - grid[0];
    let even = grid.windows(2).all(|pair| ((pair[1] - pair[0]) - step).abs() < 1e-9 * step.abs().max(1.0));
    let thinned = |by: u32| -> Vec<f64> {
        let multiple = |v: &f64| (v / (step * f64::from(by)) - (v / (step * f64::from(by))).round()).abs() < 1e-6;
        grid.iter().copied().filter(|v| by == 1 || multiple(v)).collect()
    };
    let fits = |grid: &Vec<f64>| (3..=most + 2).contains(&grid.len());
    (1..=3).map(thinned).find(fits).filter(|_| even)
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
    fn a_dense_sweep_is_thinned_to_even_values() {
        let sweep: Vec<f64> = (0..12).map(|i| -12.0 + 3.0 * i as f64).collect();
        let scale = Scale::fit(&Axis::new("SNR"), &sweep, 5).unwrap();
        assert_eq!(scale.ticks, [-12.0, -6.0, 0.0, 6.0, 12.0, 18.0]);
        assert!(scale.to > 21.0);
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

    #[test]
    fn equal_ratios_are_equal_lengths() {
        let axis = Axis::new("channel uses").logarithmic();
        let scale = Scale::fit(&axis, &[5.0, 10.0, 40.0, 8000.0], 12).unwrap();
        let (a, b, c) = (scale.fraction(10.0), scale.fraction(100.0), scale.fraction(1000.0));
        assert!(((b - a) - (c - b)).abs() < 1e-12 && a > 0.0 && c < 1.0);
        assert_eq!(scale.ticks, [5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0]);
        assert_eq!(scale.number(5.0), "5");
        let coarse = Scale::fit(&axis, &[5.0, 8000.0], 4).unwrap();
        assert_eq!(coarse.ticks, [10.0, 100.0, 1000.0, 10000.0]);
        // What accuracy against channel uses is drawn over: with and without a scheme that spends thousands.
        assert_eq!(Scale::fit(&axis, &[5.0, 19.0, 25.0, 40.0], 6).unwrap().ticks, [5.0, 10.0, 20.0, 30.0]);
        assert_eq!(
            Scale::fit(&axis, &[5.0, 25.0, 2500.0], 6).unwrap().ticks,
            [10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0]
        );
        let narrow = Scale::fit(&axis, &[19.0, 25.0], 6).unwrap();
        assert_eq!(narrow.ticks, [20.0, 22.0, 24.0]);
        assert!(coarse.minor.contains(&20.0) && !coarse.minor.contains(&100.0));
        let error = Scale::fit(&axis, &[5.0, 0.0], 12).unwrap_err();
        assert_eq!(error.to_string(), "axis 'channel uses' is logarithmic and cannot show 0");
    }

    #[test]
    fn names_stand_at_whole_numbers() {
        let scale = Scale::fit(&Axis::new("pair").names(["ta", "tv", "av"]), &[0.1], 3).unwrap();
        assert_eq!(scale.ticks, [0.0, 1.0, 2.0]);
        assert_eq!((scale.number(2.0), scale.fraction(1.0)), ("av".into(), 0.5));
    }
}
