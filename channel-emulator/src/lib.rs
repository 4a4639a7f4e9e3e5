//! The channel emulator: relays bursts from transmitter to receiver through a simulated radio channel.
//!
//! ```text
//! transmitter ─ Burst ─▶ check ─▶ channel ─▶ ─ Burst ─▶ receiver
//!      ◀──────── Receipt ───────────────────── Receipt ──┘
//! ```
//!
//! It holds nothing that must survive it. Every incoming stream has one outgoing stream, opened with the forwarded
//! opening; when the outgoing one is lost, the incoming one is ended with UNAVAILABLE, and the transmitter, which keeps
//! every burst until its receipt, sends again what was not acknowledged. So no burst is lost with this process, none is
//! acknowledged by it, and there is one place that resends rather than two. The noise of a burst follows from its key
//! alone, so a burst that is sent again meets the same channel.
//!
//! It knows nothing of models: any number of symbols passes.

#![forbid(unsafe_code)]

mod app;
mod channel;
mod control;
mod live;
mod meter;
mod onward;
mod record;
mod relay;
mod replay;
mod service;
mod trace;

pub use app::{App, ServeArgs, TraceArgs};
pub use control::{GetArgs, SetArgs};
pub use replay::ReplayArgs;
pub use trace::TraceStart;

/// The emulator of the radio channel between transmitter and receiver.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "channel-emulator", version)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What a channel-emulator process does.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Relay bursts to a receiver.
    Serve(ServeArgs),
    /// Change the live conditions of a running emulator; only what is given changes.
    Set(SetArgs),
    /// Show the live conditions of a running emulator.
    Get(GetArgs),
    /// Send a recording again, to a receiver or through an emulator.
    Replay(ReplayArgs),
}

/// Plays the role that `args` ask for, to its end.
///
/// # Errors
/// In one line, what was expected and what came.
pub async fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Serve(args) => App::new(&args).await?.run().await,
        Command::Set(args) => control::set(&args).await,
        Command::Get(args) => control::get(&args).await,
        Command::Replay(args) => replay::replay(&args).await,
    }
}
