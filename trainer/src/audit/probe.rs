//! Linear probe of the label's sign, which shows whether a latent has kept what its modality predicts of the label.

use super::standard::Standard;
use crate::adamw::{AdamW, Group, Pace};
use anyhow::Result;
use nn::layers::Linear;
use nn::ops::{Activation, softplus, tensor, with_slice};
use nn::params::Params;

/// Number of gradient steps of the fit, each over all clips.
const STEPS: u64 = 300;
const RATE: f32 = 0.05;
const DECAY: f32 = 0.05;

/// Result of a linear probe on held-out clips.
#[derive(Clone, Debug, PartialEq)]
pub struct Probed {
    /// Whether the probe predicts a positive label, clip by clip.
    pub decisions: Vec<bool>,
    /// Share of clips whose sign is predicted right, between 0 and 1.
    pub accuracy: f64,
    /// Mean of −ln of the probability given to the true sign, in nats.
    pub cross_entropy: f64,
}

/// Fits a logistic regression on standardised rows `[clips][width]` and signs, with weight decay, and evaluates it on
/// held-out rows and signs.
///
/// # Errors
/// If a tensor operation fails.
pub fn probe(train: (&[Vec<f32>], &[bool]), held_out: (&[Vec<f32>], &[bool])) -> Result<Probed> {
    let standard = Standard::fit(train.0);
    let matrix = |rows: &[Vec<f32>]| {
        let data: Vec<f32> = rows.iter().flat_map(|row| standard.apply(row)).collect();
        tensor(data, (rows.len(), rows.first().map_or(0, Vec::len)))
    };
    let (x, params) = (matrix(train.0)?, Params::fresh(0));
    let line = Linear::new(&params.root(), x.dim(1)?, 1, Activation::Identity)?;
    let decay = |name: &str, _| Group { pace: 0, rate: 1.0, decay: if name.ends_with("weight") { DECAY } else { 0.0 } };
    let mut optimiser = AdamW::new(params.vars(), 1e3, decay);
    // −ln σ(±t) = softplus(∓t)
    let against = tensor(train.1.iter().map(|positive| if *positive { -1.0 } else { 1.0 }).collect(), train.1.len())?;
    for step in 1..=STEPS {
        let loss = softplus(&(line.forward(&x)?.squeeze(1)? * &against)?)?.mean_all()?;
        let rate = RATE * (1.0 - (step - 1) as f32 / STEPS as f32);
        optimiser.step(&[loss.backward()?], &[Pace { rate, steps: step }])?;
    }
    let logits = line.forward(&matrix(held_out.0)?)?.squeeze(1)?;
    let logits: Vec<f64> = with_slice(&logits, |l| l.iter().map(|v| f64::from(*v)).collect())?;
    let read = logits.iter().zip(held_out.1);
    let loss = |(t, positive): (&f64, &bool)| {
        let against = if *positive { -t } else { *t };
        against.max(0.0) + (-against.abs()).exp().ln_1p()
    };
    let n = logits.len().max(1) as f64;
    Ok(Probed {
        accuracy: read.clone().filter(|(t, positive)| (**t > 0.0) == **positive).count() as f64 / n,
        cross_entropy: read.map(loss).sum::<f64>() / n,
        decisions: logits.iter().map(|t| *t > 0.0).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::random::Stream;

    /// Rows whose second column holds the sign, with noise of deviation 1/`clear` relative to it.
    fn rows(n: usize, clear: f32, seed: u64) -> (Vec<Vec<f32>>, Vec<bool>) {
        let mut stream = Stream::new(seed, &[]);
        let sign = |i: usize| i.is_multiple_of(2);
        let row = |i: usize| {
            let mut row = stream.normals(5);
            row[1] += if sign(i) { clear } else { -clear };
            row
        };
        ((0..n).map(row).collect(), (0..n).map(sign).collect())
    }

    #[test]
    fn a_probe_finds_the_sign_as_well_as_it_can_be_told() {
        // Φ(1) = 0.841, standard error 0.008 at 2,000 clips; the conditional entropy of an antipodal sign at SNR 1 is 0.356 nats.
        let ((x, y), (u, v)) = (rows(2000, 1.0, 1), rows(2000, 1.0, 2));
        let probed = probe((&x, &y), (&u, &v)).unwrap();
        assert!((probed.accuracy - 0.841).abs() < 0.03, "{}", probed.accuracy);
        assert!((probed.cross_entropy - 0.356).abs() < 0.03, "{}", probed.cross_entropy);
        let ((x, y), (u, v)) = (rows(2000, 0.0, 3), rows(2000, 0.0, 4));
        let blind = probe((&x, &y), (&u, &v)).unwrap();
        assert!((blind.accuracy - 0.5).abs() < 0.05 && (blind.cross_entropy - 0.693).abs() < 0.02);
    }
}
