//! Arguments of `trainer evaluate`.

use std::path::PathBuf;

use clap::Args;
use corpus::{CorpusSpec, Modality};

use super::SweepOptions;
use crate::command::TrainOptions;

/// Score trained weights on a corpus, over simulated channels, in this process.
#[derive(Args, Clone, Debug)]
pub struct EvaluateArgs {
    /// Weights folder with both halves; with --seeds, the folder of the runs seed-0, seed-1 and so on
    #[arg(long, value_name = "DIR")]
    pub weights: PathBuf,
    /// Corpus: `builtin`, `builtin:redundancy=0.5,seed=0`, or a folder
    #[arg(long, value_name = "CORPUS")]
    pub corpus: CorpusSpec,
    /// The clips and the channels that the weights are scored on.
    #[command(flatten)]
    pub over: SweepOptions,
    /// Also send every clip without these modalities (text, audio, visual, separated by commas), and print the
    /// difference in scores
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub drop: Vec<Modality>,
    /// Seed of the channel
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Write the records to this file as a JSON array
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write every prediction to this file as CSV
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,
    /// Score one run for each of N seeds, train those that are missing, and print mean and standard deviation
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub seeds: Option<u32>,
    /// Training options of the runs that are missing.
    #[command(flatten, next_help_heading = "Training, with --seeds")]
    pub training: TrainOptions,
}
