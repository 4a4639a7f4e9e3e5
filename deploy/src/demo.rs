//! `latentlink demo`: from nothing to accuracy against SNR, over three real processes.
//!
//! ```text
//! weights (found or trained) ─▶ stack of three processes ─▶ sweep streamed ─▶ stack stopped
//!                          └──▶ the same sweep in this process ─▶ equal? ─▶ table, files, figure
//! ```

mod figure;

mod key;
mod labels;
mod live;
mod ports;
mod progress;
mod report;
mod sweep;
mod weights;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use corpus::{Corpus, CorpusSpec};
use network::config::Preset;
use phy::{ChannelList, SnrList};

use crate::runtime;
use crate::signals::interrupted;

/// Options of `latentlink demo`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// `builtin`, `builtin:redundancy=R,seed=N`, or a corpus folder.
    #[arg(long, value_name = "C", default_value = "builtin")]
    pub corpus: CorpusSpec,
    /// The split to stream.
    #[arg(long, default_value = "test")]
    pub split: String,
    /// A BERT checkpoint folder that reads the transcripts, for training; without it, text counts if it has features.
    #[arg(long, value_name = "DIR")]
    pub text_encoder: Option<PathBuf>,
    /// Weights to use instead of training.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["preset", "epochs"])]
    pub weights: Option<PathBuf>,
    /// Sizes of the network to train, `paper` or `small`; `small` for `builtin`, `paper` else.
    #[arg(long)]
    pub preset: Option<Preset>,
    /// Most epochs to train.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,
    /// Where results, weights and logs go.
    #[arg(long, value_name = "DIR", default_value = "runs/demo")]
    pub out: PathBuf,
    /// SNRs in dB: one, a list `-12,-6,0`, or `start:stop:step`.
    #[arg(long, value_name = "DB", default_value = "-12:21:3", allow_hyphen_values = true)]
    pub snr: SnrList,
    /// Channels to cross, besides the noiseless one.
    #[arg(long, value_name = "KINDS", default_value = "awgn,rayleigh")]
    pub channel: ChannelList,
    /// Go on until Ctrl-C, with a dashboard: one client streams the split under the live conditions, another over the
    /// SNRs and channels asked for. Nothing is compared.
    #[arg(long)]
    pub live: bool,
    /// Where the dashboard is served.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", requires = "live")]
    pub http: String,
    /// Port of the transmitter on 127.0.0.1; emulator and receiver take the two after it.
    #[arg(long, value_name = "PORT", default_value_t = 50051, requires = "live", value_parser = clap::value_parser!(u16).range(1..=65533))]
    pub port: u16,
    /// Clips a second of each client.
    #[arg(long, value_name = "N", default_value_t = 100, requires = "live")]
    pub rate: u32,
}

/// Runs the demo. Gives the exit code: 0, or 128 and the number of the signal that cut it short.
///
/// # Errors
/// If a step fails, or what was streamed differs from what this process computes itself. No child is left behind.
pub fn run(args: &Args) -> Result<ExitCode> {
    // Found out before training, not after.
    ports::check(args)?;
    let corpus = Corpus::load(&args.corpus)?;
    corpus.split(&args.split)?;
    std::fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string())?;
    let weights = weights::find_or_train(args, &corpus)?;

    // Signals are taken over only here: while training there is nothing to clean up.
    let runtime = runtime()?;
    if args.live {
        runtime.block_on(live::stream_for_ever(args, &weights))?;
        return Ok(ExitCode::SUCCESS);
    }
    let outcome = runtime.block_on(async {
        tokio::select! {
            finished = sweep::stream_and_compare(args, corpus, &weights) => finished.map(Outcome::Finished),
            number = interrupted() => number.map(Outcome::Interrupted),
        }
    });
    // An evaluation that was cut short is not waited for.
    runtime.shutdown_background();
    match outcome? {
        Outcome::Finished(swept) => {
            report::report(args, &swept)?;
            Ok(ExitCode::SUCCESS)
        }
        Outcome::Interrupted(number) => {
            console::note("interrupted; all processes are stopped, nothing was written");
            Ok(ExitCode::from(128 + number))
        }
    }
}

enum Outcome {
    Finished(sweep::Swept),
    Interrupted(u8),
}
