//! The uni-modal variational information bottleneck (U-VIB) of one modality: the extractor δ^m and the bottleneck ε^m
//! of equation (2), from frames to the latent z^m of equation (9). Its loss, equation (13), is in the trainer.

use crate::batch::Packed;
use crate::bottleneck::Bottleneck;
use crate::config::Config;
use crate::extractor::Extractor;
use candle_core::{Result, Tensor};
use nn::layers::Run;
use nn::ops::{Gaussian, tensor};
use nn::params::{Init, ParamError, Scope};
use sequences::Modality;

/// The chain S^m → X^m → Z^m of one modality m in equation (2): extractor δ^m, then bottleneck ε^m.
pub struct Branch {
    extractor: Extractor,
    bottleneck: Bottleneck,
    /// The learned vector that replaces z^m in clips that lack the modality, `[1, latent]`.
    absent: Tensor,
}

/// The latents of one modality for a batch of clips.
pub struct Latent {
    /// μ and σ of p(z^m | s^m), equation (8), each `[clips, latent]`; meaningless for clips that lack the modality.
    pub gaussian: Gaussian,
    /// z^m `[clips, latent]` as the multi-modal encoder takes it: in training a sample by equation (9), else the mean
    /// μ^m; the learned replacement in clips that lack the modality.
    pub z: Tensor,
    /// 1 for each clip that has the modality, else 0.
    pub present: Vec<f32>,
}

impl Branch {
    /// Reads or creates the branch of `modality`, whose features are `inputs` wide.
    ///
    /// # Errors
    /// If a parameter is missing or has another shape.
    pub fn new(
        root: &Scope,
        config: &Config,
        modality: Modality,
        inputs: usize,
    ) -> std::result::Result<Self, ParamError> {
        let scope = root.at("uvib").at(modality.name());
        Ok(Branch {
            extractor: Extractor::new(&root.at("extractor").at(modality.name()), config, modality, inputs)?,
            bottleneck: Bottleneck::new(&scope, config, config.width)?,
            absent: scope.get("absent", &[1, config.latent], Init::Normal(0.1))?,
        })
    }

    /// Maps the frames of a batch to its latents; draws the noise ε of equation (9) from `run` in training.
    ///
    /// # Errors
    /// If the shapes do not match the configured sizes.
    pub fn forward(&self, packed: &Packed, run: &mut Run) -> Result<Latent> {
        let x = self.extractor.forward(packed, run)?;
        let gaussian = self.bottleneck.forward(&x, run)?;
        let present = packed.present();
        let z = self.stand_in(run.sample(&gaussian)?, &present)?;
        Ok(Latent { gaussian, z, present })
    }

    /// Maps the frames of a batch to the means μ^m `[clips, latent]`, which the deployed transmitter uses in place of
    /// samples; the learned replacement in clips that lack the modality.
    ///
    /// # Errors
    /// If the shapes do not match the configured sizes.
    pub fn mean(&self, packed: &Packed) -> Result<Tensor> {
        let x = self.extractor.forward(packed, &mut Run::evaluating())?;
        self.stand_in(self.bottleneck.mean(&x)?, &packed.present())
    }

    fn stand_in(&self, z: Tensor, present: &[f32]) -> Result<Tensor> {
        if present.iter().all(|p| *p == 1.0) {
            return Ok(z);
        }
        let here = tensor(present.to_vec(), (present.len(), 1))?;
        let missing = tensor(present.iter().map(|p| 1.0 - p).collect(), (present.len(), 1))?;
        z.broadcast_mul(&here)? + missing.broadcast_mul(&self.absent)?
    }
}
