//! `latentlink`: one binary that plays every role of the system, and `demo`, which plays them all.
//!
//! * [`demo`]: trains if it must, starts the three processes, streams a split over every channel, reports.
//! * [`health`]: asks a process whether it serves.
//! * [`shell`]: completions and manual pages.
//! * [`watch`]: the live curve in a terminal.
//! * [`stack`], [`service`], [`tether`]: the processes it starts, and how none of them outlives it.

#![forbid(unsafe_code)]

mod demo;
mod health;
mod service;
mod shell;
mod signals;
mod stack;
mod tether;
mod watch;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser, Subcommand};

/// Multi-modal sentiment over a noisy channel, from training to a link of three processes.
#[derive(Parser)]
#[command(name = "latentlink", version)]
struct Cli {
    /// End when standard input closes, which is when the launcher that started this process is gone.
    #[arg(long, hide = true)]
    tethered: bool,
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// The whole system on this machine: train if needed, stream a split over every channel, report.
    Demo(demo::Args),
    /// Train, evaluate, and handle corpora.
    Trainer(trainer::Args),
    /// Serve as the transmitter, or send clips to one.
    Transmitter(transmitter::Args),
    /// Serve as the channel, or get and set its conditions.
    ChannelEmulator(channel_emulator::Args),
    /// Serve as the receiver.
    Receiver(receiver::Args),
    /// Ask a process whether it serves: exit code 0 if it does, else 1.
    Health(health::Args),
    /// Print the script that completes these commands in a shell.
    Completions(shell::CompletionArgs),
    /// Write manual pages.
    Man(shell::ManArgs),
    /// Draw and tabulate results against each other: files of `--json`, or folders of `demo` and `reproduce`.
    Compare(trainer::compare::CompareArgs),
    /// The live curve, table and clips of a running receiver, in this terminal.
    Watch(watch::Args),
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => console::fail(error),
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    if cli.tethered {
        tether::hold()?;
    }
    match cli.role {
        Role::Demo(args) => return demo::run(&args),
        Role::Trainer(args) => trainer::run(args)?,
        Role::Transmitter(args) => {
            runtime::telemetry::init("transmitter");
            runtime()?.block_on(transmitter::run(args))?;
        }
        Role::ChannelEmulator(args) => {
            runtime::telemetry::init("channel-emulator");
            runtime()?.block_on(channel_emulator::run(args))?;
        }
        Role::Receiver(args) => runtime()?.block_on(receiver::run(args))?,
        Role::Compare(args) => trainer::compare::run(&args)?,
        Role::Health(args) => runtime()?.block_on(health::run(&args))?,
        Role::Completions(args) => shell::completions(&args, Cli::command())?,
        Role::Man(args) => shell::man(&args, Cli::command())?,
        Role::Watch(args) => return runtime()?.block_on(watch::run(&args)),
    }
    Ok(ExitCode::SUCCESS)
}

/// What drives sockets and children.
fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command line that takes channels, with a place for one.
    const COMMANDS: [&str; 5] = [
        "demo --channel CHANNEL",
        "trainer evaluate --weights x --corpus builtin --channel CHANNEL",
        "transmitter send --to http://127.0.0.1:1 --corpus builtin --channel CHANNEL",
        "channel-emulator serve --receiver http://127.0.0.1:1 --channel CHANNEL",
        "channel-emulator set --channel CHANNEL",
    ];

    fn parse(command: &str, channel: &str) -> Result<(), String> {
        let words = ["latentlink"].into_iter().chain(command.split(' '));
        let words = words.map(|word| if word == "CHANNEL" { channel } else { word });
        Cli::try_parse_from(words).map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn a_channel_has_one_grammar_on_every_command_line() {
        for command in COMMANDS {
            for channel in ["none", "awgn", "rayleigh", "rician:4", "rician:0.5", "rician:0"] {
                assert_eq!(parse(command, channel), Ok(()), "{command} {channel}");
            }
            for channel in ["foggy", "AWGN", "awgn:4", "none:1", "rician:", "rician:x", "rician:-1", "rician:nan"] {
                let refused = channel.parse::<phy::ChannelName>().unwrap_err().to_string();
                let error = parse(command, channel).expect_err(&format!("{command} {channel}"));
                assert!(error.contains(&refused), "{command} {channel}: no `{refused}` in {error}");
            }
        }
    }
}
