//! The weights of a demo: those given, those of an earlier run on the same corpus, or new ones.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;
use corpus::Corpus;
use model::weights::{receiver_manifest, transmitter_manifest};

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
    let options = training_options(args);
    let text = |option: &OsString| option.to_string_lossy().into_owned();
    let key = key::name(corpus, args.text_encoder.as_deref(), &options.iter().map(text).collect::<Vec<_>>())?;
    let run = args.out.join("training").join(key);
    if check(&run).is_ok() {
        console::note(format_args!("weights of an earlier run: {}", run.display()));
        return Ok(run);
    }
    train(args, &options, &run)?;
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

/// What was asked of training beside corpus and text encoder.
fn training_options(args: &Args) -> Vec<OsString> {
    let mut options: Vec<OsString> = Vec::new();
    if let Some(preset) = &args.preset {
        options.extend(["--preset".into(), preset.to_string().into()]);
    }
    if let Some(epochs) = args.epochs {
        options.extend(["--epochs".into(), epochs.to_string().into()]);
    }
    options
}

/// `trainer train`, in this process, with its own defaults for all that was not asked for.
fn train(args: &Args, options: &[OsString], run: &Path) -> Result<()> {
    let mut line: Vec<OsString> = vec!["trainer".into(), "train".into()];
    line.extend(["--corpus".into(), args.corpus.to_string().into()]);
    line.extend(["--out".into(), run.into()]);
    if let Some(encoder) = &args.text_encoder {
        line.extend(["--text-encoder".into(), encoder.into()]);
    }
    if run.join(trainer::checkpoint::FILE).exists() {
        // Training was cut short: it goes on where it was.
        line.push("--resume".into());
    }
    line.extend_from_slice(options);
    let parsed = trainer::Args::try_parse_from(line)?;
    trainer::run(parsed)
}
