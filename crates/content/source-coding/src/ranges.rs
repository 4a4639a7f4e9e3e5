//! Feature columns to 8 bits and back.

use corpus::Sequence;

/// Values are kept within so many standard deviations of their column's mean.
pub const DEVIATIONS: f64 = 4.0;

/// The range of each column of a plane, known to both ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranges {
    /// By column, what byte 0 stands for.
    low: Vec<f32>,
    /// By column, from one byte to the next; 0 if the column is constant.
    step: Vec<f32>,
}

impl Ranges {
    /// Of the columns of all `planes`, `[frames, width]`, the training split's: from the least to the largest value, within
    /// [`DEVIATIONS`] of the mean. `None` if there is no frame, or not one width.
    pub fn fit<'a>(planes: impl Iterator<Item = &'a Sequence>) -> Option<Ranges> {
        let mut columns: Vec<Column> = Vec::new();
        for plane in planes {
            if columns.is_empty() {
                columns.resize(plane.width(), Column::default());
            }
            if columns.len() != plane.width() {
                return None;
            }
            for frame in plane.data().chunks_exact(plane.width()) {
                columns.iter_mut().zip(frame).for_each(|(column, &value)| column.add(f64::from(value)));
            }
        }
        let bounds: Option<Vec<(f64, f64)>> = columns.iter().map(Column::bounds).collect();
        let bounds = bounds.filter(|bounds| !bounds.is_empty())?;
        Some(Ranges {
            low: bounds.iter().map(|(low, _)| *low as f32).collect(),
            step: bounds.iter().map(|(low, high)| ((high - low) / 255.0) as f32).collect(),
        })
    }

    /// Of columns that begin at `low` and go from one byte to the next by `step`. What is no step stands for a constant column.
    ///
    /// # Panics
    /// If there are not as many of the one as of the other.
    pub fn of_columns(low: Vec<f32>, step: Vec<f32>) -> Ranges {
        assert_eq!(low.len(), step.len(), "columns");
        let finite = |values: Vec<f32>| values.into_iter().map(|v| if v.is_finite() { v } else { 0.0 }).collect();
        Ranges { low: finite(low), step: finite(step) }
    }

    /// By column, what byte 0 stands for.
    pub fn low(&self) -> &[f32] {
        &self.low
    }

    /// By column, from one byte to the next; 0 if the column is constant.
    pub fn step(&self) -> &[f32] {
        &self.step
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.low.len()
    }

    /// Nearest bytes of `frames`, `[frames, width]`; what lies outside becomes the nearest end, NaN the lower.
    pub(crate) fn quantise(&self, frames: &[f32]) -> Vec<u8> {
        let columns = self.low.iter().zip(&self.step).cycle();
        let byte = |(value, (low, step)): (&f32, (&f32, &f32))| {
            if *step > 0.0 { ((value - low) / step).round().clamp(0.0, 255.0) as u8 } else { 0 }
        };
        frames.iter().zip(columns).map(byte).collect()
    }

    /// The values that bytes, `[frames, width]`, stand for.
    pub(crate) fn restore(&self, bytes: &[u8]) -> Vec<f32> {
        let columns = self.low.iter().zip(&self.step).cycle();
        bytes.iter().zip(columns).map(|(&byte, (low, step))| low + step * f32::from(byte)).collect()
    }
}

#[derive(Clone, Copy, Default)]
struct Column {
    count: f64,
    mean: f64,
    /// Sum of squared deviations (Welford).
    squares: f64,
    low: f64,
    high: f64,
}

impl Column {
    fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        (self.low, self.high) = match self.count == 0.0 {
            true => (value, value),
            false => (self.low.min(value), self.high.max(value)),
        };
        self.count += 1.0;
        let off = value - self.mean;
        self.mean += off / self.count;
        self.squares += off * (value - self.mean);
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        let reach = DEVIATIONS * (self.squares / self.count).sqrt();
        (self.count > 0.0).then(|| (self.low.max(self.mean - reach), self.high.min(self.mean + reach)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_within_half_a_step_and_ends_hold() {
        let data: Vec<f32> = (0..300).flat_map(|k| [(k % 17) as f32, 3.0, (k as f32 * 0.7).sin()]).collect();
        let plane = Sequence::new(3, data.clone());
        let ranges = Ranges::fit([&plane].into_iter()).unwrap();
        let back = ranges.restore(&ranges.quantise(&data));
        for (column, range) in [16.0f32, 0.0, 2.0].into_iter().enumerate() {
            let worst = data.iter().zip(&back).skip(column).step_by(3).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst <= 0.5001 * range / 255.0 + 1e-6, "{column}: {worst}");
        }
        assert_eq!(ranges.quantise(&[1e9, 0.0, f32::NAN]), [255, 0, 0]);
        assert_eq!(ranges.quantise(&[f32::NEG_INFINITY, 9.0, 1e30]), [0, 0, 255]);
    }

    #[test]
    fn one_outlier_does_not_take_the_range() {
        let mut data = vec![0.0f32; 999];
        data.iter_mut().enumerate().for_each(|(k, v)| *v = (k % 3) as f32);
        data.push(1e6);
        let ranges = Ranges::fit([&Sequence::new(1, data)].into_iter()).unwrap();
        assert!(ranges.step[0] < 1e3);
        assert_eq!(Ranges::fit(std::iter::empty()), None);
        let (a, b) = (Sequence::new(1, vec![0.0]), Sequence::new(2, vec![0.0; 2]));
        assert_eq!(Ranges::fit([&a, &b].into_iter()), None);
    }
}
