//! `trainer corpus`: bring data in, and look at it before training on it.

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

/// Bring a corpus in, or look at one.
#[derive(Args, Clone, Debug)]
pub struct CorpusArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: CorpusCommand,
}

/// What can be done with corpora.
#[derive(Subcommand, Clone, Debug)]
pub enum CorpusCommand {
    /// Write a corpus folder from data in other formats
    Import(Box<ImportArgs>),
    /// Write a corpus folder from media files: pretrained extractors make features of what is heard and seen
    Extract(Box<ExtractArgs>),
    /// Print widths, lengths, splits, labels, what was replaced, and what a line can tell from each modality
    Inspect(InspectArgs),
}

/// Runs the command; tables and JSON go to standard output.
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
