//! The `transmitter` binary.

use clap::Parser;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = transmitter::Args::parse();
    runtime::telemetry::init("transmitter");
    match transmitter::run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => console::fail(error),
    }
}
