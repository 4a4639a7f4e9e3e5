//! The chain of eq. (2): the deployed halves, and what training adds to them.
//!
//! The first component of a parameter's path tells where it lives: `extractor`, `uvib`, `encoder` in the transmitter;
//! `mvib`, `head` in the receiver; `auxiliary`, `discriminator` in training alone.

use crate::batch::Batch;
use crate::config::Config;
use crate::discriminator::{Discriminator, PAIRS, pair_name};
use crate::encoder::Encoder;
use crate::head::{Head, MatchedFilter};
use crate::mvib::Mvib;
use crate::uvib::{Branch, Latent};
use candle_core::{Result, Tensor};
use metrics::Prediction;
use nn::layers::Run;
use nn::ops::with_slice;
use nn::params::{Init, ParamError, Scope};
use sequences::Modality;

/// First path components of the transmitter's parameters.
pub const TRANSMITTER: [&str; 3] = ["extractor.", "uvib.", "encoder."];

/// First path components of the receiver's parameters.
pub const RECEIVER: [&str; 2] = ["mvib.", "head."];

type Built<T> = std::result::Result<T, ParamError>;

/// What a network in the transmitter does once it is trained.
pub trait Sends: Send + Sync {
    /// All of its work that does not depend on the channel: a batch → tensors of one row a clip.
    ///
    /// # Errors
    /// If the shapes do not fit.
    fn digest(&self, batch: &Batch) -> Result<Vec<Tensor>>;

    /// The rest: a digest, and with feedback ρ that each clip's burst is going to meet → Z `[clips, reals]` of unit
    /// power.
    ///
    /// # Errors
    /// If the shapes do not fit, or ρ is wanted and not given.
    fn send(&self, digest: &[Tensor], rho: Option<&[f32]>) -> Result<Tensor>;
}

/// What a network in the receiver does once it is trained.
pub trait Answers: Send + Sync {
    /// Ẑ `[bursts, reals]` and ρ of each → predictions.
    ///
    /// # Errors
    /// If the shapes do not fit.
    fn answer(&self, received: &Tensor, rho: &[f32]) -> Result<Vec<Prediction>>;
}

impl Sends for Transmitter {
    fn digest(&self, batch: &Batch) -> Result<Vec<Tensor>> {
        self.means(batch)
    }

    fn send(&self, digest: &[Tensor], rho: Option<&[f32]>) -> Result<Tensor> {
        self.encode(digest, rho, &mut Run::evaluating())
    }
}

impl Answers for Receiver {
    fn answer(&self, received: &Tensor, rho: &[f32]) -> Result<Vec<Prediction>> {
        self.forward(received, rho)
    }
}

/// δ^m, ε^m, fusion and η: clips to bursts.
pub struct Transmitter {
    /// By `Modality::index()`.
    branches: [Option<Branch>; 3],
    encoder: Encoder,
}

impl Transmitter {
    /// For the configured modalities.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(root: &Scope, config: &Config) -> Built<Self> {
        let mut branches = [None, None, None];
        for (modality, width) in config.widths.present() {
            branches[modality.index()] = Some(Branch::new(root, config, modality, width)?);
        }
        Ok(Transmitter { branches, encoder: Encoder::new(&root.at("encoder"), config)? })
    }

    /// The latent of each modality, by `Modality::index()`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn latents(&self, batch: &Batch, run: &mut Run) -> Result<[Option<Latent>; 3]> {
        let mut latents = [None, None, None];
        for modality in Modality::ALL {
            if let (Some(branch), Some(packed)) = (&self.branches[modality.index()], batch.modality(modality)) {
                latents[modality.index()] = Some(branch.forward(packed, run)?);
            }
        }
        Ok(latents)
    }

    /// Latents `[bursts, latent]` in the order of the modalities, and with feedback ρ of each burst to come → Z
    /// `[bursts, reals]`.
    ///
    /// # Errors
    /// If the shapes do not fit, or ρ is wanted and not given.
    pub fn encode(&self, latents: &[Tensor], rho: Option<&[f32]>, run: &mut Run) -> Result<Tensor> {
        self.encoder.forward(latents, rho, run)
    }

    /// μ^m of each modality, in the order of the modalities, `[clips, latent]`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn means(&self, batch: &Batch) -> Result<Vec<Tensor>> {
        let branches = self.branches.iter().zip(&batch.modalities);
        branches.filter_map(|(branch, packed)| Some(branch.as_ref()?.mean(packed.as_ref()?))).collect()
    }
}

/// υ and the decision head: equalised symbols to predictions.
pub struct Receiver {
    /// The bottleneck against the channel.
    pub mvib: Mvib,
    /// The decision head.
    pub head: Head,
    /// Of deployed weights.
    matched_filter: Option<MatchedFilter>,
}

impl Receiver {
    /// For bursts of the configured length.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(root: &Scope, config: &Config) -> Built<Self> {
        let head = root.at("head");
        Ok(Receiver {
            mvib: Mvib::new(&root.at("mvib"), config)?,
            head: Head::new(&head, config)?,
            matched_filter: MatchedFilter::find(&head.at(MatchedFilter::PLACE), config.reals, config.equaliser)?,
        })
    }

    /// Ẑ `[bursts, reals]` and ρ of each → predictions, as the deployed receiver gives them.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, received: &Tensor, rho: &[f32]) -> Result<Vec<Prediction>> {
        let latent = self.mvib.mean(received, rho)?;
        let Some(matched_filter) = &self.matched_filter else { return self.head.predict(&latent, rho) };
        let reals = received.dim(1)?;
        let llr = with_slice(received, |received| {
            let bursts = received.chunks_exact(reals).zip(rho);
            bursts.map(|(burst, rho)| matched_filter.llr(burst, *rho)).collect::<Vec<_>>()
        })?;
        self.head.predict_with(&latent, rho, &llr)
    }
}

/// Both halves and what training needs beside them.
pub struct Network {
    /// The sizes.
    pub config: Config,
    /// Clips to bursts.
    pub transmitter: Transmitter,
    /// Equalised symbols to predictions.
    pub receiver: Receiver,
    /// One head a modality, by `Modality::index()`.
    pub auxiliary: [Option<Head>; 3],
    /// The direction `[reals, 1]` along which the sign is asked to be sent antipodally.
    pub antipodal: Tensor,
    /// By position in [`PAIRS`]; `None` where the network lacks one of the two.
    pub discriminators: [Option<Discriminator>; 3],
}

impl Network {
    /// All parameters of training.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(root: &Scope, config: &Config) -> Built<Self> {
        let mut auxiliary = [None, None, None];
        for (modality, _) in config.widths.present() {
            let scope = root.at("auxiliary").at(modality.name());
            auxiliary[modality.index()] = Some(Head::new(&scope, config)?);
        }
        let mut discriminators = [None, None, None];
        for (slot, pair) in discriminators.iter_mut().zip(PAIRS) {
            if config.widths.get(pair.0).and(config.widths.get(pair.1)).is_some() {
                let scope = root.at("discriminator").at(pair_name(pair));
                *slot = Some(Discriminator::new(&scope, config)?);
            }
        }
        Ok(Network {
            config: *config,
            transmitter: Transmitter::new(root, config)?,
            receiver: Receiver::new(root, config)?,
            auxiliary,
            antipodal: root.at("auxiliary").get("antipodal", &[config.reals, 1], Init::Normal(1.0))?,
            discriminators,
        })
    }
}
