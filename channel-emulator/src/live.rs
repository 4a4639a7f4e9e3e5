//! The live conditions: what bursts meet that pin none of their own.

use phy::Conditions;
use std::sync::Arc;
use tokio::sync::watch;

/// A cheaply cloned handle to the conditions in force.
#[derive(Clone, Debug)]
pub struct Live(Arc<watch::Sender<Conditions>>);

impl Live {
    /// Starts with `conditions` in force.
    pub fn new(conditions: Conditions) -> Self {
        Live(Arc::new(watch::Sender::new(conditions)))
    }

    /// The conditions in force.
    pub fn get(&self) -> Conditions {
        *self.0.borrow()
    }

    /// Puts `conditions` in force for every burst from now on.
    pub fn set(&self, conditions: Conditions) {
        self.0.send_replace(conditions);
    }

    /// Sees every change from now on, or the newest of several.
    pub fn watch(&self) -> watch::Receiver<Conditions> {
        self.0.subscribe()
    }
}
