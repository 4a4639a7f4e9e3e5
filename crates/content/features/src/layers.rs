//! Layers of the pretrained networks, forward only, on row-major slices of f32. Outputs do not depend on the number of
//! threads: each is one chain of sums, whichever thread computes it.

use crate::checkpoint::{CheckpointError, Tensors};
use kernels::matmul::{Operand, Start, matmul, transpose};
use kernels::simd::{dot, exp, sum};
use std::num::NonZero;

/// Calls `f(index, chunk)` for the `chunk`-long pieces of `data` on the cores there are.
pub(crate) fn in_parallel(data: &mut [f32], chunk: usize, f: impl Fn(usize, &mut [f32]) + Sync) {
    let pieces: Vec<_> = data.chunks_mut(chunk.max(1)).enumerate().collect();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(pieces.len()).max(1);
    let mut shares: Vec<Vec<_>> = (0..threads).map(|_| Vec::new()).collect();
    for (index, piece) in pieces {
        shares[index % threads].push((index, piece));
    }
    let own = shares.pop().unwrap_or_default();
    std::thread::scope(|scope| {
        for share in shares {
            let f = &f;
            scope.spawn(move || share.into_iter().for_each(|(index, piece)| f(index, piece)));
        }
        own.into_iter().for_each(|(index, piece)| f(index, piece));
    });
}

/// Rows that one piece of work holds.
const ROWS: usize = 96;

/// y = x·W + b.
pub(crate) struct Linear {
    /// `[inputs, outputs]`.
    weight: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
}

impl Linear {
    /// From `weight [outputs, inputs]`, row by row, and `bias [outputs]`.
    pub(crate) fn new(weight: &[f32], bias: Vec<f32>, inputs: usize) -> Linear {
        let mut transposed = vec![0.0; weight.len()];
        transpose(weight, bias.len(), inputs, &mut transposed);
        Linear { weight: transposed, bias, inputs }
    }

    /// `NAME.weight [outputs, inputs]` and `NAME.bias [outputs]`, or zero where the network has no bias.
    pub(crate) fn load(
        tensors: &Tensors,
        name: &str,
        (inputs, outputs): (usize, usize),
        biased: bool,
    ) -> Result<Linear, CheckpointError> {
        let weight = tensors.get(&format!("{name}.weight"), &[outputs, inputs])?;
        let bias = if biased { tensors.get(&format!("{name}.bias"), &[outputs])? } else { vec![0.0; outputs] };
        Ok(Linear::new(&weight, bias, inputs))
    }

    /// x `[rows, inputs]` → `[rows, outputs]`, each value through `activation`.
    pub(crate) fn forward(&self, x: &[f32], activation: impl Fn(f32) -> f32 + Sync) -> Vec<f32> {
        let (inputs, outputs) = (self.inputs, self.bias.len());
        let mut y = vec![0.0; x.len() / inputs * outputs];
        in_parallel(&mut y, ROWS * outputs, |index, y| {
            let rows = y.len() / outputs;
            let x = &x[index * ROWS * inputs..][..rows * inputs];
            let size = (rows, inputs, outputs);
            matmul(size, Operand::rows(x, inputs), &self.weight, outputs, Start::Bias(&self.bias), y, outputs);
            y.iter_mut().for_each(|v| *v = activation(*v));
        });
        y
    }
}

/// No activation.
pub(crate) fn identity(x: f32) -> f32 {
    x
}

/// x·Φ(x).
pub(crate) fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// Layer normalisation over the width, ε = 1e-5.
pub(crate) struct LayerNorm {
    gain: Vec<f32>,
    bias: Vec<f32>,
}

impl LayerNorm {
    pub(crate) fn load(tensors: &Tensors, name: &str, width: usize) -> Result<LayerNorm, CheckpointError> {
        let gain = tensors.get(&format!("{name}.weight"), &[width])?;
        let bias = tensors.get(&format!("{name}.bias"), &[width])?;
        Ok(LayerNorm { gain, bias })
    }

    /// x `[rows, width]` → the same shape.
    pub(crate) fn forward(&self, x: &[f32]) -> Vec<f32> {
        let width = self.gain.len();
        let mut y = x.to_vec();
        for row in y.chunks_exact_mut(width) {
            let mean = sum(row) / width as f32;
            row.iter_mut().for_each(|v| *v -= mean);
            let scale = 1.0 / (dot(row, row) / width as f32 + 1e-5).sqrt();
            for ((v, gain), bias) in row.iter_mut().zip(&self.gain).zip(&self.bias) {
                *v = (*v * scale).mul_add(*gain, *bias);
            }
        }
        y
    }
}

/// softmax(Q·Kᵀ/√d)·V per head; q, k, v `[rows, width]` with the heads side by side → `[rows, width]`.
pub(crate) fn attention(q: &[f32], k: &[f32], v: &[f32], width: usize, heads: usize) -> Vec<f32> {
    let (rows, depth) = (q.len() / width, width / heads);
    let scale = 1.0 / (depth as f32).sqrt();
    // Kᵀ of each head: [heads, depth, rows].
    let mut keys = vec![0.0; k.len()];
    in_parallel(&mut keys, depth * rows, |head, keys| {
        for (t, row) in k.chunks_exact(width).enumerate() {
            row[head * depth..][..depth].iter().enumerate().for_each(|(d, value)| keys[d * rows + t] = *value);
        }
    });
    let mut out = vec![0.0; q.len()];
    in_parallel(&mut out, ROWS * width, |index, out| {
        let n = out.len() / width;
        let mut scores = vec![0.0; n * rows];
        for head in 0..heads {
            let at = head * depth;
            let query = Operand { data: &q[index * ROWS * width + at..], row_stride: width, col_stride: 1 };
            matmul((n, depth, rows), query, &keys[at * rows..], rows, Start::Zero, &mut scores, rows);
            scores.chunks_exact_mut(rows).for_each(|row| softmax(row, scale));
            matmul((n, rows, depth), Operand::rows(&scores, rows), &v[at..], width, Start::Zero, &mut out[at..], width);
        }
    });
    out
}

/// Softmax of `scale · row`, in place.
fn softmax(row: &mut [f32], scale: f32) {
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|v| *v = exp((*v - max) * scale));
    let inverse = 1.0 / sum(row);
    row.iter_mut().for_each(|v| *v *= inverse);
}

/// x += y.
pub(crate) fn add(x: &mut [f32], y: &[f32]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}
