//! The program `trainer`: trains, evaluates, and handles corpora.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match trainer::run(trainer::Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => console::fail(error),
    }
}
