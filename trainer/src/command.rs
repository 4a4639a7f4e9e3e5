//! Runs `trainer train`.

mod fields;
mod options;

use crate::checkpoint;
use crate::interrupt::{self, Advice};
use crate::material::Material;
use crate::runs::{self, Begin};
use crate::threads::Threads;
use crate::train::Progress;
use anyhow::{Result, ensure};
use clap::Args;
use corpus::CorpusSpec;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;

pub use fields::overridden;
pub use options::{HeadName, TextMode, TrainOptions};

/// Train a network and write its two halves.
#[derive(Args, Clone, Debug)]
pub struct TrainArgs {
    /// Corpus: `builtin`, `builtin:redundancy=0.5,seed=0`, or a folder
    #[arg(long, value_name = "CORPUS")]
    pub corpus: CorpusSpec,
    /// How the network is trained.
    #[command(flatten)]
    pub options: TrainOptions,
    /// Seed of all randomness in training
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Run folder for configuration, metrics, checkpoint and the two halves, `transmitter/` and `receiver/`
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Resume the run in the folder
    #[arg(long)]
    pub resume: bool,
    /// Do nothing if the folder holds both halves of a run with these settings, resume a run that was cut short, else
    /// train
    #[arg(long, conflicts_with = "resume")]
    pub if_missing: bool,
}

/// Trains a network and writes the run folder; prints a line for each epoch where there is no terminal. Returns the
/// model id.
///
/// # Errors
/// If corpus, text encoder or folder cannot be used, the folder holds a run with other settings, a loss is not finite,
/// or a file cannot be written.
pub fn run(args: &TrainArgs) -> Result<String> {
    nn::single_threaded();
    let interrupted = args.out.join(checkpoint::FILE).exists();
    if args.if_missing
        && let Some(id) = runs::trained_already(&args.out)?
    {
        let there = runs::settings(&args.out)?;
        runs::same(&args.out, &args.options.differences(&there, &args.corpus, args.seed)?)?;
        console::note(format_args!("{}: holds weights already", args.out.display()));
        return Ok(id);
    }
    let resume = args.resume || (args.if_missing && interrupted);
    ensure!(resume || !interrupted, "{}: holds a run already; give --resume or another --out", args.out.display());
    let mut material = Material::load(&args.corpus, args.options.text_encoder.as_deref())?;
    let config = material.settled(args.options.resolved(&args.corpus, material.corpus(), args.seed)?);
    read(&mut material, &config.validation)?;
    let bar = bar(config.schedule.epochs as u64, "training", "epochs")?;
    let (out, arguments) = (args.out.clone(), interrupt::arguments());
    let _advice = Advice::new(move || interrupt::of_run(&out, &arguments))?;
    let begin = if resume { Begin::Resumed } else { Begin::Fresh };
    let id = runs::train(&material, &config, &args.out, begin, Threads::OneAPart, &mut |progress: Progress| {
        let line = line(&progress);
        bar.set_position(progress.epoch as u64);
        bar.set_message(format!("training: {line}"));
        if bar.is_hidden() {
            console::note(format_args!("epoch {}/{}: {line}", progress.epoch, progress.epochs));
        }
    });
    bar.finish_and_clear();
    id
}

/// Prints what clips lack, then encodes the transcripts that runs stopped on `validation` need, with a progress bar.
///
/// # Errors
/// If a split is missing or a transcript cannot be encoded.
pub(crate) fn read(material: &mut Material, validation: &crate::config::Validation) -> Result<()> {
    for line in material.lacking() {
        console::note(line);
    }
    let bar = bar(0, "reading transcripts", "clips")?;
    material.read(validation, &|done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    Ok(())
}

/// The state of a run after an epoch, as a line of text.
pub(crate) fn line(progress: &Progress) -> String {
    let Progress { sums, scores, best, .. } = progress;
    format!(
        "loss {:.3}, held out {:.3}, Acc-2 {:.3} over channels, {:.3} noiseless, best epoch {}",
        sums.task / sums.clips.max(1.0),
        scores.loss,
        scores.acc2,
        scores.noiseless.acc2,
        best.map_or("-".into(), |b| b.to_string())
    )
}

pub(crate) fn bar(length: u64, message: &'static str, unit: &str) -> Result<ProgressBar> {
    let template = format!("{{msg}} {{wide_bar}} {{human_pos}}/{{human_len}} {unit}, {{eta}} left");
    Ok(ProgressBar::new(length).with_style(ProgressStyle::with_template(&template)?).with_message(message))
}
