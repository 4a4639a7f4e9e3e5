//! The orderly end of a process, its drain: it accepts no new work, finishes the work in progress, and ends.

use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The default time limit of a drain, after which unfinished work is cut off; its sender sends it again.
const DEADLINE: Duration = Duration::from_secs(5);

/// A handle that notifies every part of a process when to drain; cheap to clone.
///
/// When the drain starts, a stream handler stops reading, answers the items that it has, and ends its stream with
/// [`Drain::status`]. The peer keeps unacknowledged items and sends them again later.
#[derive(Clone, Debug)]
pub struct Drain {
    started: Arc<watch::Sender<bool>>,
    deadline: Duration,
}

impl Default for Drain {
    /// A drain with a time limit of five seconds.
    fn default() -> Self {
        Drain::within(DEADLINE)
    }
}

impl Drain {
    /// A drain with the time limit `deadline`.
    pub fn within(deadline: Duration) -> Drain {
        Drain { started: Arc::new(watch::Sender::new(false)), deadline }
    }

    /// A drain that starts at SIGTERM or SIGINT, with a time limit of five seconds; a second signal ends the process at
    /// once.
    ///
    /// # Errors
    /// If the signal handlers cannot be installed.
    pub fn on_signals() -> std::io::Result<Drain> {
        let drain = Drain::default();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let started = drain.clone();
        tokio::spawn(async move {
            loop {
                let number = tokio::select! {
                    _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
                    _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
                };
                if started.has_started() {
                    std::process::exit(128 + number);
                }
                tracing::info!("draining; a second signal ends the process at once");
                started.start();
            }
        });
        Ok(drain)
    }

    /// Starts the drain.
    pub fn start(&self) {
        self.started.send_replace(true);
    }

    /// Whether the drain has started.
    pub fn has_started(&self) -> bool {
        *self.started.borrow()
    }

    /// Waits until the drain has started. Safe to cancel.
    pub async fn started(&self) {
        // `self` holds the sender, so the channel cannot close first.
        let _ = self.started.subscribe().wait_for(|&started| started).await;
    }

    /// The time limit of the drain, from its start.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The status with which streams end when the process drains: UNAVAILABLE, after which a [`crate::Hop`] reconnects.
    pub fn status() -> tonic::Status {
        tonic::Status::unavailable("the process is shutting down")
    }
}
