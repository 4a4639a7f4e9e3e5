//! The weights of a demo: those given, those of an earlier run on the same corpus, or new ones.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;
use corpus::Corpus;
use schemes::weights::{receiver_manifest, transmitter_manifest};
use trainer::command::TrainArgs;

use super::{Args, key};

/// The folder of weights to use; trains them first if there are none.
///
/// # Errors
/// If weights that were given cannot be read, or training fails.
pub fn find_or_train(args: &Args, corpus: &Corpus) -> Result<PathBuf> {
    if let Some(folder) = &args.weights {
        check(folder)?;
        return Ok(folder.clone());
    }
    let mut training = training(args)?;
    let key = key::name(
        corpus,
        args.text_encoder.as_deref(),
        &training.options.resolved(&training.corpus, corpus, training.seed)?,
    )?;
    let run = args.out.join("training").join(key);
    if check(&run).is_ok() {
        console::note(format_args!("weights of an earlier run: {}", run.display()));
        return Ok(run);
    }
    training.out.clone_from(&run);
    // Training that was cut short goes on where it was.
    training.resume = run.join(trainer::checkpoint::FILE).exists();
    trainer::run(trainer::Args { command: trainer::Command::Train(training) })?;
    check(&run).context("training ended without weights")?;
    Ok(run)
}

/// Both halves can be read and belong together.
fn check(folder: &Path) -> Result<()> {
    let (transmitter, receiver) = (transmitter_manifest(folder)?, receiver_manifest(folder)?);
    if transmitter.model_id != receiver.model_id {
        let (transmitter, receiver) = (transmitter.model_id, receiver.model_id);
        bail!(
            "{}: the halves do not belong together: transmitter {transmitter}, receiver {receiver}",
            folder.display()
        );
    }
    Ok(())
}

/// `trainer train` with what was asked of it, and its own defaults for all else. Its folder follows from that.
fn training(args: &Args) -> Result<TrainArgs> {
    let mut line: Vec<OsString> = vec!["trainer".into(), "train".into()];
    line.extend(["--corpus".into(), args.corpus.to_string().into()]);
    line.extend(["--out".into(), args.out.clone().into()]);
    if let Some(encoder) = &args.text_encoder {
        line.extend(["--text-encoder".into(), encoder.into()]);
    }
    if let Some(preset) = &args.preset {
        line.extend(["--preset".into(), preset.to_string().into()]);
    }
    if let Some(epochs) = args.epochs {
        line.extend(["--epochs".into(), epochs.to_string().into()]);
    }
    match trainer::Args::try_parse_from(line)?.command {
        trainer::Command::Train(training) => Ok(training),
        other => bail!("expected the trainer's `train`, got {other:?}"),
    }
}
