//! Fusion and η: the three latents to the burst Z of unit power.

use crate::config::Config;
use crate::layers::{Linear, Run};
use crate::ops::{self, Activation};
use crate::params::{ParamError, Scope};
use candle_core::{Result, Tensor};

/// Concatenation → X → Z.
pub struct Encoder {
    fusion: Linear,
    output: Linear,
    dropout: f32,
}

impl Encoder {
    /// For the configured modalities.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(scope: &Scope, config: &Config) -> std::result::Result<Self, ParamError> {
        let inputs = config.widths.present().count() * config.latent;
        Ok(Encoder {
            fusion: Linear::new(&scope.at("fusion"), inputs, config.width, Activation::Relu)?,
            output: Linear::new(&scope.at("output"), config.width, config.reals, Activation::Identity)?,
            dropout: config.dropout.relu,
        })
    }

    /// z^m, each `[clips, latent]` → Z `[clips, reals]` of unit mean power per complex symbol.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, latents: &[Tensor], run: &mut Run) -> Result<Tensor> {
        let x = self.fusion.forward(&Tensor::cat(latents, 1)?)?;
        let x = ops::dropout(&x, run.mask(self.dropout))?;
        ops::normalise_power(&self.output.forward(&x)?)
    }
}
