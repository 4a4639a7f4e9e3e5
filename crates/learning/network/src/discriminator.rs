//! ζ^{it}, ζ^{ia}, ζ^{ta}: discriminators that tell joint pairs of latents from shuffled ones, eq. (33)–(43).

use crate::config::Config;
use candle_core::{Result, Tensor};
use nn::layers::Linear;
use nn::ops::{self, Activation};
use nn::params::{ParamError, Scope};
use sequences::Modality;

/// The three pairs, in the order of every table.
pub const PAIRS: [(Modality, Modality); 3] =
    [(Modality::Text, Modality::Audio), (Modality::Text, Modality::Visual), (Modality::Audio, Modality::Visual)];

/// The name of a pair, such as `text-audio`.
pub fn pair_name((a, b): (Modality, Modality)) -> String {
    format!("{}-{}", a.name(), b.name())
}

/// T(z_a, z_b): both latents → hidden → hidden → a logit.
pub struct Discriminator {
    layers: [Linear; 3],
}

impl Discriminator {
    /// For latents of the configured width.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(scope: &Scope, config: &Config) -> std::result::Result<Self, ParamError> {
        let hidden = config.discriminator;
        Ok(Discriminator {
            layers: [
                Linear::new(&scope.at(0), 2 * config.latent, hidden, Activation::Relu)?,
                Linear::new(&scope.at(1), hidden, hidden, Activation::Relu)?,
                Linear::new(&scope.at(2), hidden, 1, Activation::Identity)?,
            ],
        })
    }

    /// Pairs `[n, latent]` and `[n, latent]` → logits `[n]`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        let mut x = Tensor::cat(&[a, b], 1)?;
        for layer in &self.layers {
            x = layer.forward(&x)?;
        }
        x.squeeze(1)
    }

    /// Logits of the joint pairs and of the shuffled ones, which pair row i of `a` with row i + offset of `b`, for each
    /// offset: `[n]` and `[n · offsets]`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn contrast(&self, a: &Tensor, b: &Tensor, offsets: &[usize]) -> Result<(Tensor, Tensor)> {
        let n = a.dim(0)?;
        let (mut left, mut right) = (vec![a.clone()], vec![b.clone()]);
        for offset in offsets {
            let offset = offset % n;
            left.push(a.clone());
            right.push(Tensor::cat(&[b.narrow(0, offset, n - offset)?, b.narrow(0, 0, offset)?], 0)?);
        }
        let logits = self.forward(&Tensor::cat(&left, 0)?, &Tensor::cat(&right, 0)?)?;
        Ok((logits.narrow(0, 0, n)?, logits.narrow(0, n, n * offsets.len())?))
    }
}

/// −ln σ(T) over joint pairs plus −ln(1 − σ(T)) over shuffled pairs, each the mean: 2 ln 2 where the two cannot be told
/// apart.
///
/// # Errors
/// Candle's.
pub fn binary_cross_entropy(joint: &Tensor, shuffled: &Tensor) -> Result<Tensor> {
    ops::softplus(&joint.neg()?)?.mean_all()? + ops::softplus(shuffled)?.mean_all()?
}
