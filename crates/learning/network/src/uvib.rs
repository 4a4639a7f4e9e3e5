//! δ^m and ε^m together: one modality's branch from frames to its latent z^m, eq. (9).

use crate::batch::Packed;
use crate::bottleneck::Bottleneck;
use crate::config::Config;
use crate::extractor::Extractor;
use candle_core::{Result, Tensor};
use nn::layers::Run;
use nn::ops::{Gaussian, tensor};
use nn::params::{Init, ParamError, Scope};
use sequences::Modality;

/// The branch of one modality.
pub struct Branch {
    extractor: Extractor,
    bottleneck: Bottleneck,
    /// Stands for the latent of a clip that lacks the modality, `[1, latent]`.
    absent: Tensor,
}

/// What a branch makes of a batch.
pub struct Latent {
    /// The bottleneck's distribution; meaningless for clips that lack the modality.
    pub gaussian: Gaussian,
    /// z^m `[clips, latent]` as the encoder gets it: a sample or the mean, the learned stand-in where absent.
    pub z: Tensor,
    /// 1 for each clip that has the modality, else 0.
    pub present: Vec<f32>,
}

impl Branch {
    /// The branch of `modality` from features `inputs` wide.
    ///
    /// # Errors
    /// If the parameters are not to be had.
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

    /// Frames → latent.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, packed: &Packed, run: &mut Run) -> Result<Latent> {
        let x = self.extractor.forward(packed, run)?;
        let gaussian = self.bottleneck.forward(&x, run)?;
        let present = packed.present();
        let z = self.stand_in(run.sample(&gaussian)?, &present)?;
        Ok(Latent { gaussian, z, present })
    }

    /// Frames → μ^m `[clips, latent]`, the learned stand-in where absent: what the deployed network uses.
    ///
    /// # Errors
    /// If the shapes do not fit.
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
