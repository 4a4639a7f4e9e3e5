//! `trainer corpus`: imports a corpus, extracts one from media files, or inspects one before training.

mod extract;
mod import;
mod inspect;
mod inspection;
mod render;

use clap::{Args, Subcommand};

pub use extract::ExtractArgs;
pub use import::{CsdArgs, CsvArgs, ImportArgs, ImportFrom};
pub use inspect::{InspectArgs, inspect};
pub use inspection::{BaselineRow, Inspection, ModalityRow, SplitRow, TruthRow};

/// Import a corpus, extract one from media files, or inspect one.
#[derive(Args, Clone, Debug)]
pub struct CorpusArgs {
    /// The subcommand of `trainer corpus`.
    #[command(subcommand)]
    pub command: CorpusCommand,
}

/// Subcommands of `trainer corpus`.
#[derive(Subcommand, Clone, Debug)]
pub enum CorpusCommand {
    /// Write a corpus folder from data in other formats
    Import(Box<ImportArgs>),
    /// Write a corpus folder from media files, with features computed by pretrained extractors
    Extract(Box<ExtractArgs>),
    /// Print widths, lengths, splits, labels, replaced values, and linear baselines for each modality
    Inspect(InspectArgs),
}

/// Runs a subcommand of `trainer corpus`; tables and JSON go to standard output.
///
/// # Errors
/// If the data cannot be read or a corpus cannot be written, in one line that names file and row or field.
pub fn run(args: CorpusArgs) -> anyhow::Result<()> {
    match args.command {
        CorpusCommand::Import(args) => import::run(*args),
        CorpusCommand::Extract(args) => extract::run(&args),
        CorpusCommand::Inspect(args) => inspect::run(&args),
    }
}
