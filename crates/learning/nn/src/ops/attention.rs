//! Multi-head self-attention within each sequence of a packed batch.

use super::matmul::{Operand, Start, matmul};
use super::packed::Offsets;
use super::simd::{dot, exp, sum};
use super::{output, slice, tensor, with_slice};
use crate::random::Mask;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use kernels::multiversion;
use std::sync::Mutex;

/// softmax(Q·Kᵀ/√d_h)·V for each head and sequence; `qkv` `[frames, 3·width]` holds Q, K and V side by side, each with
/// its heads side by side. → `[frames, width]`. `dropout` acts on the attention weights.
///
/// # Errors
/// If the width is not three times a multiple of `heads`, or the offsets do not fit.
pub fn attention(qkv: &Tensor, offsets: &Offsets, heads: usize, dropout: Option<Mask>) -> Result<Tensor> {
    let keep = qkv.track_op();
    let op = Attention { offsets: offsets.clone(), heads, dropout, keep, saved: Mutex::new(None) };
    qkv.contiguous()?.apply_op1(op)
}

struct Attention {
    offsets: Offsets,
    heads: usize,
    dropout: Option<Mask>,
    keep: bool,
    /// Attention weights before dropout, and what each is multiplied by in dropout; kept for the backward pass.
    saved: Mutex<Option<Saved>>,
}

struct Saved {
    weights: Vec<f32>,
    factors: Option<Vec<f32>>,
}

multiversion! {
    /// Softmax of `scale · row` for each row of `width`, in place.
    fn softmax_rows(scores: &mut [f32], width: usize, scale: f32) {
        for row in scores.chunks_exact_mut(width) {
            let mut max = f32::NEG_INFINITY;
            for x in row.iter() {
                max = if *x > max { *x } else { max };
            }
            for x in row.iter_mut() {
                *x = exp((*x - max) * scale);
            }
            let inv = 1.0 / sum(row);
            for x in row.iter_mut() {
                *x *= inv;
            }
        }
    }
}

multiversion! {
    /// Gradient of the scores from that of the weights: scale · p ⊙ (g − ⟨g, p⟩), in place of g.
    fn softmax_rows_backward(weights: &[f32], grads: &mut [f32], width: usize, scale: f32) {
        for (p, g) in weights.chunks_exact(width).zip(grads.chunks_exact_mut(width)) {
            let along = dot(p, g);
            for j in 0..width {
                g[j] = scale * p[j] * (g[j] - along);
            }
        }
    }
}

/// The transpose `[cols, rows]` of a strided `[rows, cols]` block.
fn pack_transposed(data: &[f32], stride: usize, rows: usize, cols: usize, target: &mut [f32]) {
    for r in 0..rows {
        for c in 0..cols {
            target[c * rows + r] = data[r * stride + c];
        }
    }
}

impl Attention {
    fn width(&self, columns: usize) -> Result<usize> {
        if !columns.is_multiple_of(3 * self.heads) {
            candle_core::bail!("attention: {columns} columns do not make Q, K and V of {} heads", self.heads);
        }
        Ok(columns / 3)
    }

    fn all_weights(&self) -> usize {
        self.heads * self.offsets.ranges().map(|r| r.len() * r.len()).sum::<usize>()
    }
}

impl CustomOp1 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (frames, columns) = layout.shape().dims2()?;
        let width = self.width(columns)?;
        if frames != self.offsets.frames() {
            candle_core::bail!("attention: {frames} frames, offsets end at {}", self.offsets.frames());
        }
        let qkv = slice(qkv, layout)?;
        let head = width / self.heads;
        let scale = 1.0 / (head as f32).sqrt();
        let factors = self.dropout.as_ref().map(|mask| mask.factors(self.all_weights()));
        let longest = self.offsets.ranges().map(|r| r.len()).max().unwrap_or(0);
        let mut keys = vec![0f32; longest * head];
        let mut dropped = vec![0f32; if factors.is_some() { longest * longest } else { 0 }];
        let mut all = vec![0f32; if self.keep { self.all_weights() } else { longest * longest }];
        let mut y = vec![0f32; frames * width];
        let mut at = 0;
        let mut drawn = 0;
        for range in self.offsets.ranges().filter(|r| !r.is_empty()) {
            let t = range.len();
            for h in 0..self.heads {
                let base = range.start * columns + h * head;
                let p = &mut all[at..at + t * t];
                pack_transposed(&qkv[base + width..], columns, t, head, &mut keys);
                let q = Operand { data: &qkv[base..], row_stride: columns, col_stride: 1 };
                matmul((t, head, t), q, &keys, t, Start::Zero, p, t);
                softmax_rows(p, t, scale);
                let used = match &factors {
                    Some(factors) => {
                        for i in 0..t * t {
                            dropped[i] = p[i] * factors[drawn + i];
                        }
                        &dropped[..t * t]
                    }
                    None => &*p,
                };
                let out = &mut y[range.start * width + h * head..];
                let values = &qkv[base + 2 * width..];
                matmul((t, t, head), Operand::rows(used, t), values, columns, Start::Zero, out, width);
                drawn += t * t;
                at += if self.keep { t * t } else { 0 };
            }
        }
        if self.keep {
            *self.saved.lock().expect("no panic holds it") = Some(Saved { weights: all, factors });
        }
        output(y, (frames, width))
    }

    fn bwd(&self, qkv: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (frames, columns) = qkv.dims2()?;
        let saved = self.saved.lock().expect("no panic holds it");
        let Some(saved) = saved.as_ref() else { candle_core::bail!("attention: the input was not on the tape") };
        let mut gx = vec![0f32; frames * columns];
        with_slice(qkv, |qkv| with_slice(grad, |g| self.backward(saved, qkv, g, columns, &mut gx)))??;
        Ok(Some(tensor(gx, (frames, columns))?))
    }
}

impl Attention {
    fn backward(&self, saved: &Saved, qkv: &[f32], g: &[f32], columns: usize, gx: &mut [f32]) {
        let width = columns / 3;
        let head = width / self.heads;
        let scale = 1.0 / (head as f32).sqrt();
        let longest = self.offsets.ranges().map(|r| r.len()).max().unwrap_or(0);
        let mut values = vec![0f32; longest * head];
        let mut gp = vec![0f32; longest * longest];
        let mut dropped = vec![0f32; longest * longest];
        let mut at = 0;
        for range in self.offsets.ranges().filter(|r| !r.is_empty()) {
            let t = range.len();
            for h in 0..self.heads {
                let base = range.start * columns + h * head;
                let p = &saved.weights[at..at + t * t];
                let go = &g[range.start * width + h * head..];
                let factors = saved.factors.as_ref().map(|f| &f[at..at + t * t]);
                let used = match factors {
                    Some(factors) => {
                        for i in 0..t * t {
                            dropped[i] = p[i] * factors[i];
                        }
                        &dropped[..t * t]
                    }
                    None => p,
                };
                let gv = &mut gx[base + 2 * width..];
                matmul((t, t, head), Operand::transposed(used, t), go, width, Start::Zero, gv, columns);

                pack_transposed(&qkv[base + 2 * width..], columns, t, head, &mut values);
                let gp = &mut gp[..t * t];
                let rows = Operand { data: go, row_stride: width, col_stride: 1 };
                matmul((t, head, t), rows, &values, t, Start::Zero, gp, t);
                if let Some(factors) = factors {
                    gp.iter_mut().zip(factors).for_each(|(g, f)| *g *= f);
                }
                softmax_rows_backward(p, gp, t, scale);

                let (q, k) = (&qkv[base..], &qkv[base + width..]);
                matmul((t, t, head), Operand::rows(gp, t), k, columns, Start::Zero, &mut gx[base..], columns);
                let gk = &mut gx[base + width..];
                matmul((t, t, head), Operand::transposed(gp, t), q, columns, Start::Zero, gk, columns);
                at += t * t;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{composed, finite_differences, values, var};
    use super::*;
    use crate::random::Stream;
    use candle_core::D;

    const HEADS: usize = 2;
    const HEAD: usize = 5;

    fn reference(qkv: &Tensor, offsets: &Offsets, factors: Option<&[f32]>) -> Tensor {
        let width = HEADS * HEAD;
        let mut rows = Vec::new();
        let mut at = 0;
        for range in offsets.ranges().filter(|r| !r.is_empty()) {
            let t = range.len();
            let heads: Vec<Tensor> = (0..HEADS)
                .map(|h| {
                    let part = |which: usize| {
                        let rows = qkv.narrow(0, range.start, t).unwrap();
                        rows.narrow(1, which * width + h * HEAD, HEAD).unwrap().contiguous().unwrap()
                    };
                    let scores = part(0).matmul(&part(1).t().unwrap().contiguous().unwrap()).unwrap();
                    let scores = (scores * (1.0 / (HEAD as f64).sqrt())).unwrap();
                    let mut weights = candle_nn::ops::softmax(&scores, D::Minus1).unwrap();
                    if let Some(factors) = factors {
                        let mask = super::super::tensor(factors[at..at + t * t].to_vec(), (t, t)).unwrap();
                        weights = (weights * mask).unwrap();
                    }
                    at += t * t;
                    weights.matmul(&part(2)).unwrap()
                })
                .collect();
            rows.push(Tensor::cat(&heads, 1).unwrap());
        }
        Tensor::cat(&rows, 0).unwrap()
    }

    #[test]
    fn matches_the_composed_form_and_finite_differences() {
        let offsets = Offsets::from_lengths([4, 0, 1, 3]);
        let vars = [var(&[8, 3 * HEADS * HEAD], 1)];
        let ours = || attention(&vars[0], &offsets, HEADS, None).unwrap();
        composed(&vars, 1e-5, &ours, &|| reference(&vars[0], &offsets, None));
        finite_differences(&vars, 2e-3, &ours);
    }

    #[test]
    fn dropout_acts_on_the_weights_in_both_passes() {
        let offsets = Offsets::from_lengths([4, 3]);
        let vars = [var(&[7, 3 * HEADS * HEAD], 1)];
        let mask = || Stream::new(7, &[1]).mask(0.5);
        let factors = mask().factors(HEADS * 25);
        assert!(factors.contains(&0.0) && factors.contains(&2.0));
        let ours = || attention(&vars[0], &offsets, HEADS, Some(mask())).unwrap();
        composed(&vars, 1e-5, &ours, &|| reference(&vars[0], &offsets, Some(&factors)));
    }

    #[test]
    fn a_sequence_has_the_same_bits_alone_and_in_a_batch() {
        let data = values(9 * 30, 3);
        let both = super::super::tensor(data.clone(), (9, 30)).unwrap();
        let alone = super::super::tensor(data[5 * 30..].to_vec(), (4, 30)).unwrap();
        let both = attention(&both, &Offsets::from_lengths([5, 4]), HEADS, None).unwrap();
        let alone = attention(&alone, &Offsets::from_lengths([4]), HEADS, None).unwrap();
        let tail = both.narrow(0, 5, 4).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(tail, alone.to_vec2::<f32>().unwrap());
    }

    #[test]
    fn columns_that_do_not_make_heads_are_named() {
        let error = attention(&var(&[2, 31], 1), &Offsets::from_lengths([2]), HEADS, None).unwrap_err();
        assert!(error.to_string().contains("31 columns"), "{error}");
    }
}
