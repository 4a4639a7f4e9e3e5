//! T-DeepSC (Zhang et al., IEEE Transactions on Communications, 2024), the baseline: each modality has a transformer, a
//! linear map to its share of the symbols and a power of its own; the receiver reads what arrives as memory of a small
//! transformer decoder.

mod decoder;
mod sizes;

use crate::batch::{Batch, Packed};
use crate::config::{Config, Dropout};
use crate::extractor::{Block, BlockSizes, sinusoids};
use crate::head::Head;
use crate::proposed::{Answers, Sends};
use candle_core::{Device, Result, Tensor};
use metrics::Prediction;
use nn::layers::{LayerNorm, Linear, Run};
use nn::ops::{self, Activation, Offsets};
use nn::params::{Init, ParamError, Scope};
use sequences::Modality;

pub use decoder::Decoder;
pub use sizes::Sizes;

type Built<T> = std::result::Result<T, ParamError>;

/// Dropout, as published.
pub const DROPOUT: Dropout = Dropout { attention: 0.1, relu: 0.1, residual: 0.1, embedding: 0.0, text: 0.0 };

/// The reals of each modality's part of the burst: 16, what is left and 16 if there are three (16 + 6 + 16 as published,
/// 16 + 18 + 16 in 50), else equal parts.
pub fn shares(modalities: usize, reals: usize) -> Vec<usize> {
    match modalities {
        3 if reals > 32 => vec![16, reals - 32, 16],
        n => (0..n).map(|i| reals * (i + 1) / n - reals * i / n).collect(),
    }
}

/// In the order of the parts of a burst: the middle one is the text's.
const ORDER: [Modality; 3] = [Modality::Visual, Modality::Text, Modality::Audio];

/// The modalities of a network in the order of the parts of a burst, and the reals of each.
fn parts(config: &Config) -> Vec<(Modality, usize)> {
    let present: Vec<Modality> = ORDER.into_iter().filter(|m| config.widths.get(*m).is_some()).collect();
    present.iter().copied().zip(shares(present.len(), config.reals)).collect()
}

fn sizes(config: &Config) -> Sizes {
    config.t_deepsc.unwrap_or(Sizes::PUBLISHED)
}

/// One modality up to its part of the burst.
struct Branch {
    /// Of audio and visual; text has been through a transformer already.
    transformer: Option<Transformer>,
    to_channel: Linear,
}

impl Branch {
    fn forward(&self, packed: &Packed, run: &mut Run) -> Result<Tensor> {
        let summary = match &self.transformer {
            Some(transformer) => transformer.forward(packed, run)?,
            None => ops::mean_frames(&packed.frames, &packed.offsets)?,
        };
        ops::normalise_power(&self.to_channel.forward(&summary)?)
    }
}

/// A pre-LN transformer over the frames and one token more, whose last state sums the clip up.
struct Transformer {
    input: Linear,
    token: Tensor,
    blocks: Vec<Block>,
    norm: LayerNorm,
}

impl Transformer {
    fn new(
        scope: &Scope,
        inputs: usize,
        (width, heads): (usize, usize),
        layers: usize,
        config: &Config,
    ) -> Built<Self> {
        let sizes = BlockSizes { width, heads, feed_forward: 4 * width, dropout: config.dropout };
        Ok(Transformer {
            input: Linear::new(&scope.at("input"), inputs, width, Activation::Identity)?,
            token: scope.get("token", &[1, width], Init::Normal(0.02))?,
            blocks: (0..layers).map(|i| Block::new(&scope.at(i), &sizes)).collect::<Built<_>>()?,
            norm: LayerNorm::new(&scope.at("norm"), width, 1e-5)?,
        })
    }

    fn forward(&self, packed: &Packed, run: &mut Run) -> Result<Tensor> {
        let x = Tensor::cat(&[&self.token, &self.input.forward(&packed.frames)?], 0)?;
        // Row 0 is the token; each sequence begins with it.
        let mut rows = Vec::with_capacity(packed.offsets.frames() + packed.offsets.sequences());
        for range in packed.offsets.ranges() {
            rows.push(0u32);
            rows.extend(range.map(|frame| frame as u32 + 1));
        }
        let offsets = Offsets::from_lengths(packed.offsets.ranges().map(|range| range.len() + 1));
        let width = x.dim(1)?;
        let mut positions = Vec::with_capacity(rows.len() * width);
        offsets.ranges().for_each(|range| sinusoids(range.len(), width, &mut positions));
        let x = x.index_select(&Tensor::from_slice(&rows, rows.len(), &Device::Cpu)?, 0)?;
        let mut x = (x + ops::tensor(positions, (rows.len(), width))?)?;
        for block in &self.blocks {
            x = block.forward(&x, &offsets, run)?;
        }
        let firsts: Vec<u32> = offsets.ranges().map(|range| range.start as u32).collect();
        let firsts = Tensor::from_slice(&firsts, firsts.len(), &Device::Cpu)?;
        self.norm.forward(&x.index_select(&firsts, 0)?)
    }
}

/// Clips to bursts.
pub struct Transmitter {
    /// In the order of the parts of a burst.
    branches: Vec<(Modality, Branch)>,
}

impl Transmitter {
    /// For the configured modalities.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(root: &Scope, config: &Config) -> Built<Self> {
        let sizes = sizes(config);
        let branch = |(modality, reals): (Modality, usize)| -> Built<(Modality, Branch)> {
            let scope = root.at("extractor").at(modality.name());
            let inputs = config.widths.get(modality).expect("parts are of modalities that are there");
            let shape = match modality {
                Modality::Text => None,
                Modality::Audio => Some(sizes.audio),
                Modality::Visual => Some(sizes.visual),
            };
            let transformer =
                shape.map(|shape| Transformer::new(&scope, inputs, shape, sizes.layers, config)).transpose()?;
            let summary = shape.map_or(inputs, |(width, _)| width);
            let scope = root.at("encoder").at(modality.name());
            let to_channel = Linear::new(&scope, summary, reals, Activation::Identity)?;
            Ok((modality, Branch { transformer, to_channel }))
        };
        Ok(Transmitter { branches: parts(config).into_iter().map(branch).collect::<Built<_>>()? })
    }

    /// A batch → Z `[clips, reals]`, each modality's part of unit mean power per two reals.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, batch: &Batch, run: &mut Run) -> Result<Tensor> {
        let part = |(modality, branch): &(Modality, Branch)| {
            let Some(packed) = batch.modality(*modality) else {
                candle_core::bail!("the batch lacks {}", modality.name())
            };
            branch.forward(packed, run)
        };
        Tensor::cat(&self.branches.iter().map(part).collect::<Result<Vec<_>>>()?, 1)
    }
}

/// Equalised symbols to predictions.
pub struct Receiver {
    decoder: Decoder,
    /// The decision head.
    pub head: Head,
}

impl Receiver {
    /// For bursts of the configured length.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(root: &Scope, config: &Config) -> Built<Self> {
        let sizes = sizes(config);
        let lengths: Vec<usize> = parts(config).into_iter().map(|(_, reals)| reals).collect();
        Ok(Receiver {
            decoder: Decoder::new(&root.at("decoder"), &lengths, &sizes, config.dropout.residual)?,
            head: Head::over(&root.at("head"), config.head, sizes.decoder.0)?,
        })
    }

    /// Ẑ `[bursts, reals]` and ρ of each → what the head reads `[bursts, width]`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn latent(&self, received: &Tensor, rho: &[f32], run: &mut Run) -> Result<Tensor> {
        self.decoder.forward(received, rho, run)
    }

    /// Ẑ `[bursts, reals]` and ρ of each → predictions, as the deployed receiver gives them.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, received: &Tensor, rho: &[f32]) -> Result<Vec<Prediction>> {
        self.head.predict(&self.latent(received, rho, &mut Run::evaluating())?, rho)
    }
}

impl Sends for Transmitter {
    fn digest(&self, batch: &Batch) -> Result<Vec<Tensor>> {
        Ok(vec![self.forward(batch, &mut Run::evaluating())?])
    }

    fn send(&self, digest: &[Tensor], _: Option<&[f32]>) -> Result<Tensor> {
        match digest {
            [z] => Ok(z.clone()),
            _ => candle_core::bail!("expected a digest of one tensor, got {}", digest.len()),
        }
    }
}

impl Answers for Receiver {
    fn answer(&self, received: &Tensor, rho: &[f32]) -> Result<Vec<Prediction>> {
        self.forward(received, rho)
    }
}

/// Both halves.
pub struct TDeepSc {
    /// The sizes.
    pub config: Config,
    /// Clips to bursts.
    pub transmitter: Transmitter,
    /// Equalised symbols to predictions.
    pub receiver: Receiver,
}

impl TDeepSc {
    /// All parameters.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(root: &Scope, config: &Config) -> Built<Self> {
        Ok(TDeepSc {
            config: *config,
            transmitter: Transmitter::new(root, config)?,
            receiver: Receiver::new(root, config)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_fill_the_burst() {
        assert_eq!((shares(3, 38), shares(3, 50)), (vec![16, 6, 16], vec![16, 18, 16]));
        assert_eq!((shares(2, 50), shares(1, 50), shares(3, 10)), (vec![25, 25], vec![50], vec![3, 3, 4]));
    }
}
