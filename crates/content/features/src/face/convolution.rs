//! Convolutions of feature maps as products of matrices, by TensorFlow's convention: kernels `[height, width, inputs,
//! outputs]` are not flipped. Pieces of work are rows of the output, so the number of threads changes no bit.

use super::map::{Map, Padding};
use super::shards::Shards;
use crate::checkpoint::CheckpointError;
use crate::layers::in_parallel;
use kernels::depthwise::depthwise;
use kernels::matmul::{Operand, Start, matmul};
use std::ops::Range;

/// Multiplications that are worth a thread.
const WORK: usize = 1 << 20;

/// y = activation(k ∗ x + b), square kernels.
pub(crate) struct Convolution {
    /// `[size · size · inputs, outputs]`.
    weight: Vec<f32>,
    bias: Vec<f32>,
    size: usize,
    stride: usize,
    padding: Padding,
}

impl Convolution {
    /// `NAME/filters [size, size, inputs, outputs]` and `NAME/bias [outputs]`.
    pub(crate) fn load(
        shards: &Shards,
        name: &str,
        size: usize,
        (inputs, outputs): (usize, usize),
        (stride, padding): (usize, Padding),
    ) -> Result<Convolution, CheckpointError> {
        let weight = shards.get(&format!("{name}/filters"), &[size, size, inputs, outputs])?;
        let bias = shards.get(&format!("{name}/bias"), &[outputs])?;
        Ok(Convolution { weight, bias, size, stride, padding })
    }

    /// x `[height, width, inputs]` → `[height′, width′, outputs]`.
    pub(crate) fn forward(&self, x: &Map, activation: impl Fn(f32) -> f32 + Sync) -> Map {
        let window = Window::over(x, self.size, self.stride, self.padding);
        let taps = self.size * self.size * x.channels;
        let patches = |y: usize, out: &mut [f32]| {
            for (column, patch) in out.chunks_exact_mut(taps).enumerate() {
                window.runs(y, column, |tap, run| patch[tap * x.channels..][..run.len()].copy_from_slice(run));
            }
        };
        product(&window, (taps, patches), &self.weight, &self.bias, activation)
    }
}

/// A depthwise convolution 3 × 3, then a mix of the channels: y = activation(x̃·W + b).
pub(crate) struct Separable {
    /// `[3 · 3, inputs]`.
    depthwise: Vec<f32>,
    /// `[inputs, outputs]`.
    pointwise: Vec<f32>,
    bias: Vec<f32>,
    stride: usize,
}

impl Separable {
    /// `NAME/depthwise_filter [3, 3, inputs, 1]`, `NAME/pointwise_filter [1, 1, inputs, outputs]` and `NAME/bias [outputs]`.
    pub(crate) fn load(
        shards: &Shards,
        name: &str,
        (inputs, outputs): (usize, usize),
        stride: usize,
    ) -> Result<Separable, CheckpointError> {
        let depthwise = shards.get(&format!("{name}/depthwise_filter"), &[3, 3, inputs, 1])?;
        let pointwise = shards.get(&format!("{name}/pointwise_filter"), &[1, 1, inputs, outputs])?;
        let bias = shards.get(&format!("{name}/bias"), &[outputs])?;
        Ok(Separable { depthwise, pointwise, bias, stride })
    }

    /// x `[height, width, inputs]` → `[⌈height / stride⌉, ⌈width / stride⌉, outputs]`.
    pub(crate) fn forward(&self, x: &Map, activation: impl Fn(f32) -> f32 + Sync) -> Map {
        let window = Window::over(x, 3, self.stride, Padding::Same);
        let filtered = |y: usize, out: &mut [f32]| {
            let inner = window.inner(y);
            if let Some((columns, rows)) = &inner {
                let inside = &mut out[columns.start * x.channels..columns.end * x.channels];
                depthwise(*rows, self.stride, x.channels, &self.depthwise, inside);
            }
            let inner = inner.map_or(0..0, |(columns, _)| columns);
            for (column, sums) in out.chunks_exact_mut(x.channels).enumerate().filter(|(at, _)| !inner.contains(at)) {
                window.runs(y, column, |tap, run| {
                    let weights = self.depthwise[tap * x.channels..].chunks_exact(x.channels);
                    for (values, weights) in run.chunks_exact(x.channels).zip(weights) {
                        sums.iter_mut().zip(values).zip(weights).for_each(|((s, v), w)| *s = v.mul_add(*w, *s));
                    }
                });
            }
        };
        product(&window, (x.channels, filtered), &self.pointwise, &self.bias, activation)
    }
}

/// The places under a kernel as it moves over a map.
struct Window<'a> {
    x: &'a Map,
    size: usize,
    stride: usize,
    /// Padding above and to the left.
    before: (usize, usize),
    /// Height and width of the output.
    outputs: (usize, usize),
}

impl<'a> Window<'a> {
    fn over(x: &'a Map, size: usize, stride: usize, padding: Padding) -> Window<'a> {
        let (height, above) = padding.along(x.height, size, stride);
        let (width, left) = padding.along(x.width, size, stride);
        Window { x, size, stride, before: (above, left), outputs: (height, width) }
    }

    /// Calls `f(tap, values)` for each row of the kernel with its places within the map, which lie side by side: their
    /// channels one place after the other, from the place of that tap on.
    fn runs(&self, y: usize, x: usize, mut f: impl FnMut(usize, &[f32])) {
        let within = |at: usize, before: usize, end: usize| {
            let first = before.saturating_sub(at).min(self.size);
            first..(end + before).saturating_sub(at).clamp(first, self.size)
        };
        let (row, column) = (y * self.stride, x * self.stride);
        let across = within(column, self.before.1, self.x.width);
        for i in within(row, self.before.0, self.x.height) {
            let start = (row + i - self.before.0) * self.x.width + column + across.start - self.before.1;
            let run = &self.x.data[start * self.x.channels..][..across.len() * self.x.channels];
            f(i * self.size + across.start, run);
        }
    }

    /// The outputs of row y whose kernel of 3 × 3 lies within the map, and the rows under it from the first of them on.
    fn inner(&self, y: usize) -> Option<(Range<usize>, [&'a [f32]; 3])> {
        let row = (y * self.stride).checked_sub(self.before.0).filter(|row| row + 3 <= self.x.height)?;
        let first = self.before.1.div_ceil(self.stride);
        let end = (self.x.width + self.before.1).checked_sub(3)? / self.stride + 1;
        let start = first * self.stride - self.before.1;
        let part = |i: usize| {
            &self.x.data
                [((row + i) * self.x.width + start) * self.x.channels..(row + i + 1) * self.x.width * self.x.channels]
        };
        (first < end).then(|| (first..end.min(self.outputs.1), [part(0), part(1), part(2)]))
    }
}

/// Row y of the output: what `fill(y, [width, inputs])` makes of zeros, times `weight [inputs, outputs]`.
fn product(
    window: &Window,
    (inputs, fill): (usize, impl Fn(usize, &mut [f32]) + Sync),
    weight: &[f32],
    bias: &[f32],
    activation: impl Fn(f32) -> f32 + Sync,
) -> Map {
    let ((height, width), outputs) = (window.outputs, bias.len());
    let mut out = Map::zeros(height, width, outputs);
    let rows = (WORK / (width * inputs * outputs).max(1)).max(1);
    in_parallel(&mut out.data, rows * width * outputs, |index, piece| {
        let mut row = vec![0.0; width * inputs];
        for (y, out) in piece.chunks_exact_mut(width * outputs).enumerate() {
            row.fill(0.0);
            fill(index * rows + y, &mut row);
            let size = (width, inputs, outputs);
            matmul(size, Operand::rows(&row, inputs), weight, outputs, Start::Bias(bias), out, outputs);
            out.iter_mut().for_each(|v| *v = activation(*v));
        }
    });
    out
}

/// max(x, 0).
pub(crate) fn relu(x: f32) -> f32 {
    x.max(0.0)
}

/// x, or a tenth of it if it is negative.
pub(crate) fn leaky(x: f32) -> f32 {
    x.max(0.1 * x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::identity;

    fn noise(len: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..len).map(|_| next()).collect()
    }

    fn map(height: usize, width: usize, channels: usize) -> Map {
        Map { height, width, channels, data: noise(height * width * channels, 7) }
    }

    /// The definition in f64, padding as TensorFlow's documentation states it.
    fn naive(x: &Map, weight: &[f32], (size, outputs): (usize, usize), stride: usize, same: bool) -> Vec<f64> {
        let along = |n: usize| match same {
            true => (n.div_ceil(stride), ((n.div_ceil(stride) - 1) * stride + size).saturating_sub(n) / 2),
            false => ((n - size) / stride + 1, 0),
        };
        let ((height, above), (width, left)) = (along(x.height), along(x.width));
        let mut out = Vec::new();
        for (oy, ox) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            for o in 0..outputs {
                let mut sum = 0.0;
                for (i, j) in (0..size).flat_map(|i| (0..size).map(move |j| (i, j))) {
                    let y = (oy * stride + i) as isize - above as isize;
                    let at = (ox * stride + j) as isize - left as isize;
                    if (0..x.height as isize).contains(&y) && (0..x.width as isize).contains(&at) {
                        for c in 0..x.channels {
                            let w = weight[((i * size + j) * x.channels + c) * outputs + o];
                            sum += f64::from(x.at(y as usize, at as usize)[c]) * f64::from(w);
                        }
                    }
                }
                out.push(sum);
            }
        }
        out
    }

    fn close(ours: &[f32], exact: &[f64], what: &str) {
        assert_eq!(ours.len(), exact.len(), "{what}");
        let off = ours.iter().zip(exact).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-5, "{what}: off by {off}");
    }

    #[test]
    fn a_convolution_is_its_definition() {
        for (h, w, c, o, size, stride, padding) in [
            (9, 12, 3, 5, 3, 1, Padding::Same),
            (9, 12, 3, 5, 3, 2, Padding::Same),
            (8, 7, 2, 4, 3, 2, Padding::Same),
            (8, 7, 2, 17, 3, 1, Padding::Valid),
            (5, 4, 6, 3, 1, 1, Padding::Valid),
            (1, 1, 3, 2, 3, 1, Padding::Same),
        ] {
            let (x, weight) = (map(h, w, c), noise(size * size * c * o, 3));
            let exact = naive(&x, &weight, (size, o), stride, padding == Padding::Same);
            let convolution = Convolution { weight, bias: vec![0.0; o], size, stride, padding };
            close(
                &convolution.forward(&x, identity).data,
                &exact,
                &format!("{h}x{w}x{c} by {size}, {stride}, {padding:?}"),
            );
        }
    }

    #[test]
    fn a_separable_convolution_is_a_full_one_whose_kernel_is_a_product() {
        for (h, w, c, o, stride) in [(9, 12, 3, 5, 1), (8, 8, 20, 7, 2), (7, 5, 4, 4, 2)] {
            let (x, depthwise, pointwise) = (map(h, w, c), noise(9 * c, 4), noise(c * o, 5));
            let tap = |i: usize| (0..o).map(|j| depthwise[i] * pointwise[i % c * o + j]).collect::<Vec<_>>();
            let full: Vec<f32> = (0..9 * c).flat_map(tap).collect();
            let exact = naive(&x, &full, (3, o), stride, true);
            let separable = Separable { depthwise, pointwise, bias: vec![0.0; o], stride };
            close(&separable.forward(&x, identity).data, &exact, &format!("{h}x{w}x{c}, {stride}"));
        }
    }

    #[test]
    fn a_row_has_the_same_bits_whatever_piece_of_work_it_is_in() {
        // The height sets how rows are cut into pieces; a band of the map has the rows of the whole.
        let (weight, bias) = (noise(9 * 8 * 40, 1), noise(40, 2));
        let convolution = Convolution { weight, bias, size: 3, stride: 1, padding: Padding::Valid };
        let x = map(120, 64, 8);
        let whole = convolution.forward(&x, leaky);
        let band = Map { height: 9, width: 64, channels: 8, data: x.data[50 * 64 * 8..59 * 64 * 8].to_vec() };
        let row = 62 * 40;
        assert_eq!(convolution.forward(&band, leaky).data, whole.data[50 * row..57 * row]);
        assert!(whole.data.iter().any(|v| *v < 0.0));
    }
}
