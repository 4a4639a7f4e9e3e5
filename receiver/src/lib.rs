//! The receiver: takes bursts from the channel, equalises and decodes them, and keeps the journal.
//!
//! ```text
//! stream ─▶ burst (checked) ─▶ decoder (journal first, micro-batches) ─▶ journal (one commit a batch) ─▶ ack
//!                                          │                   └─▶ accuracy ─▶ Watch, dashboard
//!                                          └─▶ tap ──────────────────────────────────┘
//! ```
//!
//! * [`service`]: the gRPC streams. A stream with a full window is not read any further, so a peer that takes no
//!   acknowledgements stalls only itself.
//! * [`burst`]: checks a burst before anything is done with it.
//! * [`decoder`]: equaliser and M-VIB (υ of equation (2)) on threads of their own; long transport blocks of videos have
//!   separate threads. A delivery key that is being decoded, or that the journal holds, is not decoded again.
//! * [`journal`]: SQLite on a thread of its own. An acknowledgement is sent once its row is committed; a delivery key
//!   counts once.
//! * [`accuracy`]: the counts shown to watchers. [`tap`]: the symbols shown to them.
//! * [`http`]: the dashboard, if `--http` is given.
//! * [`meter`]: the metrics exported to Prometheus.
//!
//! Every queue between these parts is bounded; a full queue makes its senders wait. At SIGTERM the streams stop
//! reading, bursts already read are answered, the queues are emptied and the process exits with status 0.

#![forbid(unsafe_code)]

pub mod accuracy;
mod app;
pub mod burst;
mod caught;
pub mod decoder;
pub mod http;
pub mod journal;
pub mod meter;
pub mod refusal;
pub mod service;
mod shown;
pub mod tap;
mod videos;

pub use app::App;

use std::path::PathBuf;

/// The receiver of Latentlink: turns bursts into predictions and records them in its journal.
#[derive(Clone, Debug, clap::Parser)]
#[command(version)]
pub struct Args {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands of the receiver.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Receives bursts until SIGTERM or Ctrl-C.
    Serve(ServeArgs),
}

/// Options of the command `receiver serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArgs {
    /// Folder of the weights, or of their receiver half.
    #[arg(long, value_name = "DIR")]
    pub weights: PathBuf,
    /// Address to serve on, as HOST:PORT; port 0 takes a free port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50053")]
    pub listen: String,
    /// SQLite file of the journal, with one row for every clip received; created if it does not exist. Its rows survive
    /// the death of the process, but not a loss of power.
    #[arg(long, value_name = "FILE", default_value = "latentlink-journal.sqlite")]
    pub journal: PathBuf,
    /// Folder of the pretrained extractors that the weights were trained with; only needed for a scheme that sends
    /// whole videos.
    #[arg(long, value_name = "DIR", env = "LATENTLINK_EXTRACTORS")]
    pub extractors: Option<PathBuf>,
    /// Options of the dashboard.
    #[command(flatten)]
    pub dashboard: http::Args,
}

/// Runs the receiver with `args` until it ends; logs to stderr.
///
/// # Errors
/// Fails if the receiver cannot start or breaks while it runs; the error is one line.
pub async fn run(args: Args) -> anyhow::Result<()> {
    runtime::telemetry::init("receiver");
    match args.command {
        Command::Serve(args) => App::new(&args).await?.run().await,
    }
}
