//! Calibration of the decision head, fitted on the held-out clips.

use crate::validation::Said;
use network::head::{CELLS, Temperature, cell, from_cells, side};

/// Precision to which the coefficients a and b of [`Temperature`] are found.
const PRECISION: f64 = 1e-4;

/// Floor of a probability within a logarithm, against infinite losses.
const TINY: f64 = 1e-300;

/// Calibration of the decision head, fitted to held-out predictions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Calibration {
    /// Temperature of the log-odds of the sign.
    pub temperature: Temperature,
    /// Weight w(ρ) = w₀ + w₁·ρ of the matched-filter soft decision, as (w₀, w₁).
    pub weight: [f64; 2],
}

impl Calibration {
    /// The calibrated probability of each cell, of one held-out prediction.
    pub fn apply(&self, said: &Said) -> [f64; CELLS] {
        let weight = self.weight[0] + self.weight[1] * f64::from(said.rho);
        self.temperature.apply(&said.p, said.rho, weight * said.soft_decision)
    }
}

/// Candidates for the weight of the matched-filter soft decision, at ρ = 0 and at ρ = 1.
const WEIGHTS: ([f64; 6], [f64; 4]) = ([0.0, 1.0, 2.0, 4.0, 8.0, 16.0], [0.0, 1.0, 2.0, 4.0]);

/// Fits the calibration to held-out predictions. First the weight of the matched-filter soft decision: of `WEIGHTS`
/// that with fewest wrong signs, the smallest of equals. Then the temperature with the best mean log score of the
/// sign, over clips with y ≠ 0. Without soft decisions the weight is 0.
pub fn fit(said: &[Said]) -> Calibration {
    let weight = weight(said);
    Calibration { temperature: temperature(said, weight), weight }
}

fn weight(said: &[Said]) -> [f64; 2] {
    if said.iter().all(|said| said.soft_decision == 0.0) {
        return [0.0; 2];
    }
    let mut best = ([0.0; 2], usize::MAX);
    for low in WEIGHTS.0 {
        for high in WEIGHTS.1 {
            let calibration = Calibration { weight: [low, high - low], ..Calibration::default() };
            let signed = said.iter().filter(|said| said.label != 0.0);
            let wrong =
                signed.filter(|said| from_cells(&calibration.apply(said)).is_pos() != (said.label > 0.0)).count();
            if wrong < best.1 {
                best = (calibration.weight, wrong);
            }
        }
    }
    best.0
}

/// The temperature with the best log score of the sign, given the weight. The loss is convex in (a, b), so a pattern
/// search from the neutral temperature finds the minimum; its step is halved when no direction improves.
fn temperature(said: &[Said], weight: [f64; 2]) -> Temperature {
    let loss = |temperature: Temperature| -> f64 {
        let calibration = Calibration { temperature, weight };
        let signed = said.iter().filter(|s| s.label != 0.0);
        signed.map(|s| -side_mass(&calibration.apply(s), s.label).max(TINY).ln()).sum()
    };
    let (mut best, mut step) = (Temperature::default(), 0.5);
    let mut least = loss(best);
    while step > PRECISION {
        let mut moved = false;
        // Where most SNRs are high, a and b nearly cancel, so that the loss is flat along the diagonal.
        for (da, db) in [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0), (1.0, -1.0), (-1.0, 1.0)] {
            let tried = Temperature { at_zero: best.at_zero + step * da, slope: best.slope + step * db };
            let value = loss(tried);
            if value < least {
                (best, least, moved) = (tried, value, true);
            }
        }
        if !moved {
            step /= 2.0;
        }
    }
    best
}

/// Probability on the label's side of zero.
fn side_mass(p: &[f64; CELLS], label: f32) -> f64 {
    let truth = side(cell(label));
    p.iter().enumerate().filter(|(cell, _)| side(*cell) == truth).map(|(_, p)| p).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use network::head::probabilities;
    use nn::random::Stream;

    /// Held-out predictions that are sharper than the distributions that the labels follow.
    fn said(n: u64, sharper: &Temperature) -> Vec<Said> {
        const LABELS: [f32; CELLS] = [-3.0, -2.0, -1.0, -0.25, 0.0, 0.25, 1.0, 2.0, 3.0];
        let clip = |i: u64| {
            let mut stream = Stream::new(17, &[i]);
            let rho = [0.06, 0.3, 0.9, 1.0][i as usize % 4];
            let p = probabilities(&stream.normals(CELLS));
            let mut u = stream.uniform();
            let truth = p.iter().position(|p| {
                u -= p;
                u < 0.0
            });
            Said { p: sharper.apply(&p, rho, 0.0), rho, soft_decision: 0.0, label: LABELS[truth.unwrap_or(CELLS - 1)] }
        };
        (0..n).map(clip).collect()
    }

    #[test]
    fn the_fit_undoes_what_was_said_too_sharply_and_leaves_what_was_said_well() {
        for sharper in [Temperature { at_zero: 0.2, slope: 0.4 }, Temperature::default()] {
            let Calibration { temperature: fitted, weight } = fit(&said(20_000, &sharper));
            assert_eq!(weight, [0.0; 2], "nothing was heard");
            // At 20,000 labels a factor's logarithm is off by 0.03 (one standard deviation).
            for rho in [0.06, 1.0] {
                let off = (fitted.factor(rho) * sharper.factor(rho)).ln().abs();
                assert!(off < 0.12, "{fitted:?} at {rho}");
            }
        }
    }

    /// The log-odds of the labels are those of the network plus, where ρ is 0, twice the matched-filter soft decision.
    #[test]
    fn what_was_heard_beside_is_weighed() {
        let clip = |i: u64| {
            let mut stream = Stream::new(18, &[i]);
            let rho = [0.0, 1.0][i as usize % 2];
            let p = probabilities(&stream.normals(CELLS));
            let soft_decision = 2.0 * stream.uniform() - 1.0;
            let meant = Temperature::default().apply(&p, rho, if rho == 0.0 { 2.0 * soft_decision } else { 0.0 });
            let positive = side_mass(&meant, 1.0) / (side_mass(&meant, 1.0) + side_mass(&meant, -1.0));
            Said { p, rho, soft_decision, label: if stream.uniform() < positive { 1.0 } else { -1.0 } }
        };
        let fitted = fit(&(0..40_000).map(clip).collect::<Vec<_>>());
        assert_eq!(fitted.weight, [2.0, -2.0]);
        for rho in [0.0, 1.0] {
            assert!(fitted.temperature.factor(rho).ln().abs() < 0.15, "{fitted:?}");
        }
    }
}
