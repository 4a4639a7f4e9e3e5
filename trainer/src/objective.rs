//! Objective of Algorithm 1, with corrections: one forward and one backward pass for the losses of U-VIB (equation
//! (13)), redundancy reduction (equations (37) and (43)) and M-VIB (equation (23)).

pub mod tdeepsc;

use crate::law::{ChannelLaw, Met};
use anyhow::Result;
use candle_core::{Device, Tensor};
use network::batch::Batch;
use network::config::Config;
use network::discriminator::{PAIRS, binary_cross_entropy};
use network::proposed::Network;
use network::uvib::Latent;
use nn::layers::Run;
use nn::ops::{self, Affine, with_slice};
use nn::random::Stream;

/// Weights of the terms of the objective, and what the terms average over.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Weights {
    /// β: weight of the U-VIB divergences, each averaged over the latent's dimensions.
    pub beta: f32,
    /// γ: weight of the M-VIB divergence, averaged over the latent's dimensions.
    pub gamma: f32,
    /// Weight of the losses of the auxiliary prediction heads.
    pub auxiliary: f32,
    /// Weight of the log score of the sign within each decision loss.
    pub sign: f32,
    /// Weight of the sign errors of a matched filter along one learned direction. This term makes the encoder send the
    /// sign with the whole energy of the burst, and all else in the energy that remains.
    pub antipodal: f32,
    /// Number of random offsets by which a batch is rolled for shuffled pairs.
    pub negatives: usize,
    /// Number of channel realisations for each clip in a step.
    pub realisations: usize,
    /// Whether gradients are reversed for the second latent of a pair only, as equations (40)–(42) print it. The
    /// encoder of the first latent then learns to make dependence easy to detect.
    #[serde(default)]
    pub one_sided: bool,
}

/// One micro-batch of a training step.
pub struct Step<'a> {
    /// The clips of this micro-batch.
    pub batch: &'a Batch,
    /// Labels of the clips of this micro-batch, `[clips]`.
    pub labels: &'a [f32],
    /// Number of clips in the whole step, over all micro-batches.
    pub clips: usize,
    /// Scale of gradient reversal, α(t)·λ(t).
    pub reversal: f32,
    /// Source of all randomness of this micro-batch.
    pub stream: Stream,
}

/// Sums over clips of losses and probabilities, for the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    /// Number of clips.
    pub clips: f64,
    /// Sum of the decision loss, which of each clip is the mean over its channel realisations.
    pub task: f64,
    /// Sum of the M-VIB divergence in nats, which of each clip is the mean over its channel realisations.
    pub kl: f64,
    /// Sum of the auxiliary head's loss over the clips that have the modality, by `Modality::index()`.
    pub auxiliary: [f64; 3],
    /// Sum of the U-VIB divergence in nats over the clips that have the modality, by `Modality::index()`.
    pub modality_kl: [f64; 3],
    /// Number of clips that have the modality, by `Modality::index()`.
    pub modality_clips: [f64; 3],
    /// Discriminator loss (BCE) in nats times the number of clips that have both modalities, by position in `PAIRS`.
    pub bce: [f64; 3],
    /// Mean probability that a joint pair is classified as joint, times the number of clips that have both modalities,
    /// by position in `PAIRS`.
    pub joint: [f64; 3],
    /// Mean probability that a shuffled pair is classified as joint, times the number of clips that have both
    /// modalities, by position in `PAIRS`.
    pub shuffled: [f64; 3],
    /// Number of clips that have both modalities of a pair and were contrasted, by position in `PAIRS`.
    pub pair_clips: [f64; 3],
}

impl Sums {
    /// Adds the sums of another micro-batch or step.
    pub fn add(&mut self, other: &Sums) {
        self.clips += other.clips;
        self.task += other.task;
        self.kl += other.kl;
        for i in 0..3 {
            self.auxiliary[i] += other.auxiliary[i];
            self.modality_kl[i] += other.modality_kl[i];
            self.modality_clips[i] += other.modality_clips[i];
            self.bce[i] += other.bce[i];
            self.joint[i] += other.joint[i];
            self.shuffled[i] += other.shuffled[i];
            self.pair_clips[i] += other.pair_clips[i];
        }
    }
}

fn sum(values: &Tensor) -> Result<f64> {
    Ok(with_slice(values, |v| v.iter().map(|x| *x as f64).sum())?)
}

/// The objective of scheme `proposed` on one micro-batch, as its share of the mean over the step's clips, and the sums
/// for the log.
///
/// # Errors
/// If the network does not fit the batch.
pub fn objective(network: &Network, weights: &Weights, law: &ChannelLaw, step: Step) -> Result<(Tensor, Sums)> {
    let per_clip = 1.0 / step.clips as f64;
    let dimensions = network.config.latent as f64;
    let mut run = Run::training(step.stream);
    let mut sums = Sums { clips: step.batch.size as f64, ..Sums::default() };

    let latents = network.transmitter.latents(step.batch, &mut run)?;
    let mut terms = Vec::new();
    for (i, latent) in latents.iter().enumerate() {
        if let (Some(latent), Some(head)) = (latent, &network.auxiliary[i]) {
            let present = ops::tensor(latent.present.clone(), latent.present.len())?;
            let auxiliary = (head.loss(&latent.z, step.labels, weights.sign)? * &present)?;
            let kl = (ops::kl(&latent.gaussian)? * &present)?;
            sums.auxiliary[i] += sum(&auxiliary)?;
            sums.modality_kl[i] += sum(&kl)?;
            sums.modality_clips[i] += latent.present.iter().sum::<f32>() as f64;
            terms.push((auxiliary.sum_all()? * (weights.auxiliary as f64 * per_clip))?);
            terms.push((kl.sum_all()? * (weights.beta as f64 * per_clip / dimensions))?);
        }
    }
    terms.extend(redundancy(network, weights, &latents, step.reversal, per_clip, &mut run, &mut sums)?);

    let zs: Vec<Tensor> = latents.iter().flatten().map(|latent| latent.z.clone()).collect();
    let repeats = weights.realisations.max(1);
    let (z, met) = if network.config.feedback {
        // With CSIT a clip has another burst for each of its channel realisations.
        let met = channels(step.batch.size * repeats, &network.config, law, &mut run)?;
        let zs: Vec<Tensor> = zs.iter().map(|z| repeated(z, repeats)).collect::<candle_core::Result<_>>()?;
        let rho: Vec<f32> = met.iter().map(|m| m.rho).collect();
        (network.transmitter.encode(&zs, Some(&rho), &mut run)?, met)
    } else {
        let z = network.transmitter.encode(&zs, None, &mut run)?;
        let met = channels(step.batch.size * repeats, &network.config, law, &mut run)?;
        (z, met)
    };
    let (received, rho) = through(&z, met)?;
    let labels = step.labels.repeat(repeats);
    if weights.antipodal > 0.0 {
        let errors = antipodal_errors(&z, &network.antipodal, &rho, &labels)?;
        terms.push((errors * (weights.antipodal as f64 * per_clip / repeats as f64))?);
    }
    let gaussian = network.receiver.mvib.forward(&received, &rho, &mut run)?;
    let task = network.receiver.head.loss(&run.sample(&gaussian)?, &labels, weights.sign)?;
    let kl = ops::kl(&gaussian)?;
    sums.task += sum(&task)? / repeats as f64;
    sums.kl += sum(&kl)? / repeats as f64;
    let per_burst = per_clip / repeats as f64;
    terms.push((task.sum_all()? * per_burst)?);
    terms.push((kl.sum_all()? * (weights.gamma as f64 * per_burst / dimensions))?);

    let mut loss = terms[0].clone();
    for term in &terms[1..] {
        loss = (loss + term)?;
    }
    Ok((loss, sums))
}

/// Draws the channels of this many bursts.
fn channels(bursts: usize, config: &Config, law: &ChannelLaw, run: &mut Run) -> Result<Vec<Met>> {
    let stream = run.stream().expect("training has a stream");
    (0..bursts).map(|_| law.draw(stream, config.reals, config.equaliser)).collect()
}

/// Repeats all rows `times` times, one copy after the other: `[rows, width]` → `[times · rows, width]`.
fn repeated(rows: &Tensor, times: usize) -> candle_core::Result<Tensor> {
    if times == 1 { Ok(rows.clone()) } else { Tensor::cat(&vec![rows; times], 0) }
}

/// Passes Z `[clips, reals]` through these channels, with its rows repeated where there are more channels. Returns Ẑ
/// `[channels, reals]` and ρ of each channel.
fn through(z: &Tensor, met: Vec<Met>) -> Result<(Tensor, Vec<f32>)> {
    let rho = met.iter().map(|m| m.rho).collect();
    let bursts: Vec<Affine> = met.into_iter().map(|m| m.channel).collect();
    Ok((ops::affine_channel(&repeated(z, bursts.len() / z.dim(0)?)?, bursts)?, rho))
}

/// Expected number of sign errors of a receiver that uses one direction u of the burst only. For a burst of n symbols
/// at the effective SNR γ = ρ/(1 − ρ) it is Q(√(2nγ)·cos(Z, u)·sign y), with Q(x) ≈ 1/(1 + e^(1.702 x)). Unlike a log
/// score, this term gives no incentive to spend energy on signalling low confidence. Clips with y = 0 do not count.
fn antipodal_errors(z: &Tensor, direction: &Tensor, rho: &[f32], labels: &[f32]) -> Result<Tensor> {
    // Beyond this amplitude the error and its gradient are negligible.
    const MOST: f32 = 8.0;
    let (rows, reals) = z.dims2()?;
    let unit = direction.broadcast_div(&direction.sqr()?.sum_all()?.sqrt()?)?;
    let none = ops::tensor(vec![0.0], 1)?;
    let cosine =
        (ops::linear(z, &unit, &none, ops::Activation::Identity)? / (reals as f64 / 2.0).sqrt())?.squeeze(1)?;
    let bursts = rho.iter().zip(labels);
    let amplitude = |(rho, y): (&f32, &f32)| match *y {
        0.0 => 0.0,
        y => (reals as f32 * rho / (1.0 - rho).max(1e-6)).sqrt().min(MOST) * y.signum(),
    };
    let amplitudes: Vec<f32> = bursts.map(amplitude).collect();
    let counted: Vec<f32> = labels.iter().map(|y| if *y == 0.0 { 0.0 } else { 1.0 }).collect();
    let cosine = repeated(&cosine, rho.len() / rows)?;
    let argument = (cosine * ops::tensor(amplitudes, rho.len())?)?;
    let errors = ((argument * 1.702)?.exp()? + 1.0)?.recip()?;
    Ok((errors * ops::tensor(counted, rho.len())?)?.sum_all()?)
}

/// The rows of a latent at `indices`: `[clips, latent]` → `[indices, latent]`.
fn rows(z: &Tensor, indices: &[u32]) -> candle_core::Result<Tensor> {
    if indices.len() == z.dim(0)? {
        return Ok(z.clone());
    }
    z.index_select(&Tensor::from_slice(indices, indices.len(), &Device::Cpu)?, 0)
}

/// The term +BCE(T(GRL(z_a), GRL(z_b))) of each pair, in place of equations (37) and (43): the discriminators descend
/// it, the encoders ascend it. A pair with fewer than two clips that have both modalities is skipped, because it has
/// no shuffled pairs.
fn redundancy(
    network: &Network,
    weights: &Weights,
    latents: &[Option<Latent>; 3],
    reversal: f32,
    per_clip: f64,
    run: &mut Run,
    sums: &mut Sums,
) -> Result<Vec<Tensor>> {
    let mut terms = Vec::new();
    for (i, (a, b)) in PAIRS.into_iter().enumerate() {
        let (Some(discriminator), Some(a), Some(b)) =
            (&network.discriminators[i], &latents[a.index()], &latents[b.index()])
        else {
            continue;
        };
        let both = a.present.iter().zip(&b.present).enumerate();
        let both: Vec<u32> = both.filter(|(_, (a, b))| **a * **b > 0.0).map(|(i, _)| i as u32).collect();
        let n = both.len();
        if n < 2 {
            continue;
        }
        let stream = run.stream().expect("training has a stream");
        let offsets: Vec<usize> = (0..weights.negatives.max(1)).map(|_| 1 + stream.below(n - 1)).collect();
        let first = rows(&a.z, &both)?;
        // The first encoder gets the gradient unreversed, with the same scale, as the printed equations do.
        let towards = if weights.one_sided { -reversal } else { reversal };
        let za = ops::reverse_gradient(&first, towards)?;
        let zb = ops::reverse_gradient(&rows(&b.z, &both)?, reversal)?;
        let (joint, shuffled) = discriminator.contrast(&za, &zb, &offsets)?;
        let bce = binary_cross_entropy(&joint, &shuffled)?;
        let probability = |logits: &Tensor| -> Result<f64> {
            let mean = with_slice(logits, |l| l.iter().map(|x| 1.0 / (1.0 + (-*x as f64).exp())).sum::<f64>())?;
            Ok(mean / logits.elem_count() as f64)
        };
        sums.bce[i] += n as f64 * bce.to_scalar::<f32>()? as f64;
        sums.joint[i] += n as f64 * probability(&joint)?;
        sums.shuffled[i] += n as f64 * probability(&shuffled)?;
        sums.pair_clips[i] += n as f64;
        terms.push((bce * (n as f64 * per_clip))?);
    }
    Ok(terms)
}
