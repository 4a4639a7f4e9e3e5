//! The orderly end of a process: no new work, finish what is in flight, leave.

use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// A cheaply cloned handle that tells every part of a process when to drain.
///
/// A stream handler that sees the drain stops reading, answers what it has already taken, and ends its stream with
/// [`Drain::status`]; the peer keeps what was not acknowledged and sends it again later.
#[derive(Clone, Debug)]
pub struct Drain(Arc<watch::Sender<bool>>);

impl Default for Drain {
    fn default() -> Self {
        Drain(Arc::new(watch::Sender::new(false)))
    }
}

impl Drain {
    /// A drain that starts at SIGTERM or SIGINT; a second signal ends the process at once.
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
        self.0.send_replace(true);
    }

    /// Whether the drain has started.
    pub fn has_started(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once the drain has started. Safe to cancel.
    pub async fn started(&self) {
        // `self` holds the sender, so the channel cannot close first.
        let _ = self.0.subscribe().wait_for(|&started| started).await;
    }

    /// What a drained stream ends with; a [`crate::Hop`] answers it with a reconnect.
    pub fn status() -> tonic::Status {
        tonic::Status::unavailable("the process is shutting down")
    }
}
