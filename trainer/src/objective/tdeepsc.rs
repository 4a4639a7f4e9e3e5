//! The objective of T-DeepSC: the decision loss behind the channel, and nothing else.

use super::{Step, Sums, Weights, channels, sum, through};
use crate::law::ChannelLaw;
use anyhow::Result;
use candle_core::Tensor;
use network::tdeepsc::TDeepSc;
use nn::layers::Run;

/// The objective of T-DeepSC on one micro-batch, as its share of the mean over the step's clips, and the sums for the
/// log.
///
/// # Errors
/// If the network does not fit the batch.
pub fn objective(network: &TDeepSc, weights: &Weights, law: &ChannelLaw, step: Step) -> Result<(Tensor, Sums)> {
    let mut run = Run::training(step.stream);
    let z = network.transmitter.forward(step.batch, &mut run)?;
    let repeats = weights.realisations.max(1);
    let met = channels(step.batch.size * repeats, &network.config, law, &mut run)?;
    let (received, rho) = through(&z, met)?;
    let latent = network.receiver.latent(&received, &rho, &mut run)?;
    let losses = network.receiver.head.loss(&latent, &step.labels.repeat(repeats), weights.sign)?;
    let sums = Sums { clips: step.batch.size as f64, task: sum(&losses)? / repeats as f64, ..Sums::default() };
    Ok(((losses.sum_all()? * (1.0 / (step.clips * repeats) as f64))?, sums))
}
