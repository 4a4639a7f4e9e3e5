//! υ: the bottleneck against the channel, from equalised symbols to the latent that the decision head reads.

use crate::bottleneck::Bottleneck;
use crate::config::Config;
use candle_core::{Result, Tensor};
use nn::layers::Run;
use nn::ops::{Gaussian, tensor};
use nn::params::{ParamError, Scope};

/// Width of [`side_information`].
pub const SIDE_INFORMATION: usize = 2;

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

/// What a receiver is told of a burst beside its symbols, and a transmitter with feedback before it: ρ, and how many times
/// 20 dB the effective SNR ρ/(1 − ρ) has. `[bursts, 2]`
pub fn side_information(rho: &[f32]) -> Result<Tensor> {
    let mut side = Vec::with_capacity(SIDE_INFORMATION * rho.len());
    for rho in rho {
        let rho = rho.clamp(0.0, 1.0) as f64;
        let snr_db = 10.0 * ((rho + 1e-4) / (1.0 - rho + 1e-4)).log10();
        side.extend([rho as f32, (snr_db / 20.0) as f32]);
    }
    tensor(side, (rho.len(), SIDE_INFORMATION))
}
