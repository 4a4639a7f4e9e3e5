//! The decision head's calibration, fitted on the clips that training is stopped on.

use crate::validation::Said;
use model::head::{CELLS, Temperature, cell, side};

/// a and b are found to this precision.
const PRECISION: f64 = 1e-4;

/// Floor of a probability within a logarithm.
const TINY: f64 = 1e-300;

/// The temperature under which what was said has the best mean log score of the sign, over clips that have one: a bowl in
/// (a, b), so steps along and across it from the neutral one, halved when none is better, lead to its bottom.
pub fn fit(said: &[Said]) -> Temperature {
    let loss = |temperature: Temperature| -> f64 {
        let signed = said.iter().filter(|s| s.label != 0.0);
        signed.map(|s| -side_mass(&temperature.apply(&s.p, s.rho), s.label).max(TINY).ln()).sum()
    };
    let (mut best, mut step) = (Temperature::default(), 0.5);
    let mut least = loss(best);
    while step > PRECISION {
        let mut moved = false;
        // The two pull against each other where most SNRs are high, so that along the diagonal the bowl is shallow.
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

/// The mass on the label's side of zero.
fn side_mass(p: &[f64; CELLS], label: f32) -> f64 {
    let truth = side(cell(label));
    p.iter().enumerate().filter(|(cell, _)| side(*cell) == truth).map(|(_, p)| p).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::head::probabilities;
    use model::random::Stream;

    /// Clips whose labels follow the distributions, of which sharper ones are then said.
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
            Said { p: sharper.apply(&p, rho), rho, label: LABELS[truth.unwrap_or(CELLS - 1)] }
        };
        (0..n).map(clip).collect()
    }

    #[test]
    fn the_fit_undoes_what_was_said_too_sharply_and_leaves_what_was_said_well() {
        for sharper in [Temperature { at_zero: 0.2, slope: 0.4 }, Temperature::default()] {
            let fitted = fit(&said(20_000, &sharper));
            // At 20,000 labels a factor's logarithm is off by 0.03 (one standard deviation).
            for rho in [0.06, 1.0] {
                let off = (fitted.factor(rho) * sharper.factor(rho)).ln().abs();
                assert!(off < 0.12, "{fitted:?} at {rho}");
            }
        }
    }
}
