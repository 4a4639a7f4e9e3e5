//! The transmitter: takes clips, encodes them to bursts of complex symbols, and answers each with what the receiver made
//! of it. Also the client that sends a corpus or a clip of one's own.
//!
//! ```text
//!                   ┌─▶ extraction ─┐ features of media files
//! client ─ Clip ─▶ session ──▶ encoder (one thread, batches) ─▶ session ─ hop ─ Burst ─▶ channel emulator
//!    ◀─ Outcome ── session ◀──────────────────────────────────────────── hop ◀─ Receipt ──┘
//! ```
//!
//! Every client stream is a [`session`] of its own with a hop of its own to the emulator. A client that goes away takes
//! all that is pending for it along; one that comes back with the same clips has them sent again, and the receiver
//! answers what it knows from its journal.

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
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What a transmitter process does.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Take clips from clients and send them through the channel emulator to the receiver.
    Serve(ServeArgs),
    /// Send clips to a transmitter and report what arrived.
    Send(Box<send::Args>),
}

/// Plays the role that `args` ask for, to its end.
///
/// # Errors
/// In one line, what was expected and what came.
pub async fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Serve(args) => App::new(&args).await?.run().await,
        Command::Send(args) => send::run(*args).await,
    }
}
