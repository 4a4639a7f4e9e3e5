//! The decision head, Dec of equations (10) and (20): a distribution over the score, from which each answer is read off
//! as its own optimum. It replaces the sigmoid of the paper, which cannot fit scores from −3 to 3.
//!
//! The score axis is cut into nine ordered cells: the classes −3 … 3 (a class holds what rounds half to even to it),
//! the class 0 once more into below, exactly at and above zero. The sign is decided by the mass on either side of zero,
//! the class by its mass, and the score by the median, for which a cell's mass lies evenly over the cell. At low SNR
//! the sign then follows the evidence and not, as a regressor's would, the bias.

mod matched_filter;
mod score;
mod temperature;

use crate::config::{Config, HeadKind};
use candle_core::{Result, Tensor};
pub use matched_filter::MatchedFilter;
use metrics::Prediction;
use nn::layers::Linear;
use nn::ops::{Activation, tensor, with_slice};
use nn::params::{ParamError, Scope};
use score::CellScore;
pub use temperature::Temperature;

/// Number of cells that the score axis is cut into.
pub const CELLS: usize = 9;

/// The cell of scores that are exactly zero.
const ZERO: usize = 4;

/// Edges of the cells on the score axis, in ascending order; the zero cell is the point between two equal edges.
const EDGES: [f64; CELLS + 1] = [-3.0, -2.5, -1.5, -0.5, 0.0, 0.0, 0.5, 1.5, 2.5, 3.0];

/// The cell that a label, a score from −3 to 3, falls into.
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
pub fn side(cell: usize) -> usize {
    (cell > ZERO) as usize + (cell >= ZERO) as usize
}

/// The decision head Dec of equations (10) and (20): maps a latent to a distribution over the cells, or to a score.
pub struct Head {
    linear: Linear,
    kind: HeadKind,
    /// The calibration of the distribution, which deployed weights may hold beside the trained parameters.
    temperature: Option<Temperature>,
}

impl Head {
    /// Reads or creates the head for latents of the configured width.
    ///
    /// # Errors
    /// If a parameter is missing or has another shape.
    pub fn new(scope: &Scope, config: &Config) -> std::result::Result<Self, ParamError> {
        Head::over(scope, config.head, config.latent)
    }

    /// Reads or creates a head of `kind` for vectors of `inputs` numbers.
    ///
    /// # Errors
    /// If a parameter is missing or has another shape.
    pub fn over(scope: &Scope, kind: HeadKind, inputs: usize) -> std::result::Result<Self, ParamError> {
        let (outputs, temperature) = match kind {
            HeadKind::Distribution => (CELLS, Temperature::of(scope)?),
            HeadKind::L1 | HeadKind::Mse => (1, None),
        };
        Ok(Head { linear: Linear::new(scope, inputs, outputs, Activation::Identity)?, kind, temperature })
    }

    /// The loss of each clip `[clips]`, which stands for −log q(y | z) of equations (10) and (20), before any
    /// calibration. For a distribution it is the sum of three proper scores: log score of the cell, log score of the
    /// side of zero at `sign_weight`, ranked probability score. For a regressor it is its error.
    ///
    /// # Errors
    /// If the shapes do not match the configured sizes.
    pub fn loss(&self, latent: &Tensor, labels: &[f32], sign_weight: f32) -> Result<Tensor> {
        let out = self.linear.forward(latent)?;
        match self.kind {
            HeadKind::Distribution => {
                out.apply_op1(CellScore { truth: labels.iter().map(|y| cell(*y)).collect(), sign_weight })
            }
            HeadKind::L1 => (out.squeeze(1)? - tensor(labels.to_vec(), labels.len())?)?.abs(),
            HeadKind::Mse => (out.squeeze(1)? - tensor(labels.to_vec(), labels.len())?)?.sqr(),
        }
    }

    /// The output of the head for each latent, before any calibration: `[clips, CELLS]` logits, or `[clips, 1]` scores.
    ///
    /// # Errors
    /// If the shapes do not match the configured sizes.
    pub fn outputs(&self, latent: &Tensor) -> Result<Tensor> {
        self.linear.forward(latent)
    }

    /// A calibrated prediction for each latent, of a burst that was received with reliability `rho`.
    ///
    /// # Errors
    /// If the shapes do not match the configured sizes.
    pub fn predict(&self, latent: &Tensor, rho: &[f32]) -> Result<Vec<Prediction>> {
        self.predict_with(latent, rho, &vec![0.0; rho.len()])
    }

    /// A calibrated prediction for each latent, of a burst that was received with reliability `rho`. `llr` is the
    /// LLR of the sign by the matched filter, which a calibrated head adds to its log-odds.
    ///
    /// # Errors
    /// If the shapes do not match the configured sizes.
    pub fn predict_with(&self, latent: &Tensor, rho: &[f32], llr: &[f64]) -> Result<Vec<Prediction>> {
        let out = self.linear.forward(latent)?;
        let cells = |(row, (rho, llr)): (&[f32], (&f32, &f64))| {
            let p = probabilities(row);
            from_cells(&self.temperature.as_ref().map_or(p, |temperature| temperature.apply(&p, *rho, *llr)))
        };
        with_slice(&out, |values| match self.kind {
            HeadKind::Distribution => values.chunks_exact(CELLS).zip(rho.iter().zip(llr)).map(cells).collect(),
            HeadKind::L1 | HeadKind::Mse => values.iter().map(|score| from_score(*score)).collect(),
        })
    }
}

/// The probabilities of the nine cells: the softmax of their logits, in `f64`.
pub fn probabilities(logits: &[f32]) -> [f64; CELLS] {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max) as f64;
    let mut p = [0f64; CELLS];
    p.iter_mut().zip(logits).for_each(|(p, l)| *p = (*l as f64 - max).exp());
    let total: f64 = p.iter().sum();
    p.map(|p| p / total)
}

/// The prediction (sign, class, score and their probabilities) that follows from the probabilities of the cells.
pub fn from_cells(p: &[f64; CELLS]) -> Prediction {
    let mut classes = [0f32; 7];
    classes[..3].iter_mut().zip(&p[..3]).for_each(|(c, p)| *c = *p as f32);
    classes[3] = (p[ZERO - 1] + p[ZERO] + p[ZERO + 1]) as f32;
    classes[4..].iter_mut().zip(&p[6..]).for_each(|(c, p)| *c = *p as f32);
    let p_neg: f64 = p[..ZERO].iter().sum();
    let p_pos: f64 = p[ZERO + 1..].iter().sum();
    Prediction { p_neg: p_neg as f32, p_zero: p[ZERO] as f32, p_pos: p_pos as f32, classes, score: median(p) as f32 }
}

/// The cells' probabilities of a prediction that was made from them.
pub fn cells_of(prediction: &Prediction) -> [f64; CELLS] {
    let class = |k: usize| f64::from(prediction.classes[k]);
    let below: f64 = (0..3).map(class).sum();
    let above: f64 = (4..7).map(class).sum();
    let zero = f64::from(prediction.p_zero);
    let (neg, pos) = ((f64::from(prediction.p_neg) - below).max(0.0), (f64::from(prediction.p_pos) - above).max(0.0));
    [class(0), class(1), class(2), neg, zero, pos, class(4), class(5), class(6)]
}

/// The median of the score, where the mass of a cell lies evenly over the cell.
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

/// The prediction that follows from the score of a regressor: all probability lies on that score.
fn from_score(score: f32) -> Prediction {
    let score = if score.is_finite() { score.clamp(-3.0, 3.0) } else { 0.0 };
    let mut classes = [0f32; 7];
    classes[(score.round_ties_even() + 3.0) as usize] = 1.0;
    let is = |yes: bool| if yes { 1.0 } else { 0.0 };
    Prediction { p_neg: is(score < 0.0), p_zero: is(score == 0.0), p_pos: is(score > 0.0), classes, score }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_fall_into_the_cells_of_their_class_and_side() {
        let cells = [-3.0, -2.6, -2.5, -1.5, -0.6, -0.5, -0.2, 0.0, 0.2, 0.5, 0.6, 1.5, 2.5, 3.0].map(cell);
        assert_eq!(cells, [0, 0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8]);
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
    fn the_cells_come_back_from_the_answers() {
        let p = [0.05, 0.1, 0.15, 0.2, 0.02, 0.18, 0.12, 0.11, 0.07];
        let back = cells_of(&from_cells(&p));
        assert!(p.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-6), "{back:?}");
    }

    #[test]
    fn a_regressor_answers_with_its_score_alone() {
        let answer = from_score(-4.2);
        assert_eq!((answer.score, answer.p_neg, answer.classes[0]), (-3.0, 1.0, 1.0));
        assert_eq!(from_score(f32::NAN).p_zero, 1.0);
    }
}
