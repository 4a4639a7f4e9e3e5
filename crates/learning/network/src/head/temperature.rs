//! Calibration after training: how much of the stated confidence in the sign is meant.
//!
//! A network that has seen its clips fifty times is surer of new ones than it should be, and surest where there is no
//! noise; one temperature cannot serve both ends. So the log-odds of positive against negative are scaled by a function
//! of ρ, which the receiver is told with every burst. Every decision between the two stays; what changes is how sure it
//! is said to be, unless a matched filter adds its LLR ([`super::MatchedFilter`]). The probability of exactly zero
//! stays too, and so do the shares of the cells within a side: flattened likewise, the class 0, which is three cells,
//! beats all others, and Acc-7 and MAE are lost.

use super::{CELLS, side};
use candle_core::Tensor;
use nn::ops::with_slice;
use nn::params::{ParamError, Scope};

/// Bounds of the logarithm of the factor.
const MOST: f64 = 4.0;

/// The calibration of a head: the factor exp(a + b·ρ) on the log-odds of the sign, the inverse of a temperature.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Temperature {
    /// a
    pub at_zero: f64,
    /// b
    pub slope: f64,
}

impl Temperature {
    /// Name of its tensor `[2]`, a and b, beside the head's own.
    pub const TENSOR: &str = "temperature";

    /// The calibration that the weights hold, if they do.
    ///
    /// # Errors
    /// If it has another shape or is not finite.
    pub fn of(scope: &Scope) -> Result<Option<Self>, ParamError> {
        let Some(tensor) = scope.find(Self::TENSOR, &[2])? else { return Ok(None) };
        let of = |v: &[f32]| Temperature { at_zero: f64::from(v[0]), slope: f64::from(v[1]) };
        Ok(Some(with_slice(&tensor, of)?))
    }

    /// As a tensor.
    ///
    /// # Errors
    /// Candle's.
    pub fn tensor(&self) -> candle_core::Result<Tensor> {
        nn::ops::tensor(vec![self.at_zero as f32, self.slope as f32], 2)
    }

    /// The factor for a burst with ρ ∈ (0, 1].
    pub fn factor(&self, rho: f32) -> f64 {
        (self.at_zero + self.slope * f64::from(rho)).clamp(-MOST, MOST).exp()
    }

    /// The probabilities of the cells that are meant by `p`, of a burst with `rho`, with `llr` first added to the
    /// log-odds of the sign.
    pub fn apply(&self, p: &[f64; CELLS], rho: f32, llr: f64) -> [f64; CELLS] {
        let factor = self.factor(rho);
        let mut sides = [0f64; 3];
        p.iter().enumerate().for_each(|(cell, p)| sides[side(cell)] += p);
        let [negative, _, positive] = sides;
        if negative <= 0.0 || positive <= 0.0 {
            return *p;
        }
        let share = 1.0 / (1.0 + (factor * (negative.ln() - positive.ln() - llr)).exp());
        let signed = negative + positive;
        let scales = [signed * (1.0 - share) / negative, 1.0, signed * share / positive];
        std::array::from_fn(|cell| p[cell] * scales[side(cell)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::params::Params;
    use nn::random::Stream;
    use std::collections::HashMap;

    fn drawn(seed: u64) -> [f64; CELLS] {
        let logits = Stream::new(seed, &[]).normals(CELLS);
        super::super::probabilities(&logits.iter().map(|l| 3.0 * l).collect::<Vec<_>>())
    }

    #[test]
    fn the_neutral_calibration_changes_nothing_and_every_one_leaves_the_sign() {
        for seed in 0..200 {
            let p = drawn(seed);
            let same = Temperature::default().apply(&p, 0.3, 0.0);
            assert!(p.iter().zip(&same).all(|(a, b)| (a - b).abs() < 1e-12));
            let [at_zero, slope] = Stream::new(seed, &[1]).normals(2)[..] else { panic!("two") };
            let temperature = Temperature { at_zero: at_zero.into(), slope: slope.into() };
            let q = temperature.apply(&p, 0.7, 0.0);
            assert!((q.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let positive = |p: &[f64; CELLS]| p[5..].iter().sum::<f64>() > p[..4].iter().sum::<f64>();
            assert_eq!(positive(&p), positive(&q), "seed {seed}");
        }
    }

    #[test]
    fn the_factor_is_that_of_the_log_odds_and_shares_within_a_side_stay() {
        let p = drawn(3);
        let twice = Temperature { at_zero: 2f64.ln(), slope: 0.0 };
        let q = twice.apply(&p, 0.5, 0.25);
        let odds = |p: &[f64; CELLS]| (p[5..].iter().sum::<f64>() / p[..4].iter().sum::<f64>()).ln();
        assert!((odds(&q) - 2.0 * (odds(&p) + 0.25)).abs() < 1e-9);
        assert!((q[0] / q[1] - p[0] / p[1]).abs() < 1e-9 && (q[4] - p[4]).abs() < 1e-12);
    }

    #[test]
    fn extremes_stay_a_distribution() {
        let mut certain = [0.0; CELLS];
        certain[8] = 1.0;
        let wild = Temperature { at_zero: 1e30, slope: -1e30 };
        for p in [certain, [1.0 / CELLS as f64; CELLS]] {
            for rho in [0.0, 0.5, 1.0] {
                let q = wild.apply(&p, rho, 3.0);
                assert!((q.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{q:?}");
            }
        }
    }

    #[test]
    fn weights_may_lack_it_but_not_hold_it_in_another_shape() {
        let temperature = Temperature { at_zero: 0.5, slope: -0.25 };
        let holding = |tensor| Params::from_tensors("w", HashMap::from([("temperature".to_string(), tensor)]), false);
        let params = holding(temperature.tensor().unwrap());
        assert_eq!(Temperature::of(&params.root()).unwrap(), Some(temperature));
        assert_eq!(params.tensors(&["temperature"]).len(), 1);
        assert_eq!(Temperature::of(&Params::fresh(1).root()).unwrap(), None);
        let wrong = holding(nn::ops::tensor(vec![0.0; 3], 3).unwrap());
        let message = Temperature::of(&wrong.root()).unwrap_err().to_string();
        assert_eq!(message, "w: tensor `temperature` has shape [3], expected [2]");
    }
}
