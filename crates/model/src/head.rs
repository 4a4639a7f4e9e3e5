//! The decision head: a distribution over the score, from which each answer is read off as its own optimum.
//!
//! The score axis is cut into nine ordered cells: the classes −3 … 3 (a class holds what rounds half to even to it), the
//! class 0 once more into below, exactly at and above zero. The sign is decided by the mass on either side of zero, the
//! class by its mass, and the score by the median, for which a cell's mass lies evenly over the cell. At low SNR the
//! sign then follows the evidence and not, as a regressor's would, the bias.

use crate::config::{Config, HeadKind};
use crate::layers::Linear;
use crate::ops::{Activation, tensor, with_slice};
use crate::params::{ParamError, Scope};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use metrics::Prediction;

/// Number of cells.
pub const CELLS: usize = 9;

/// The cell that is exactly zero.
const ZERO: usize = 4;

/// Edges of the cells; the zero cell is the point between two equal edges.
const EDGES: [f64; CELLS + 1] = [-3.0, -2.5, -1.5, -0.5, 0.0, 0.0, 0.5, 1.5, 2.5, 3.0];

/// Weights of the ranked probability score's inner edges: the piece of the axis that each stands for.
const EDGE_WEIGHTS: [f32; CELLS - 1] = [0.75, 1.0, 0.75, 0.25, 0.25, 0.75, 1.0, 0.75];

/// The cell of a label.
pub fn cell(label: f32) -> usize {
    let class = label.clamp(-3.0, 3.0).round_ties_even() as i32;
    match class {
        0 if label < 0.0 => ZERO - 1,
        0 if label > 0.0 => ZERO + 1,
        0 => ZERO,
        c if c < 0 => (c + 3) as usize,
        c => (c + 5) as usize,
    }
}

/// The side of zero a cell lies on: 0 below, 1 at, 2 above.
fn side(cell: usize) -> usize {
    (cell > ZERO) as usize + (cell >= ZERO) as usize
}

/// Reads predictions off a latent.
pub struct Head {
    linear: Linear,
    kind: HeadKind,
}

impl Head {
    /// From latents of the configured width.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(scope: &Scope, config: &Config) -> std::result::Result<Self, ParamError> {
        let outputs = match config.head {
            HeadKind::Distribution => CELLS,
            HeadKind::L1 => 1,
        };
        Ok(Head { linear: Linear::new(scope, config.latent, outputs, Activation::Identity)?, kind: config.head })
    }

    /// The loss of each clip `[clips]`: for the distribution the sum of three proper scores (log score of the cell, log
    /// score of the side of zero at `sign_weight`, ranked probability score), for the regressor the absolute error.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn loss(&self, latent: &Tensor, labels: &[f32], sign_weight: f32) -> Result<Tensor> {
        let out = self.linear.forward(latent)?;
        match self.kind {
            HeadKind::Distribution => {
                out.apply_op1(CellScore { truth: labels.iter().map(|y| cell(*y)).collect(), sign_weight })
            }
            HeadKind::L1 => (out.squeeze(1)? - tensor(labels.to_vec(), labels.len())?)?.abs(),
        }
    }

    /// A prediction for each latent.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn predict(&self, latent: &Tensor) -> Result<Vec<Prediction>> {
        let out = self.linear.forward(latent)?;
        with_slice(&out, |values| match self.kind {
            HeadKind::Distribution => values.chunks_exact(CELLS).map(|row| from_cells(&probabilities(row))).collect(),
            HeadKind::L1 => values.iter().map(|score| from_score(*score)).collect(),
        })
    }
}

/// Softmax of nine logits, in f64.
fn probabilities(logits: &[f32]) -> [f64; CELLS] {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max) as f64;
    let mut p = [0f64; CELLS];
    p.iter_mut().zip(logits).for_each(|(p, l)| *p = (*l as f64 - max).exp());
    let total: f64 = p.iter().sum();
    p.map(|p| p / total)
}

/// All answers from the cells' probabilities.
fn from_cells(p: &[f64; CELLS]) -> Prediction {
    let mut classes = [0f32; 7];
    classes[..3].iter_mut().zip(&p[..3]).for_each(|(c, p)| *c = *p as f32);
    classes[3] = (p[ZERO - 1] + p[ZERO] + p[ZERO + 1]) as f32;
    classes[4..].iter_mut().zip(&p[6..]).for_each(|(c, p)| *c = *p as f32);
    let p_neg: f64 = p[..ZERO].iter().sum();
    let p_pos: f64 = p[ZERO + 1..].iter().sum();
    Prediction { p_neg: p_neg as f32, p_zero: p[ZERO] as f32, p_pos: p_pos as f32, classes, score: median(p) as f32 }
}

/// The median, a cell's mass lying evenly over it.
fn median(p: &[f64; CELLS]) -> f64 {
    let mut below = 0.0;
    for (cell, p) in p.iter().enumerate() {
        if below + p >= 0.5 {
            let (from, to) = (EDGES[cell], EDGES[cell + 1]);
            return from + (to - from) * ((0.5 - below) / p).clamp(0.0, 1.0);
        }
        below += p;
    }
    EDGES[CELLS]
}

/// A regressor gives no distribution: all mass lies on its answer.
fn from_score(score: f32) -> Prediction {
    let score = if score.is_finite() { score.clamp(-3.0, 3.0) } else { 0.0 };
    let mut classes = [0f32; 7];
    classes[(score.round_ties_even() + 3.0) as usize] = 1.0;
    let is = |yes: bool| if yes { 1.0 } else { 0.0 };
    Prediction { p_neg: is(score < 0.0), p_zero: is(score == 0.0), p_pos: is(score > 0.0), classes, score }
}

/// The sum of the three scores, with the true cell of each row.
struct CellScore {
    truth: Vec<usize>,
    sign_weight: f32,
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
    use crate::ops::check::{finite_differences, var};

    #[test]
    fn labels_fall_into_the_cells_of_their_class_and_side() {
        let cells = [-3.0, -2.6, -2.5, -1.5, -0.6, -0.5, -0.2, 0.0, 0.2, 0.5, 0.6, 1.5, 2.5, 3.0].map(cell);
        assert_eq!(cells, [0, 0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8]);
    }

    #[test]
    fn the_score_has_the_exact_gradient() {
        let vars = [var(&[9, CELLS], 3)];
        finite_differences(&vars, 2e-3, &|| {
            vars[0].apply_op1(CellScore { truth: (0..CELLS).collect(), sign_weight: 1.5 }).unwrap()
        });
    }

    #[test]
    fn answers_are_read_off_the_distribution() {
        let mut p = [0.0; CELLS];
        (p[2], p[3], p[4], p[6]) = (0.25, 0.15, 0.1, 0.5);
        let answer = from_cells(&p);
        assert_eq!((answer.p_neg, answer.p_zero, answer.p_pos), (0.4, 0.1, 0.5));
        assert_eq!(answer.classes, [0.0, 0.0, 0.25, 0.25, 0.5, 0.0, 0.0]);
        assert_eq!(answer.score, 0.0);
        p = [0.0; CELLS];
        p[7] = 1.0;
        assert_eq!(from_cells(&p).score, 2.0);
    }

    #[test]
    fn a_regressor_answers_with_its_score_alone() {
        let answer = from_score(-4.2);
        assert_eq!((answer.score, answer.p_neg, answer.classes[0]), (-3.0, 1.0, 1.0));
        assert_eq!(from_score(f32::NAN).p_zero, 1.0);
    }
}
