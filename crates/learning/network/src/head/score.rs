//! The loss of a distribution over the cells, with its exact gradient.

use super::{CELLS, probabilities, side};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use nn::ops::{tensor, with_slice};

/// Weights of the ranked probability score's inner edges: the piece of the axis that each stands for.
const EDGE_WEIGHTS: [f32; CELLS - 1] = [0.75, 1.0, 0.75, 0.25, 0.25, 0.75, 1.0, 0.75];

/// The sum of the three scores, with the true cell of each row.
pub(super) struct CellScore {
    pub(super) truth: Vec<usize>,
    pub(super) sign_weight: f32,
}

impl CellScore {
    /// The loss of a row and its derivative with respect to each probability.
    fn row(&self, p: &[f32; CELLS], truth: usize) -> (f32, [f32; CELLS]) {
        const TINY: f32 = 1e-12;
        let mut d = [0f32; CELLS];
        let mut loss = -(p[truth] + TINY).ln();
        d[truth] -= 1.0 / (p[truth] + TINY);
        let beside = |k: usize| side(k) == side(truth);
        let mass: f32 = (0..CELLS).filter(|k| beside(*k)).map(|k| p[k]).sum();
        loss -= self.sign_weight * (mass + TINY).ln();
        (0..CELLS).filter(|k| beside(*k)).for_each(|k| d[k] -= self.sign_weight / (mass + TINY));
        let mut below = 0.0;
        for edge in 0..CELLS - 1 {
            below += p[edge];
            let error = below - if truth <= edge { 1.0 } else { 0.0 };
            loss += EDGE_WEIGHTS[edge] * error * error;
            (0..=edge).for_each(|k| d[k] += 2.0 * EDGE_WEIGHTS[edge] * error);
        }
        (loss, d)
    }
}

fn softmax(logits: &[f32]) -> [f32; CELLS] {
    probabilities(logits).map(|p| p as f32)
}

impl CustomOp1 for CellScore {
    fn name(&self) -> &'static str {
        "cell-score"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, cells) = layout.shape().dims2()?;
        let Some((start, end)) = layout.contiguous_offsets() else { candle_core::bail!("logits are not contiguous") };
        if rows != self.truth.len() || cells != CELLS {
            candle_core::bail!("cell score: logits [{rows}, {cells}] for {} labels", self.truth.len());
        }
        let logits = &logits.as_slice::<f32>()?[start..end];
        let losses = logits.chunks_exact(CELLS).zip(&self.truth).map(|(row, truth)| self.row(&softmax(row), *truth).0);
        Ok((CpuStorage::F32(losses.collect()), rows.into()))
    }

    fn bwd(&self, logits: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.to_vec1::<f32>()?;
        let gx = with_slice(logits, |logits| {
            let mut gx = Vec::with_capacity(logits.len());
            for ((row, truth), g) in logits.chunks_exact(CELLS).zip(&self.truth).zip(&grad) {
                let p = softmax(row);
                let (_, d) = self.row(&p, *truth);
                let mean: f32 = p.iter().zip(&d).map(|(p, d)| p * d).sum();
                gx.extend(p.iter().zip(&d).map(|(p, d)| g * p * (d - mean)));
            }
            gx
        })?;
        Ok(Some(tensor(gx, logits.shape())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::ops::check::{finite_differences, var};

    #[test]
    fn the_score_has_the_exact_gradient() {
        let vars = [var(&[9, CELLS], 3)];
        finite_differences(&vars, 2e-3, &|| {
            vars[0].apply_op1(CellScore { truth: (0..CELLS).collect(), sign_weight: 1.5 }).unwrap()
        });
    }
}
