//! The trainer: training by Algorithm 1, from a corpus to the weights of both halves, evaluation in one process, and
//! the corpus commands.
//!
//! In a run, [`material`] loads the corpus and encodes transcripts, [`data`] splits the corpus, and [`train`] runs the
//! epochs. [`objective`] computes the loss of each micro-batch over channels drawn from [`law`], [`adamw`] makes the
//! steps, [`schedule`] sets the learning rate and gradient reversal, [`validation`] scores the held-out clips, and
//! [`checkpoint`] saves the state. [`runs`] keeps a run in its folder, and [`command`] has the options of the command
//! line.

#![forbid(unsafe_code)]

pub mod ablate;
pub mod adamw;
pub mod audit;
pub mod calibration;
pub mod chain;
pub mod checkpoint;
pub mod codebook;
pub mod command;
pub mod compare;
pub mod config;
pub mod conventional;
pub mod corpus_cmd;
pub mod data;
pub mod evaluate;
pub mod interrupt;
pub mod law;
mod log;
pub mod material;
pub mod metric;
pub mod objective;
mod parallel;
pub mod reading;
pub mod reproduce;
pub mod runs;
pub mod schedule;
pub mod scheme_name;
pub mod sharpening;
mod side_by_side;
pub mod text;
pub mod threads;
pub mod train;
pub mod validation;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Train, evaluate, and handle corpora.
#[derive(Parser, Debug)]
#[command(name = "trainer", version)]
pub struct Args {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// Commands of the trainer.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Train a network and write its two halves.
    Train(command::TrainArgs),
    /// Score trained weights on a corpus, over simulated channels, in this process.
    Evaluate(evaluate::EvaluateArgs),
    /// Train and score a grid of variations, and print the effect of each part of the method.
    Ablate(ablate::AblateArgs),
    /// Reproduce the paper's evaluation: train, score and draw every scheme, beside baselines and references.
    Reproduce(reproduce::ReproduceArgs),
    /// Draw and tabulate results against each other: files of `--json`, or folders of `demo` and `reproduce`.
    Compare(compare::CompareArgs),
    /// Measure the dependence that is left between the modalities' latents of trained weights.
    Audit(audit::AuditArgs),
    /// Import a corpus, extract one from media files, or inspect one.
    Corpus(corpus_cmd::CorpusArgs),
}

/// Runs a command of the trainer.
///
/// # Errors
/// Those of the command.
pub fn run(args: Args) -> Result<()> {
    if let Some(fields) = asked_for_fields(&args.command)? {
        return Ok(console::print(fields)?);
    }
    let _advice = advice(&args.command)?;
    match args.command {
        Command::Train(args) => {
            let id = command::run(&args)?;
            Ok(console::print(format!("model {id}\nweights in {}\n", args.out.display()))?)
        }
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Ablate(args) => ablate::run(&args),
        Command::Reproduce(args) => reproduce::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Corpus(args) => corpus_cmd::run(args),
    }
}

/// The table of fields, if the command has the option `--set help`; else `None`.
fn asked_for_fields(command: &Command) -> Result<Option<String>> {
    let (options, corpus, seed) = match command {
        Command::Train(args) => (&args.options, &args.corpus, args.seed),
        Command::Evaluate(args) => (&args.training, &args.corpus, 0),
        Command::Ablate(args) => (&args.training, &args.corpus, 0),
        _ => return Ok(None),
    };
    if options.ask_for_fields() { options.fields(corpus, seed).map(Some) } else { Ok(None) }
}

/// Installs the message for an interrupted command that trains many runs; `None` for other commands. `trainer train`
/// installs its own.
fn advice(command: &Command) -> Result<Option<interrupt::Advice>> {
    let folder = match command {
        Command::Evaluate(args) if args.seeds.is_some() => &args.weights,
        Command::Ablate(args) => &args.out,
        Command::Reproduce(reproduce::ReproduceArgs { merge: None, out: Some(out), .. }) => out,
        _ => return Ok(None),
    };
    let (folder, arguments) = (folder.clone(), interrupt::arguments());
    interrupt::Advice::new(move || interrupt::of_runs(&folder, &arguments)).map(Some)
}
