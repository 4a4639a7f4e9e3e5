//! Training options of a run, and the settings that follow from them.

use super::fields::{HELP, overridden, table};
use crate::adamw::USUAL_BETAS;
use crate::checkpoint::differences;
use crate::config::RunConfig;
use crate::config::{Tuning, Validation};
use crate::law::{ChannelLaw, TrainChannel};
use crate::objective::Weights;
use crate::schedule::{END, Schedule};
use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, FromArgMatches, ValueEnum};
use corpus::{Corpus, CorpusSpec};
use network::config::{Config, HeadKind, Preset};
use network::tdeepsc::Sizes;
use phy::Equaliser;
use schemes::scheme_kind::SchemeKind;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The decision heads that `--head` offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HeadName {
    /// A distribution over the score
    Distribution,
    /// The paper's L1 regressor
    L1,
    /// A regressor trained with the squared error, as in T-DeepSC
    Mse,
}

/// How training uses the text encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TextMode {
    /// The text encoder stays as it is
    Frozen,
    /// The text encoder is trained along with the network
    FineTune,
}

/// Number of folds that the training split is cut into, of which one is held out.
const FOLDS: usize = 8;

/// Settings for fine-tuning a text encoder, unless `--set` changes them.
const TUNING: Tuning = Tuning { begin: 8, rate: 2e-4, layer_decay: 0.9, frozen_layers: 0, weight_decay: 0.01 };

/// Options that determine how a network is trained.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct TrainOptions {
    /// Folder of a BERT-family checkpoint that encodes the transcripts
    #[arg(long, value_name = "DIR")]
    pub text_encoder: Option<PathBuf>,
    /// Whether the text encoder is frozen or trained along with the network
    #[arg(long, value_enum, default_value = "frozen")]
    pub text: TextMode,
    /// Scheme to train
    #[arg(long, default_value = "proposed", value_parser = PossibleValuesParser::new(SchemeKind::ALL.map(SchemeKind::name)).try_map(|name| name.parse::<SchemeKind>()))]
    pub scheme: SchemeKind,
    /// Preset of sizes: paper or small; unless given, small for `builtin`, else paper
    #[arg(long)]
    pub preset: Option<Preset>,
    /// Maximum number of epochs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,
    /// Channels to train for
    #[arg(long, value_enum, default_value = "mix")]
    pub train_channel: TrainChannel,
    /// Lowest and highest SNR to train for, in dB
    #[arg(long, value_name = "LOW:HIGH", default_value = "-15:21", allow_hyphen_values = true, value_parser = snr_range)]
    pub train_snr: (f64, f64),
    /// Clips for early stopping: a split, or fold:I/N cut by video from the training split
    #[arg(long, value_name = "SPLIT")]
    pub validation: Option<Validation>,
    /// Real channel dimensions of a burst, two for each complex channel use
    #[arg(long, visible_alias = "channel-dims", value_name = "N", default_value_t = 50)]
    pub reals: usize,
    /// Decision head
    #[arg(long, value_enum, default_value = "distribution")]
    pub head: HeadName,
    /// Equaliser: mmse or zf
    #[arg(long, default_value = "mmse")]
    pub equaliser: Equaliser,
    /// Give the transmitter CSIT: the channel of each burst to come, by perfect feedback; scheme proposed only,
    /// reported as proposed+feedback
    #[arg(long)]
    pub feedback: bool,
    /// Weight of redundancy reduction; 0 is the control whose discriminators are trained without affecting the
    /// encoders
    #[arg(long, value_name = "X", default_value_t = 0.4)]
    pub lambda_red: f32,
    /// Set a field of the run's config.json, such as schedule.learning_rate=5e-4; may be repeated; `help` lists the
    /// fields
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
}

fn snr_range(text: &str) -> Result<(f64, f64), String> {
    let wrong = || format!("`{text}`: expected LOW:HIGH in dB, LOW <= HIGH, such as -15:21");
    let (low, high) = text.split_once(':').ok_or_else(wrong)?;
    let (low, high): (f64, f64) = (low.parse().map_err(|_| wrong())?, high.parse().map_err(|_| wrong())?);
    if low.is_finite() && high.is_finite() && low <= high && low >= -200.0 && high <= 200.0 {
        Ok((low, high))
    } else {
        Err(wrong())
    }
}

impl Default for TrainOptions {
    /// The options of a command line without any option.
    fn default() -> Self {
        let none = Self::augment_args(clap::Command::new("train")).no_binary_name(true);
        let parsed = none.try_get_matches_from(std::iter::empty::<&str>()).and_then(|m| Self::from_arg_matches(&m));
        parsed.expect("every option has a default")
    }
}

fn is_builtin(corpus: &CorpusSpec) -> bool {
    corpus.to_string().starts_with("builtin")
}

impl TrainOptions {
    /// The settings of the run that these options describe on a corpus, with every default filled in. The widths of
    /// the network's inputs are not set yet: they follow from the corpus and the text encoder.
    ///
    /// # Errors
    /// If a field of `--set` does not exist or cannot take the value.
    pub fn resolved(&self, spec: &CorpusSpec, corpus: &Corpus, seed: u64) -> Result<RunConfig> {
        overridden(&self.settings(spec, default_validation(spec, corpus), seed), &self.set)
    }

    /// Whether these options request the list of fields that can be set, instead of a run.
    pub fn ask_for_fields(&self) -> bool {
        self.set.iter().any(|field| field == HELP)
    }

    /// The table of the fields that can be set, with their values under the other options. The corpus is not read.
    ///
    /// # Errors
    /// If a field of `--set` does not exist or cannot take the value.
    pub fn fields(&self, spec: &CorpusSpec, seed: u64) -> Result<String> {
        let set: Vec<String> = self.set.iter().filter(|field| *field != HELP).cloned().collect();
        table(&overridden(&self.settings(spec, unread_validation(spec), seed), &set)?)
    }

    /// The fields in which a run with the settings `there` differs from these options, each with both values. The
    /// corpus is not read, so what only the corpus determines is taken from `there`: the widths of its features, and
    /// the held-out clips unless the options name them.
    ///
    /// # Errors
    /// If a field of `--set` does not exist or cannot take the value.
    pub fn differences(&self, there: &RunConfig, spec: &CorpusSpec, seed: u64) -> Result<Vec<String>> {
        let validation = if is_builtin(spec) { unread_validation(spec) } else { there.validation.clone() };
        let mut asked = overridden(&self.settings(spec, validation, seed), &self.set)?;
        asked.network.widths = there.network.widths;
        differences(there, &asked)
    }

    /// The settings of the run before `--set` is applied. `validation` names the held-out clips if the options do not.
    fn settings(&self, spec: &CorpusSpec, validation: Validation, seed: u64) -> RunConfig {
        let small = if is_builtin(spec) { Preset::Small } else { Preset::Paper };
        let preset = self.preset.unwrap_or(small);
        let name = |path: &PathBuf| path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let mut network = Config::preset(preset, Default::default());
        network.reals = self.reals;
        network.equaliser = self.equaliser;
        network.feedback = self.feedback;
        network.head = match self.head {
            HeadName::Distribution => HeadKind::Distribution,
            HeadName::L1 => HeadKind::L1,
            HeadName::Mse => HeadKind::Mse,
        };
        let t_deepsc = self.scheme == SchemeKind::TDeepSc;
        if t_deepsc {
            let sizes = match preset {
                Preset::Small => Sizes::SMALL,
                Preset::Paper => Sizes::PUBLISHED,
            };
            network.t_deepsc = Some(Sizes { side_information: true, ..sizes });
            network.dropout = network::tdeepsc::DROPOUT;
        }
        let (epochs, learning_rate) = match preset {
            Preset::Small => (20, 2e-3),
            // A fine-tuned encoder overfits sooner.
            Preset::Paper if matches!(self.text, TextMode::FineTune) => (22, 3e-4),
            Preset::Paper => (40, 3e-4),
        };
        RunConfig {
            scheme: self.scheme,
            corpus: spec.to_string(),
            text_encoder: self.text_encoder.as_ref().map(name),
            tuning: matches!(self.text, TextMode::FineTune).then_some(TUNING),
            preset,
            seed,
            network,
            schedule: Schedule {
                epochs: self.epochs.map_or(epochs, |n| n as usize),
                lambda_red: self.lambda_red,
                warm_up: 3,
                ramp_end: 6,
                learning_rate,
                end: END,
            },
            objective: Weights {
                beta: 0.3,
                gamma: 1e-3,
                auxiliary: 0.1,
                sign: 1.0,
                antipodal: 6.0,
                negatives: 2,
                // In T-DeepSC the decoder takes most of the time of a step.
                realisations: if t_deepsc { 2 } else { 6 },
                one_sided: false,
            },
            law: ChannelLaw { channel: self.train_channel, snr_db: self.train_snr, skew: 2.0 },
            batch: 32,
            parts: 2,
            modality_dropout: 0.0,
            // Decoupled and multiplied by the learning rate: with few clips and wide features training overfits
            // without it.
            weight_decay: 5.0,
            betas: USUAL_BETAS,
            averaging: 0.995,
            patience: 12,
            validation: self.validation.clone().unwrap_or(validation),
            calibrate: true,
            sharpen: !t_deepsc,
        }
    }
}

/// The clips held out by default if the corpus is not read: those of most corpora.
fn unread_validation(spec: &CorpusSpec) -> Validation {
    if is_builtin(spec) { Validation::Split("valid".into()) } else { Validation::Fold { fold: 0, folds: FOLDS } }
}

/// The clips held out by default. A generated corpus has a validation split to spare; of a real corpus that split is
/// left for the report, unless there are too few videos to cut folds by.
fn default_validation(spec: &CorpusSpec, corpus: &Corpus) -> Validation {
    let train = corpus.clips.iter().filter(|clip| clip.split == "train");
    let videos: BTreeSet<&str> = train.map(|clip| clip.video_id.as_str()).collect();
    let few = videos.len() < FOLDS && corpus.clips.iter().any(|clip| clip.split == "valid");
    if is_builtin(spec) || few {
        Validation::Split("valid".into())
    } else {
        Validation::Fold { fold: 0, folds: FOLDS.min(videos.len()).max(2) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        options: TrainOptions,
    }

    #[test]
    fn channel_dimensions_have_two_names() {
        let reals = |words: &[&str]| Cli::try_parse_from([&["train"], words].concat()).unwrap().options.reals;
        assert_eq!(reals(&[]), 50);
        assert_eq!((reals(&["--reals", "16"]), reals(&["--channel-dims", "16"])), (16, 16));
    }
}
