//! The multi-modal variational information bottleneck (M-VIB), υ of equation (2): from equalised symbols to the latent
//! of equation (19) that the decision head reads. Its loss, equation (23), is in the trainer.

use crate::bottleneck::Bottleneck;
use crate::config::Config;
use crate::side_information::{SIDE_INFORMATION, side_information};
use candle_core::{Result, Tensor};
use nn::layers::Run;
use nn::ops::Gaussian;
use nn::params::{ParamError, Scope};

/// The M-VIB υ: maps a received burst to the Gaussian of equation (19).
pub struct Mvib(Bottleneck);

impl Mvib {
    /// Reads or creates the bottleneck for bursts of the configured number of real channel dimensions.
    ///
    /// # Errors
    /// If a parameter is missing or has another shape.
    pub fn new(scope: &Scope, config: &Config) -> std::result::Result<Self, ParamError> {
        Ok(Mvib(Bottleneck::new(scope, config, config.reals + SIDE_INFORMATION)?))
    }

    /// Maps equalised bursts Ẑ `[bursts, reals]` and the reliability ρ of each to (μ, σ) of equation (19), each
    /// `[bursts, latent]`.
    ///
    /// # Errors
    /// If the shapes do not match the configured sizes.
    pub fn forward(&self, received: &Tensor, rho: &[f32], run: &mut Run) -> Result<Gaussian> {
        self.0.forward(&with_side_information(received, rho)?, run)
    }

    /// Maps equalised bursts Ẑ `[bursts, reals]` and the reliability ρ of each to the mean μ `[bursts, latent]` of
    /// equation (19), which the deployed receiver uses.
    ///
    /// # Errors
    /// If the shapes do not match the configured sizes.
    pub fn mean(&self, received: &Tensor, rho: &[f32]) -> Result<Tensor> {
        self.0.mean(&with_side_information(received, rho)?)
    }
}

fn with_side_information(received: &Tensor, rho: &[f32]) -> Result<Tensor> {
    Tensor::cat(&[received, &side_information(rho)?], 1)
}
