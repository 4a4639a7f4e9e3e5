//! The (μ, σ) encoder that U-VIB (ε^m) and M-VIB (υ) share.

use crate::config::Config;
use candle_core::{Result, Tensor};
use nn::layers::{Linear, Run};
use nn::ops::{self, Activation, Gaussian};
use nn::params::{ParamError, Scope};

/// Linear → ReLU → μ and σ = softplus(Linear − 5).
pub struct Bottleneck {
    hidden: Linear,
    mu: Linear,
    sigma: Linear,
    dropout: f32,
}

impl Bottleneck {
    /// From `inputs` to the configured latent.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(scope: &Scope, config: &Config, inputs: usize) -> std::result::Result<Self, ParamError> {
        Ok(Bottleneck {
            hidden: Linear::new(&scope.at("hidden"), inputs, config.hidden, Activation::Relu)?,
            mu: Linear::new(&scope.at("mu"), config.hidden, config.latent, Activation::Identity)?,
            sigma: Linear::new(&scope.at("sigma"), config.hidden, config.latent, Activation::Identity)?,
            dropout: config.dropout.relu,
        })
    }

    /// x `[clips, inputs]` → (μ, σ), each `[clips, latent]`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, x: &Tensor, run: &mut Run) -> Result<Gaussian> {
        let hidden = ops::dropout(&self.hidden.forward(x)?, run.mask(self.dropout))?;
        // Without the floor σ can vanish in f32, and its logarithm with it.
        let sigma = ops::softplus(&self.sigma.forward(&hidden)?.affine(1.0, -5.0)?)?.affine(1.0, 1e-6)?;
        Ok(Gaussian { mu: self.mu.forward(&hidden)?, sigma })
    }

    /// μ alone, which is what the deployed network uses.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn mean(&self, x: &Tensor) -> Result<Tensor> {
        self.mu.forward(&self.hidden.forward(x)?)
    }
}
