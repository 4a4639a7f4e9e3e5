//! υ: the bottleneck against the channel, from equalised symbols to the latent that the decision head reads.

use crate::bottleneck::Bottleneck;
use crate::config::Config;
use crate::side_information::{SIDE_INFORMATION, side_information};
use candle_core::{Result, Tensor};
use nn::layers::Run;
use nn::ops::Gaussian;
use nn::params::{ParamError, Scope};

/// The M-VIB.
pub struct Mvib(Bottleneck);

impl Mvib {
    /// For bursts of the configured length.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(scope: &Scope, config: &Config) -> std::result::Result<Self, ParamError> {
        Ok(Mvib(Bottleneck::new(scope, config, config.reals + SIDE_INFORMATION)?))
    }

    /// Ẑ `[bursts, reals]` and ρ of each → (μ, σ), each `[bursts, latent]`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, received: &Tensor, rho: &[f32], run: &mut Run) -> Result<Gaussian> {
        self.0.forward(&with_side_information(received, rho)?, run)
    }

    /// μ alone `[bursts, latent]`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn mean(&self, received: &Tensor, rho: &[f32]) -> Result<Tensor> {
        self.0.mean(&with_side_information(received, rho)?)
    }
}

fn with_side_information(received: &Tensor, rho: &[f32]) -> Result<Tensor> {
    Tensor::cat(&[received, &side_information(rho)?], 1)
}
