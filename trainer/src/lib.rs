//! The trainer: Algorithm 1 from a corpus to split weights, evaluation in process, and the corpus commands.
//!
//! A run: [`data`] cuts the corpus, [`train`] runs the epochs: [`objective`] gives the gradients of each part of a batch
//! over channels drawn from [`law`], [`adamw`] takes the step, [`schedule`] says what changes over time, [`validation`]
//! scores the held-out clips, [`checkpoint`] keeps the state. [`command`] is what the user says.

#![forbid(unsafe_code)]

pub mod adamw;
pub mod checkpoint;
pub mod command;
pub mod config;
pub mod corpus_cmd;
pub mod data;
pub mod evaluate;
pub mod law;
mod log;
pub mod objective;
pub mod schedule;
pub mod text;
pub mod train;
pub mod validation;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Train, evaluate, and handle corpora.
#[derive(Parser, Debug)]
#[command(name = "trainer", version)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What a trainer process does.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Train a network and write its two halves.
    Train(command::TrainArgs),
    /// Score trained weights on a corpus, over simulated channels, in this process.
    Evaluate(evaluate::EvaluateArgs),
    /// Import a corpus, or look into one.
    Corpus(corpus_cmd::CorpusArgs),
}

/// Carries out a command.
///
/// # Errors
/// What the command says.
pub fn run(args: Args) -> Result<()> {
    match args.command {
        Command::Train(args) => {
            let id = command::run(&args)?;
            Ok(console::print(format!("model {id}\nweights in {}\n", args.out.display()))?)
        }
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Corpus(args) => corpus_cmd::run(args),
    }
}
