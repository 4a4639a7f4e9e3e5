//! `config.json` of a run: everything that its result depends on, beside the corpus.

use crate::data::Validation;
use crate::law::ChannelLaw;
use crate::objective::Weights;
use crate::schedule::Schedule;
use model::config::{Config, Preset};
use serde::{Deserialize, Serialize};

/// A run's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// The corpus.
    pub corpus: String,
    /// Name of the text encoder's folder.
    pub text_encoder: Option<String>,
    /// The preset that sizes and schedule come from.
    pub preset: Preset,
    /// Of all randomness.
    pub seed: u64,
    /// The network.
    pub network: Config,
    /// Epochs and rates.
    pub schedule: Schedule,
    /// Weights of the objective's terms.
    pub objective: Weights,
    /// The channel of training.
    pub law: ChannelLaw,
    /// Clips a step.
    pub batch: usize,
    /// Data-parallel parts of a step, whatever the number of cores.
    pub parts: usize,
    /// Decoupled weight decay of matrices.
    pub weight_decay: f32,
    /// Averaged weights keep this share of themselves in a step.
    pub averaging: f32,
    /// Epochs without a better one after which training stops.
    pub patience: usize,
    /// What training is stopped on.
    pub validation: Validation,
}
