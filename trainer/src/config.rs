//! Settings of a run, as in its `config.json`: everything that its result depends on, except the data of the corpus.

mod tuning;
mod validation;

use crate::adamw::USUAL_BETAS;
use crate::law::ChannelLaw;
use crate::objective::Weights;
use crate::schedule::Schedule;
use anyhow::{Result, ensure};
use network::config::{Config, Preset};
use schemes::scheme_kind::SchemeKind;
use serde::{Deserialize, Serialize};
use source_coding::Codec;

pub use tuning::Tuning;
pub use validation::Validation;

/// The settings of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// Scheme that the run trains.
    #[serde(default)]
    pub scheme: SchemeKind,
    /// Name of the corpus, as given on the command line.
    pub corpus: String,
    /// Name of the text encoder's folder; `None` without one.
    pub text_encoder: Option<String>,
    /// Settings for fine-tuning the text encoder; `None` if it is frozen.
    pub tuning: Option<Tuning>,
    /// The preset that default sizes and schedule come from.
    pub preset: Preset,
    /// Seed of all randomness in the run.
    pub seed: u64,
    /// Sizes and options of the network.
    pub network: Config,
    /// Number of epochs, learning rate, and ramp of redundancy reduction.
    pub schedule: Schedule,
    /// Weights of the terms of the objective.
    pub objective: Weights,
    /// Distribution of the channel in training.
    pub law: ChannelLaw,
    /// Number of clips in a training step.
    pub batch: usize,
    /// Number of micro-batches in a training step, whatever the number of cores.
    pub parts: usize,
    /// Probability with which a clip's modality is dropped in a step, for each modality independently but never for
    /// all, so that the network learns to do without any of them.
    pub modality_dropout: f32,
    /// Decoupled weight decay of matrices, multiplied by the learning rate.
    pub weight_decay: f32,
    /// Decay rates of AdamW's first and second moments.
    #[serde(default = "usual_betas")]
    pub betas: (f32, f32),
    /// Share, between 0 and 1, of itself that the EMA of the weights keeps in a step.
    pub averaging: f32,
    /// Number of epochs without improvement after which training stops.
    pub patience: usize,
    /// The held-out clips that early stopping is decided on.
    pub validation: Validation,
    /// Whether the deployed decision head is calibrated on the held-out clips.
    #[serde(default)]
    pub calibrate: bool,
    /// Whether the deployed encoder uses antipodal boosting of the sign direction, with a gain fitted on the held-out
    /// clips.
    #[serde(default)]
    pub sharpen: bool,
}

fn usual_betas() -> (f32, f32) {
    USUAL_BETAS
}

impl RunConfig {
    /// The settings as JSON for messages and tables, with numbers in their shortest form.
    ///
    /// # Errors
    /// If the settings cannot be written as JSON.
    pub(crate) fn shown(&self) -> Result<serde_json::Value> {
        Ok(serde_json::from_str(&serde_json::to_string(self)?)?)
    }

    /// Checks that a run can be made with these settings.
    ///
    /// # Errors
    /// If a field has an invalid value, naming the field.
    pub fn check(&self) -> Result<()> {
        let (schedule, objective, law) = (&self.schedule, &self.objective, &self.law);
        let counts = [
            ("schedule.epochs", schedule.epochs),
            ("objective.negatives", objective.negatives),
            ("objective.realisations", objective.realisations),
            ("batch", self.batch),
            ("parts", self.parts),
            ("patience", self.patience),
        ];
        for (name, count) in counts {
            ensure!(count > 0, "{name}: expected at least 1, got 0");
        }
        let weights = [
            ("schedule.lambda_red", schedule.lambda_red),
            ("objective.beta", objective.beta),
            ("objective.gamma", objective.gamma),
            ("objective.auxiliary", objective.auxiliary),
            ("objective.sign", objective.sign),
            ("objective.antipodal", objective.antipodal),
            ("weight_decay", self.weight_decay),
        ];
        for (name, weight) in weights {
            ensure!(weight.is_finite() && weight >= 0.0, "{name}: expected a number of at least 0, got {weight}");
        }
        let rate = schedule.learning_rate;
        ensure!(rate.is_finite() && rate > 0.0, "schedule.learning_rate: expected a number above 0, got {rate}");
        let (warm_up, end) = (schedule.warm_up, schedule.ramp_end);
        ensure!(end >= warm_up, "schedule.ramp_end: expected at least schedule.warm_up, {warm_up}, got {end}");
        let lost = self.modality_dropout;
        ensure!((0.0..1.0).contains(&lost), "modality_dropout: expected 0 to less than 1, got {lost}");
        ensure!((0.0..=1.0).contains(&self.averaging), "averaging: expected 0 to 1, got {}", self.averaging);
        for beta in [self.betas.0, self.betas.1] {
            ensure!((0.0..1.0).contains(&beta), "betas: expected two numbers from 0 to less than 1, got {beta}");
        }
        ensure!((0.0..=1.0).contains(&schedule.end), "schedule.end: expected 0 to 1, got {}", schedule.end);
        let (low, high) = law.snr_db;
        ensure!(
            low.is_finite() && high.is_finite() && low <= high,
            "law.snr_db: expected low <= high, got {low}, {high}"
        );
        ensure!(law.skew.is_finite() && law.skew > 0.0, "law.skew: expected a number above 0, got {}", law.skew);
        if let Some(tuning) = &self.tuning {
            ensure!(self.text_encoder.is_some(), "tuning: there is no text encoder to tune");
            tuning.check()?;
        }
        ensure!(
            !self.network.feedback || self.scheme == SchemeKind::Proposed,
            "network.feedback: expected scheme {}, got {}",
            SchemeKind::Proposed,
            self.scheme
        );
        if self.scheme == SchemeKind::Conventional {
            Codec::pictures()?;
        }
        self.validation.to_string().parse::<Validation>().map_err(|e| anyhow::anyhow!("validation: {e}"))?;
        self.network.check().map_err(|e| anyhow::anyhow!("network.{e}"))
    }
}
