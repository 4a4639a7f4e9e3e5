//! The `channel-emulator` binary.

use clap::Parser;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = channel_emulator::Args::parse();
    runtime::telemetry::init("channel-emulator");
    match channel_emulator::run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => console::fail(error),
    }
}
