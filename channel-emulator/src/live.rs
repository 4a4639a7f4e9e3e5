//! The live conditions: what bursts meet that pin none of their own.

use phy::Conditions;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// A cheaply cloned handle to the conditions in force.
#[derive(Clone, Debug)]
pub struct Live(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    conditions: watch::Sender<Conditions>,
    /// A burst has met them.
    met: watch::Sender<bool>,
    /// A trace changes them.
    driven: AtomicBool,
}

impl Live {
    /// Starts with `conditions` in force.
    pub fn new(conditions: Conditions) -> Self {
        Live(Arc::new(Shared {
            conditions: watch::Sender::new(conditions),
            met: watch::Sender::new(false),
            driven: AtomicBool::new(false),
        }))
    }

    /// The conditions in force.
    pub fn get(&self) -> Conditions {
        *self.0.conditions.borrow()
    }

    /// The conditions that a burst meets.
    pub fn meet(&self) -> Conditions {
        self.0.met.send_if_modified(|met| !std::mem::replace(met, true));
        self.get()
    }

    /// Returns once a burst has met the conditions. Safe to cancel.
    pub async fn first_met(&self) {
        // `self` holds the sender, so the channel cannot close first.
        let _ = self.0.met.subscribe().wait_for(|&met| met).await;
    }

    /// Says whether a trace changes the conditions.
    pub fn set_driven(&self, driven: bool) {
        self.0.driven.store(driven, Ordering::Relaxed);
    }

    /// Whether a trace changes the conditions.
    pub fn is_driven(&self) -> bool {
        self.0.driven.load(Ordering::Relaxed)
    }

    /// Puts `conditions` in force for every burst from now on.
    pub fn set(&self, conditions: Conditions) {
        self.0.conditions.send_replace(conditions);
    }

    /// Sees every change from now on, or the newest of several.
    pub fn watch(&self) -> watch::Receiver<Conditions> {
        self.0.conditions.subscribe()
    }
}
