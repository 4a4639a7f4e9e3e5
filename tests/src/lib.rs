//! The support library of the tests of the whole system: real processes of the `latentlink` binary, real sockets, a
//! small corpus, and weights that are trained once.
//!
//! The tests themselves are in `tests/system/`. They are compiled as a test of the `latentlink` package, because only
//! for that package does cargo build the binary first and pass its path.

#![forbid(unsafe_code)]

mod browser;
mod client;
mod http;
mod journal;
mod ports;
mod process;
mod prometheus;
mod site;
mod stack;
mod stored;
mod terminal;

pub use browser::{Browser, found};
pub use client::{Client, request};
pub use http::http_get;
pub use journal::{Journal, JournalRow};
pub use ports::free_port;
pub use process::{Finished, Job, MARK, Process, command_line, kill_9, running};
pub use prometheus::{Prometheus, check_metrics};
pub use rustix::process::Signal;
pub use site::{Site, shared, skipped};
pub use stack::{Role, Stack};
pub use stored::{corpus_of, rows_of, write_corpus, write_spoken_corpus};
pub use terminal::Terminal;

use std::time::{Duration, Instant};

/// Calls `ready` repeatedly until it returns a value, and returns that.
///
/// # Panics
/// Panics with `what` if that takes longer than `limit`.
pub fn eventually<T>(what: &str, limit: Duration, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(start.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
