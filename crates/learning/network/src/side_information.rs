//! What a network knows of its channel beside the symbols.

use candle_core::{Result, Tensor};
use nn::ops::tensor;

/// Width of [`side_information`].
pub const SIDE_INFORMATION: usize = 2;

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
