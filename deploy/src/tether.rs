//! Ties a child to the launcher that started it: when the launcher is gone, however it went, the child ends.
//!
//! The launcher holds the other end of the child's standard input and never writes to it. The system closes it with the
//! launcher, SIGKILL included, and the child sees the end of its input. That needs no platform's own death signal.

use std::io::Read;
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Signal, getpid, kill_process};

/// The hidden option with which the launcher starts its children.
pub const OPTION: &str = "--tethered";

/// A child that has not drained by then ends at once.
const GRACE: Duration = Duration::from_secs(10);

/// Ends this process once its standard input closes: with a SIGTERM to itself, so that it drains.
///
/// # Errors
/// If no thread can be started.
pub fn hold() -> anyhow::Result<()> {
    let wait = || {
        let mut ignored = [0; 64];
        // An error is an end as well; only bytes, which nobody sends, mean that the launcher lives.
        while std::io::stdin().read(&mut ignored).is_ok_and(|read| read > 0) {}
        tracing::info!("the launcher is gone");
        let asked = kill_process(getpid(), Signal::TERM);
        if asked.is_ok() {
            std::thread::sleep(GRACE);
        }
        std::process::exit(1);
    };
    std::thread::Builder::new().name("tether".into()).spawn(wait).context("starting the tether")?;
    Ok(())
}
