//! The transmitter: takes clips, encodes them to bursts of complex symbols, and answers each with the receiver's
//! prediction. Also the client that sends a corpus or clips of the user's own ([`send`]).
//!
//! ```text
//!                   ┌─▶ extraction ─┐ features of media files
//! client ─ Clip ─▶ session ──▶ encoder (one thread, batches) ─▶ session ─ hop ─ Burst ─▶ channel emulator
//!    ◀─ Outcome ── session ◀──────────────────────────────────────────── hop ◀─── Ack ────┘
//! ```
//!
//! Every client stream is a session of its own (module `session`) with its own hop to the channel emulator. When a
//! client disconnects, its pending clips are dropped. When it comes back with the same clips they are sent again, and
//! the receiver answers the known ones from its journal.

#![forbid(unsafe_code)]

mod app;
mod clip;
mod encoder;
mod extraction;
mod feedback;
mod inspection;
mod meter;
mod reader;
mod relay;
pub mod send;
mod service;
mod session;

pub use app::{App, ServeArgs};

/// The transmitter of a semantic communication link.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "transmitter", version)]
pub struct Args {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands of the transmitter.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Take clips from clients and send them through the channel emulator to the receiver.
    Serve(ServeArgs),
    /// Send clips to a transmitter and report what arrived.
    Send(Box<send::Args>),
}

/// Runs the command of `args` to its end.
///
/// # Errors
/// Fails with one line that names what was expected and what was found.
pub async fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Serve(args) => App::new(&args).await?.run().await,
        Command::Send(args) => send::run(*args).await,
    }
}
