//! The encoder of a Gaussian bottleneck that U-VIB (ε^m, equation (8)) and M-VIB (υ, equation (19)) share.

use crate::config::Config;
use candle_core::{Result, Tensor};
use nn::layers::{Linear, Run};
use nn::ops::{self, Activation, Gaussian};
use nn::params::{ParamError, Scope};

/// The encoder of a Gaussian bottleneck: Linear, ReLU, then μ = Linear and σ = softplus(Linear − 5).
pub struct Bottleneck {
    hidden: Linear,
    mu: Linear,
    sigma: Linear,
    dropout: f32,
}

impl Bottleneck {
    /// Reads or creates the encoder from vectors of `inputs` numbers to the configured latent width.
    ///
    /// # Errors
    /// If a parameter is missing or has another shape.
    pub fn new(scope: &Scope, config: &Config, inputs: usize) -> std::result::Result<Self, ParamError> {
        Ok(Bottleneck {
            hidden: Linear::new(&scope.at("hidden"), inputs, config.hidden, Activation::Relu)?,
            mu: Linear::new(&scope.at("mu"), config.hidden, config.latent, Activation::Identity)?,
            sigma: Linear::new(&scope.at("sigma"), config.hidden, config.latent, Activation::Identity)?,
            dropout: config.dropout.relu,
        })
    }

    /// Maps x `[clips, inputs]` to (μ, σ), each `[clips, latent]`, with dropout as `run` has it.
    ///
    /// # Errors
    /// If the shapes do not match the configured sizes.
    pub fn forward(&self, x: &Tensor, run: &mut Run) -> Result<Gaussian> {
        let hidden = ops::dropout(&self.hidden.forward(x)?, run.mask(self.dropout))?;
        // Without the floor σ can vanish in f32, and its logarithm with it.
        let sigma = ops::softplus(&self.sigma.forward(&hidden)?.affine(1.0, -5.0)?)?.affine(1.0, 1e-6)?;
        Ok(Gaussian { mu: self.mu.forward(&hidden)?, sigma })
    }

    /// Maps x `[clips, inputs]` to the mean μ `[clips, latent]`, which the deployed halves use, without dropout.
    ///
    /// # Errors
    /// If the shapes do not match the configured sizes.
    pub fn mean(&self, x: &Tensor) -> Result<Tensor> {
        self.mu.forward(&self.hidden.forward(x)?)
    }
}
