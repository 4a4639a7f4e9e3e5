//! The binary `receiver`: parses the arguments and runs the library of the same name.

use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match receiver::run(receiver::Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => console::fail(error),
    }
}
