//! `trainer train`.

use crate::checkpoint;
use crate::config::RunConfig;
use crate::data::{Data, Validation};
use crate::law::{ChannelLaw, TrainChannel};
use crate::objective::Weights;
use crate::schedule::Schedule;
use crate::text::Tuning;
use crate::train::{Progress, Trainer};
use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use corpus::{Corpus, CorpusSpec};
use files::PendingFile;
use indicatif::{ProgressBar, ProgressStyle};
use model::bert::{Bert, Checkpoint};
use model::config::{Config, HeadKind, Preset};
use phy::Equaliser;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The decision heads by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum HeadName {
    /// A distribution over the score
    Distribution,
    /// The paper's regressor
    L1,
}

/// How the text encoder is used.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TextMode {
    /// As it is
    Frozen,
    /// Trained along with the network
    FineTune,
}

/// How a text encoder is tuned unless `--set` says otherwise.
const TUNING: Tuning = Tuning { begin: 8, rate: 2e-4, layer_decay: 0.9, frozen_layers: 0, weight_decay: 0.01 };

/// Train a network and write its two halves.
#[derive(Args, Clone, Debug)]
pub struct TrainArgs {
    /// Corpus: `builtin`, `builtin:redundancy=0.5,seed=0`, or a folder
    #[arg(long, value_name = "CORPUS")]
    pub corpus: CorpusSpec,
    /// Folder of a BERT-family checkpoint that reads the transcripts
    #[arg(long, value_name = "DIR")]
    pub text_encoder: Option<PathBuf>,
    /// How the text encoder is used
    #[arg(long, value_enum, default_value = "frozen")]
    pub text: TextMode,
    /// The scheme
    #[arg(long, default_value = model::weights::PROPOSED, value_parser = [model::weights::PROPOSED])]
    pub scheme: String,
    /// Sizes: paper or small; small for `builtin`, paper else
    #[arg(long)]
    pub preset: Option<Preset>,
    /// Epochs at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,
    /// Seed of all randomness
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Run folder: config, metrics, checkpoint and the halves `transmitter/` and `receiver/`
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Go on with the run in the folder
    #[arg(long)]
    pub resume: bool,
    /// Do nothing if the folder holds both halves already, go on with a run in it that was cut short, else train
    #[arg(long, conflicts_with = "resume")]
    pub if_missing: bool,
    /// Channels trained for
    #[arg(long, value_enum, default_value = "mix")]
    pub train_channel: TrainChannel,
    /// Least and largest SNR trained for, dB
    #[arg(long, value_name = "LOW:HIGH", default_value = "-15:21", allow_hyphen_values = true, value_parser = snr_range)]
    pub train_snr: (f64, f64),
    /// What training is stopped on: a split, or fold:I/N cut by video from the training split
    #[arg(long, value_name = "SPLIT")]
    pub validation: Option<Validation>,
    /// Transmitted reals, two a complex symbol
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub reals: usize,
    /// Decision head
    #[arg(long, value_enum, default_value = "distribution")]
    pub head: HeadName,
    /// Equaliser: mmse or zf
    #[arg(long, default_value = "mmse")]
    pub equaliser: Equaliser,
    /// Weight of redundancy reduction; 0 leaves the discriminators watching
    #[arg(long, value_name = "X", default_value_t = 0.4)]
    pub lambda_red: f32,
    /// Set a field of the run's config.json, such as schedule.learning_rate=5e-4; may be repeated
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

impl TrainArgs {
    fn is_builtin(&self) -> bool {
        self.corpus.to_string().starts_with("builtin")
    }

    /// The settings of the run that these arguments ask for, every default filled in. The widths of the network's input are
    /// still open: they follow from the corpus and the text encoder.
    ///
    /// # Errors
    /// If a field that is to be set is not there or cannot take the value.
    pub fn resolved(&self, corpus: &Corpus) -> Result<RunConfig> {
        overridden(self.settings(corpus), &self.set)
    }

    /// The run's settings before single fields are set.
    fn settings(&self, corpus: &Corpus) -> RunConfig {
        let small = if self.is_builtin() { Preset::Small } else { Preset::Paper };
        let preset = self.preset.unwrap_or(small);
        let name = |path: &PathBuf| path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let mut network = Config::preset(preset, Default::default());
        network.reals = self.reals;
        network.equaliser = self.equaliser;
        network.head = match self.head {
            HeadName::Distribution => HeadKind::Distribution,
            HeadName::L1 => HeadKind::L1,
        };
        let (epochs, learning_rate) = match preset {
            Preset::Small => (20, 2e-3),
            // The tuned encoder overfits sooner.
            Preset::Paper if matches!(self.text, TextMode::FineTune) => (22, 3e-4),
            Preset::Paper => (40, 3e-4),
        };
        RunConfig {
            corpus: self.corpus.to_string(),
            text_encoder: self.text_encoder.as_ref().map(name),
            tuning: matches!(self.text, TextMode::FineTune).then_some(TUNING),
            preset,
            seed: self.seed,
            network,
            schedule: Schedule {
                epochs: self.epochs.map_or(epochs, |n| n as usize),
                lambda_red: self.lambda_red,
                warm_up: 3,
                ramp_end: 6,
                learning_rate,
            },
            objective: Weights {
                beta: 0.3,
                gamma: 1e-3,
                auxiliary: 0.1,
                sign: 1.0,
                antipodal: 6.0,
                negatives: 2,
                realisations: 6,
            },
            law: ChannelLaw { channel: self.train_channel, snr_db: self.train_snr, skew: 2.0 },
            batch: 32,
            parts: 2,
            modality_dropout: 0.0,
            // Decoupled, times the learning rate: few clips and wide features overfit without it.
            weight_decay: 5.0,
            averaging: 0.995,
            patience: 12,
            validation: self.validation.clone().unwrap_or_else(|| self.default_validation(corpus)),
        }
    }

    /// The generated corpus has a validation split to spare; that of a real one is for the report, unless there are too
    /// few videos to cut folds by.
    fn default_validation(&self, corpus: &Corpus) -> Validation {
        const FOLDS: usize = 8;
        let train = corpus.clips.iter().filter(|clip| clip.split == "train");
        let videos: BTreeSet<&str> = train.map(|clip| clip.video_id.as_str()).collect();
        let few = videos.len() < FOLDS && corpus.clips.iter().any(|clip| clip.split == "valid");
        if self.is_builtin() || few {
            Validation::Split("valid".into())
        } else {
            Validation::Fold { fold: 0, folds: FOLDS.min(videos.len()).max(2) }
        }
    }
}

/// The settings with some fields replaced by name.
fn overridden(config: RunConfig, fields: &[String]) -> Result<RunConfig> {
    let mut value = serde_json::to_value(&config)?;
    for field in fields {
        let (path, text) = field.split_once('=').with_context(|| format!("--set {field}: expected FIELD=VALUE"))?;
        let pointer = format!("/{}", path.replace('.', "/"));
        let slot = value.pointer_mut(&pointer).with_context(|| format!("--set {field}: no such field"))?;
        *slot = serde_json::from_str(text).unwrap_or_else(|_| text.into());
    }
    serde_json::from_value(value).with_context(|| format!("--set {}", fields.join(" --set ")))
}

/// Trains, printing a line an epoch where there is no terminal, and writes the run folder.
///
/// # Errors
/// If corpus, text encoder or folder cannot be used, a loss is not finite or a file cannot be written.
pub fn run(args: &TrainArgs) -> Result<String> {
    model::single_threaded();
    let interrupted = args.out.join(checkpoint::FILE).exists();
    if args.if_missing
        && let Some(id) = trained_already(&args.out, interrupted)?
    {
        console::note(format_args!("{}: holds weights already", args.out.display()));
        return Ok(id);
    }
    let resume = args.resume || (args.if_missing && interrupted);
    ensure!(resume || !interrupted, "{}: holds a run already; give --resume or another --out", args.out.display());
    let corpus = Corpus::load(&args.corpus)?;
    let mut config = args.resolved(&corpus)?;
    let checkpoint = args.text_encoder.as_deref().map(Checkpoint::read).transpose()?;
    let encoder_params = checkpoint.as_ref().map(|c| c.params(false));
    let encoder = match (&checkpoint, &encoder_params) {
        (Some(checkpoint), Some(params)) => {
            Some(Bert::new(&params.root(), checkpoint.config(), checkpoint.tokenizer()?)?)
        }
        _ => None,
    };
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    let bar = bar(0, "reading transcripts", "clips")?;
    let data = Data::prepare(&corpus, &config.validation, config.seed, encoder.as_ref(), &|done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    config.network.widths = data.widths;
    let mut trainer = Trainer::new(&config, &data)?;
    if let Some(checkpoint) = &checkpoint {
        trainer = trainer.with_text_encoder(checkpoint)?;
    }
    if resume {
        trainer.resume(&args.out)?;
    }
    let json = serde_json::to_vec_pretty(&config)?;
    PendingFile::create(&args.out.join("config.json"))?.commit(|out| out.write_all(&json))?;
    report(&mut trainer, args, config.schedule.epochs)?;
    let text_encoder = checkpoint.as_ref().zip(encoder_params.as_ref());
    trainer.deploy(&args.out, text_encoder)
}

/// The model id of the weights in `folder`; `None` if training has yet to make them.
///
/// # Errors
/// If a half is there that cannot be used and no run that would make it anew: what somebody put there is not replaced.
fn trained_already(folder: &Path, interrupted: bool) -> Result<Option<String>> {
    match model::weights::load(folder) {
        Ok((transmitter, _)) => Ok(Some(transmitter.model_id().to_owned())),
        Err(_) if interrupted => Ok(None),
        Err(error) => {
            let foreign = ["transmitter", "receiver", "manifest.json"].iter().any(|name| folder.join(name).exists());
            ensure!(!foreign, "{error}; no run to go on with, so what is there stays as it is");
            Ok(None)
        }
    }
}

fn report(trainer: &mut Trainer, args: &TrainArgs, epochs: usize) -> Result<()> {
    let bar = bar(epochs as u64, "training", "epochs")?;
    trainer.run(Some(&args.out), &mut |progress: Progress| {
        let Progress { epoch, scores, best, .. } = progress;
        let task = progress.sums.task / progress.sums.clips.max(1.0);
        let line = format!(
            "loss {task:.3}, held out {:.3}, Acc-2 {:.3} over channels, {:.3} noiseless, best epoch {}",
            scores.loss,
            scores.acc2,
            scores.noiseless.acc2,
            best.map_or("-".into(), |b| b.to_string())
        );
        bar.set_position(epoch as u64);
        bar.set_message(format!("training: {line}"));
        if bar.is_hidden() {
            console::note(format_args!("epoch {epoch}/{epochs}: {line}"));
        }
    })?;
    bar.finish_and_clear();
    Ok(())
}

fn bar(length: u64, message: &'static str, unit: &str) -> Result<ProgressBar> {
    let template = format!("{{msg}} {{wide_bar}} {{human_pos}}/{{human_len}} {unit}, {{eta}} left");
    Ok(ProgressBar::new(length).with_style(ProgressStyle::with_template(&template)?).with_message(message))
}
