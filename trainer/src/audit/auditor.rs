//! The auditor: a fresh discriminator on frozen latents. It gives J = 2 ln 2 − BCE on held-out pairs in nats, which
//! for a perfect discriminator is twice the Jensen–Shannon divergence between joint and shuffled pairs.

use crate::adamw::{AdamW, Group, Pace};
use anyhow::Result;
use candle_core::Tensor;
use metrics::{Interval, mean_interval};
use network::config::{Config, Preset};
use network::discriminator::{Discriminator, binary_cross_entropy};
use nn::ops::{tensor, with_slice};
use nn::params::Params;
use nn::random::Stream;
use std::f64::consts::LN_2;

/// Pairs of latents: row i of both sides is of the same clip, unless the pairs are shuffled.
#[derive(Clone, Debug)]
pub struct Pairs {
    /// The first latent of each pair.
    pub a: Side,
    /// The second latent of each pair.
    pub b: Side,
}

/// One side of the pairs: standardised means and, where the latent is to be sampled, standard deviations on the same
/// scale.
#[derive(Clone, Debug)]
pub struct Side {
    /// Means, `[clips][width]`.
    pub mu: Vec<Vec<f32>>,
    /// Standard deviations, `[clips][width]`; empty if the means themselves are audited.
    pub sigma: Vec<Vec<f32>>,
}

impl Pairs {
    /// Width of the wider side.
    fn width(&self) -> usize {
        [&self.a, &self.b].map(|side| side.mu.first().map_or(0, Vec::len)).into_iter().max().unwrap_or(0)
    }
}

impl Side {
    fn draw(&self, rows: &[usize], stream: &mut Stream) -> Vec<Vec<f32>> {
        let sample = |row: &usize| {
            let mu = &self.mu[*row];
            match self.sigma.get(*row) {
                None => mu.clone(),
                Some(sigma) => {
                    let noise = stream.normals(mu.len());
                    mu.iter().zip(sigma).zip(noise).map(|((m, s), e)| m + s * e).collect()
                }
            }
        };
        rows.iter().map(sample).collect()
    }
}

/// How long auditors are trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// Number of discriminators trained from different initial weights, whose logits are averaged.
    pub restarts: usize,
    /// Maximum number of epochs; the epoch that is best on the pairs held back is used.
    pub epochs: usize,
    /// Number of epochs without improvement after which training of a discriminator stops.
    pub patience: usize,
}

/// Hidden width of the auditor, that of the network's discriminators.
const HIDDEN: usize = 256;
/// Pairs in a training step.
const BATCH: usize = 128;
/// Number of random offsets by which the rows of a step are rolled for shuffled pairs.
const NEGATIVES: usize = 4;
/// One in this many training pairs is held back for the choice of the epoch.
const HELD_BACK: usize = 5;
/// Number of shuffled partners of each held-out clip.
const PARTNERS: usize = 16;
/// Number of samples of each held-out latent.
const SAMPLES: usize = 4;
const RATE: f32 = 1e-3;
const DECAY: f32 = 0.1;

/// Purposes of the random streams: order of the pairs, noise of training, and noise of evaluation.
const ORDER: u64 = 1;
const NOISE: u64 = 2;
const JUDGE: u64 = 3;

/// Trains auditors on `train`, and returns J on `held_out` in nats with its 95 % interval over clips.
///
/// # Errors
/// If a tensor operation fails.
pub fn audit(train: &Pairs, held_out: &Pairs, effort: Effort, seed: u64) -> Result<Interval> {
    let judges = (0..effort.restarts as u64).map(|restart| judge(train, effort, seed, restart));
    let judges: Vec<Discriminator> = judges.collect::<Result<_>>()?;
    let rows: Vec<usize> = (0..held_out.a.mu.len()).collect();
    let losses = losses(&judges, held_out, &rows, SAMPLES, &mut Stream::new(seed, &[JUDGE]))?;
    let j: Vec<f64> = losses.iter().map(|loss| 2.0 * LN_2 - loss).collect();
    // Fewer than two clips are refused long before.
    Ok(mean_interval(&j).unwrap_or(Interval { estimate: 0.0, low: f64::NEG_INFINITY, high: f64::INFINITY }))
}

/// Trains one discriminator, and returns it as of the epoch that is best on the pairs held back.
fn judge(train: &Pairs, effort: Effort, seed: u64, restart: u64) -> Result<Discriminator> {
    let width = train.width();
    let config = Config { latent: width, discriminator: HIDDEN, ..Config::preset(Preset::Small, [None; 3].into()) };
    let params = Params::fresh(Stream::new(seed, &[restart]).below(1 << 30) as u64);
    let discriminator = Discriminator::new(&params.root(), &config)?;
    let group = |name: &str, _| Group { pace: 0, rate: 1.0, decay: if name.ends_with("weight") { DECAY } else { 0.0 } };
    let mut optimiser = AdamW::new(params.vars(), 1.0, group);
    let order = Stream::new(seed, &[ORDER, restart]).permutation(train.a.mu.len());
    let (kept, back): (Vec<usize>, Vec<usize>) = {
        let (back, kept) = order.split_at(order.len() / HELD_BACK);
        (kept.to_vec(), back.to_vec())
    };
    let (mut best, mut chosen, mut waited) = (f64::INFINITY, params.tensors(&[""]), 0);
    for epoch in 0..effort.epochs as u64 {
        let mut stream = Stream::new(seed, &[NOISE, restart, epoch]);
        let order = stream.permutation(kept.len());
        for step in order.chunks(BATCH).filter(|step| step.len() > 1) {
            let rows: Vec<usize> = step.iter().map(|i| kept[*i]).collect();
            let (a, b) = (train.a.draw(&rows, &mut stream), train.b.draw(&rows, &mut stream));
            let (a, b) = (matrix(a, width)?, matrix(b, width)?);
            let offsets: Vec<usize> = (0..NEGATIVES).map(|_| 1 + stream.below(rows.len() - 1)).collect();
            let (joint, shuffled) = discriminator.contrast(&a, &b, &offsets)?;
            let gradients = binary_cross_entropy(&joint, &shuffled)?.backward()?;
            let steps = optimiser.steps() + 1;
            optimiser.step(&[gradients], &[Pace { rate: RATE, steps }])?;
        }
        let judged = std::slice::from_ref(&discriminator);
        let losses = losses(judged, train, &back, 1, &mut Stream::new(seed, &[JUDGE, restart]))?;
        let loss = losses.iter().sum::<f64>() / losses.len().max(1) as f64;
        if loss < best {
            (best, waited) = (loss, 0);
            chosen = params.tensors(&[""]).into_iter().map(|(name, t)| Ok((name, t.copy()?))).collect::<Result<_>>()?;
        } else {
            waited += 1;
            if waited >= effort.patience {
                break;
            }
        }
    }
    let fixed = Params::from_tensors("auditor", chosen.into_iter().collect(), false);
    Ok(Discriminator::new(&fixed.root(), &config)?)
}

/// The BCE of each clip in nats: −ln σ(T) of its own pair plus the mean of −ln(1 − σ(T)) over shuffled partners,
/// averaged over samples of the latents. T is the mean logit over the discriminators `judges`.
fn losses(
    judges: &[Discriminator],
    pairs: &Pairs,
    rows: &[usize],
    samples: usize,
    stream: &mut Stream,
) -> Result<Vec<f64>> {
    let n = rows.len();
    let mut losses = vec![0.0; n];
    let partners = PARTNERS.min(n.saturating_sub(1)).max(1);
    for _ in 0..samples {
        let (a, b) = (pairs.a.draw(rows, stream), pairs.b.draw(rows, stream));
        let offsets: Vec<usize> = (0..partners).map(|_| 1 + stream.below(n.max(2) - 1)).collect();
        let (a, b) = (matrix(a, pairs.width())?, matrix(b, pairs.width())?);
        let mut logits = vec![0.0f64; n * (1 + partners)];
        for judge in judges {
            let (joint, shuffled) = judge.contrast(&a, &b, &offsets)?;
            with_slice(&joint, |l| logits[..n].iter_mut().zip(l).for_each(|(sum, l)| *sum += f64::from(*l)))?;
            with_slice(&shuffled, |l| logits[n..].iter_mut().zip(l).for_each(|(sum, l)| *sum += f64::from(*l)))?;
        }
        let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
        for (i, loss) in losses.iter_mut().enumerate() {
            let t = |k: usize| logits[k * n + i] / judges.len() as f64;
            let shuffled: f64 = (1..=partners).map(|k| softplus(t(k))).sum::<f64>() / partners as f64;
            *loss += (softplus(-t(0)) + shuffled) / samples as f64;
        }
    }
    Ok(losses)
}

/// Rows as a matrix `[rows, width]`, padded with zeros to `width`.
fn matrix(mut rows: Vec<Vec<f32>>, width: usize) -> Result<Tensor> {
    rows.iter_mut().for_each(|row| row.resize(width, 0.0));
    let shape = (rows.len(), width);
    Ok(tensor(rows.into_iter().flatten().collect(), shape)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EFFORT: Effort = Effort { restarts: 2, epochs: 25, patience: 5 };

    /// Pairs of standard normals whose first coordinates have correlation ρ and all others none.
    fn gaussian(n: usize, rho: f32, seed: u64) -> Pairs {
        let mut stream = Stream::new(seed, &[77]);
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for _ in 0..n {
            let (x, mut y) = (stream.normals(4), stream.normals(4));
            y[0] = rho * x[0] + (1.0 - rho * rho).sqrt() * y[0];
            a.push(x);
            b.push(y);
        }
        Pairs { a: Side { mu: a, sigma: Vec::new() }, b: Side { mu: b, sigma: Vec::new() } }
    }

    /// 2·JSD between a bivariate normal of correlation ρ and the product of its margins: the mean of
    /// ln(2p/(p+q)) under p plus that of ln(2q/(p+q)) under q, on a grid.
    fn twice_jsd(rho: f64) -> f64 {
        let (step, reach) = (0.02, 6.0);
        let density = |x: f64, y: f64, r: f64| {
            let det = 1.0 - r * r;
            (-(x * x - 2.0 * r * x * y + y * y) / (2.0 * det)).exp() / (2.0 * std::f64::consts::PI * det.sqrt())
        };
        let grid = || (0..(2.0 * reach / step) as i32).map(|i| -reach + (f64::from(i) + 0.5) * step);
        let mut total = 0.0;
        for x in grid() {
            for y in grid() {
                let (p, q) = (density(x, y, rho), density(x, y, 0.0));
                let half = (p + q) / 2.0;
                if half > 1e-300 {
                    total += (if p > 0.0 { p * (p / half).ln() } else { 0.0 }) + q * (q / half).ln();
                }
            }
        }
        total * step * step
    }

    #[test]
    fn j_of_gaussian_pairs_meets_twice_the_divergence() {
        for rho in [0.6, 0.9] {
            let (train, held_out) = (gaussian(3000, rho, 1), gaussian(1500, rho, 2));
            let j = audit(&train, &held_out, EFFORT, 5).unwrap();
            let truth = twice_jsd(f64::from(rho));
            // A discriminator can only fall short, but for the sampling error of the held-out pairs.
            assert!(j.estimate > 0.8 * truth && j.low < truth, "{rho}: {j:?}, truth {truth}");
        }
    }

    #[test]
    fn independent_pairs_have_none_and_one_seed_one_answer() {
        let (train, held_out) = (gaussian(1000, 0.0, 3), gaussian(500, 0.0, 4));
        let j = audit(&train, &held_out, EFFORT, 6).unwrap();
        assert!(j.estimate.abs() < 0.02, "{j:?}");
        assert_eq!(j, audit(&train, &held_out, EFFORT, 6).unwrap());
    }

    /// Noise of deviation 1 on both sides takes a correlation of 0.9 to 0.45.
    #[test]
    fn a_wide_sigma_hides_dependence() {
        let noisy = |pairs: Pairs| {
            let wide = |side: Side| Side { sigma: vec![vec![1.0; 4]; side.mu.len()], ..side };
            Pairs { a: wide(pairs.a), b: wide(pairs.b) }
        };
        let (train, held_out) = (noisy(gaussian(3000, 0.9, 1)), noisy(gaussian(1500, 0.9, 2)));
        let j = audit(&train, &held_out, EFFORT, 5).unwrap();
        let truth = twice_jsd(0.45);
        assert!(j.estimate > 0.7 * truth && j.estimate < 1.3 * truth, "{j:?}, truth {truth}");
    }
}
