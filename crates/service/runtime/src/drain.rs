//! The orderly end of a process: no new work, finish what is in flight, leave.

use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How long a drain may take before what is still in flight is cut off; its owner sends it again.
const DEADLINE: Duration = Duration::from_secs(5);

/// A cheaply cloned handle that tells every part of a process when to drain.
///
/// A stream handler that sees the drain stops reading, answers what it has already taken, and ends its stream with
/// [`Drain::status`]; the peer keeps what was not acknowledged and sends it again later.
#[derive(Clone, Debug)]
pub struct Drain {
    started: Arc<watch::Sender<bool>>,
    deadline: Duration,
}

impl Default for Drain {
    /// A drain that may take five seconds.
    fn default() -> Self {
        Drain::within(DEADLINE)
    }
}

impl Drain {
    /// A drain that may take so long.
    pub fn within(deadline: Duration) -> Drain {
        Drain { started: Arc::new(watch::Sender::new(false)), deadline }
    }

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
        self.started.send_replace(true);
    }

    /// Whether the drain has started.
    pub fn has_started(&self) -> bool {
        *self.started.borrow()
    }

    /// Returns once the drain has started. Safe to cancel.
    pub async fn started(&self) {
        // `self` holds the sender, so the channel cannot close first.
        let _ = self.started.subscribe().wait_for(|&started| started).await;
    }

    /// How long the drain may take.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// What a drained stream ends with; a [`crate::Hop`] answers it with a reconnect.
    pub fn status() -> tonic::Status {
        tonic::Status::unavailable("the process is shutting down")
    }
}
