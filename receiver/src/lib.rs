//! The receiver: takes bursts from the channel, equalises and decodes them, and keeps the journal.
//!
//! ```text
//! stream ─▶ burst (checked) ─▶ decoder (journal first, micro-batches) ─▶ journal (one commit a batch) ─▶ receipt
//!                                          │                   └─▶ accuracy ─▶ Watch, dashboard
//!                                          └─▶ tap ──────────────────────────────────┘
//! ```
//!
//! * [`service`]: the streams. Reads no further than its window, so a peer that takes no receipts stalls alone.
//! * [`burst`]: what is checked of a burst before anything is done with it.
//! * [`decoder`]: equaliser and M-VIB on threads of their own, those of videos apart. A key in work, or in the journal, is not
//!   decoded again.
//! * [`journal`]: SQLite on a thread of its own. A receipt leaves when its row is committed; a key counts once.
//! * [`accuracy`]: the counts that watchers see. [`tap`]: symbols that they see.
//! * [`http`]: the dashboard, where `--http` asks for one.
//! * [`meter`]: the counts that Prometheus sees.
//!
//! Every queue between them is bounded and makes its senders wait. At SIGTERM the streams stop reading, what was read is
//! answered, the queues run empty and the process ends with 0.

#![forbid(unsafe_code)]

pub mod accuracy;
mod app;
pub mod burst;
mod caught;
pub mod decoder;
mod films;
pub mod http;
pub mod journal;
pub mod meter;
pub mod refusal;
pub mod service;
mod shown;
pub mod tap;

pub use app::App;

use std::path::PathBuf;

/// The receiver of Latentlink: turns bursts into predictions and keeps the journal.
#[derive(Clone, Debug, clap::Parser)]
#[command(version)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the receiver can do.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Receives bursts until SIGTERM or Ctrl-C.
    Serve(ServeArgs),
}

/// Options of `receiver serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArgs {
    /// Folder of the weights, or of their receiver half.
    #[arg(long, value_name = "DIR")]
    pub weights: PathBuf,
    /// Address to serve on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50053")]
    pub listen: String,
    /// SQLite file that holds a row for every clip received; made if there is none. Survives the death of the process,
    /// not the loss of power.
    #[arg(long, value_name = "FILE", default_value = "latentlink-journal.sqlite")]
    pub journal: PathBuf,
    /// Folder of the pretrained extractors that the weights were trained with, for a scheme that sends films whole.
    #[arg(long, value_name = "DIR", env = "LATENTLINK_EXTRACTORS")]
    pub extractors: Option<PathBuf>,
    /// The dashboard.
    #[command(flatten)]
    pub dashboard: http::Args,
}

/// Plays the receiver's role; logs to stderr.
///
/// # Errors
/// Whatever keeps it from starting or breaks it, in one line.
pub async fn run(args: Args) -> anyhow::Result<()> {
    runtime::telemetry::init("receiver");
    match args.command {
        Command::Serve(args) => App::new(&args).await?.run().await,
    }
}
