//! Fusion and the multi-modal encoder η of equation (2): from the latents z^m of all modalities to the burst Z of unit
//! power, which crosses the channel of equation (1).

use crate::config::Config;
use crate::side_information::{SIDE_INFORMATION, side_information};
use candle_core::{Result, Tensor};
use nn::layers::{Linear, Run};
use nn::ops::{self, Activation};
use nn::params::{ParamError, Scope};

mod sharpening;

pub use sharpening::Sharpening;

/// The fusion by concatenation to X and the multi-modal encoder η from X to Z, equation (2).
pub struct Encoder {
    fusion: Linear,
    output: Linear,
    dropout: f32,
    /// The modulation of X by ρ, in a transmitter with CSIT; `None` without CSIT.
    feedback: Option<Feedback>,
    /// The antipodal boosting of the sign direction, in deployed weights that have one.
    sharpening: Option<Sharpening>,
}

/// The modulation of X by the reliability ρ, for transmitters with CSIT: ρ shifts each component before the rectifier
/// and scales it behind it, so that the share of the energy that each component gets can depend on the SNR.
struct Feedback {
    hidden: Linear,
    shift: Linear,
    gain: Linear,
}

impl Feedback {
    fn new(scope: &Scope, config: &Config) -> std::result::Result<Self, ParamError> {
        let width = config.width;
        Ok(Feedback {
            hidden: Linear::new(&scope.at("hidden"), SIDE_INFORMATION, width, Activation::Relu)?,
            shift: Linear::new(&scope.at("shift"), width, width, Activation::Identity)?,
            gain: Linear::new(&scope.at("gain"), width, width, Activation::Identity)?,
        })
    }

    /// Maps fused latents `[bursts, width]` and ρ of each burst to X `[bursts, width]`.
    fn forward(&self, fused: &Tensor, rho: &[f32]) -> Result<Tensor> {
        let hidden = self.hidden.forward(&side_information(rho)?)?;
        let x = (fused + self.shift.forward(&hidden)?)?.relu()?;
        x * self.gain.forward(&hidden)?.affine(1.0, 1.0)?
    }
}

impl Encoder {
    /// Reads or creates the encoder for the configured modalities.
    ///
    /// # Errors
    /// If a parameter is missing or has another shape.
    pub fn new(scope: &Scope, config: &Config) -> std::result::Result<Self, ParamError> {
        let inputs = config.widths.present().count() * config.latent;
        // With feedback the rectifier comes behind the shift.
        let activation = if config.feedback { Activation::Identity } else { Activation::Relu };
        Ok(Encoder {
            fusion: Linear::new(&scope.at("fusion"), inputs, config.width, activation)?,
            output: Linear::new(&scope.at("output"), config.width, config.reals, Activation::Identity)?,
            dropout: config.dropout.relu,
            feedback: config.feedback.then(|| Feedback::new(&scope.at("feedback"), config)).transpose()?,
            sharpening: Sharpening::find(&scope.at(Sharpening::PLACE), config.reals)?,
        })
    }

    /// Maps the latents z^m, each `[bursts, latent]`, to Z `[bursts, reals]` of unit mean power per complex symbol.
    /// `rho` is the reliability that the channel will give to each burst; it is used with CSIT and ignored without.
    ///
    /// # Errors
    /// If the shapes do not fit, or ρ is wanted and not given.
    pub fn forward(&self, latents: &[Tensor], rho: Option<&[f32]>, run: &mut Run) -> Result<Tensor> {
        let fused = self.fusion.forward(&Tensor::cat(latents, 1)?)?;
        let x = match (&self.feedback, rho) {
            (None, _) => fused,
            (Some(feedback), Some(rho)) => feedback.forward(&fused, rho)?,
            (Some(_), None) => candle_core::bail!("expected ρ of each burst for an encoder with feedback, got none"),
        };
        let x = ops::dropout(&x, run.mask(self.dropout))?;
        let z = ops::normalise_power(&self.output.forward(&x)?)?;
        match &self.sharpening {
            Some(sharpening) => sharpening.forward(&z),
            None => Ok(z),
        }
    }
}
