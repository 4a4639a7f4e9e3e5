//! The live conditions: what bursts meet that pin none of their own.

use phy::Conditions;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// The conditions at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
    /// What bursts meet that pin none of their own.
    pub conditions: Conditions,
    /// Another number after every change and every start of the process.
    pub version: u64,
}

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ChangeError {
    /// It was made up for conditions that are no longer current.
    #[error("the conditions have changed since they were read; they are now {}", .0.conditions)]
    Stale(State),
    /// What is to be changed does not make conditions with what is current.
    #[error("{0}")]
    Invalid(String),
}

/// A cheaply cloned handle to the conditions in force.
#[derive(Clone, Debug)]
pub struct Live(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: watch::Sender<State>,
    /// A burst has met them.
    met: watch::Sender<bool>,
    /// A trace changes them.
    driven: AtomicBool,
}

impl Live {
    /// Starts with `conditions` in force.
    pub fn new(conditions: Conditions) -> Self {
        Live(Arc::new(Shared {
            state: watch::Sender::new(State { conditions, version: first_version() }),
            met: watch::Sender::new(false),
            driven: AtomicBool::new(false),
        }))
    }

    /// The conditions in force.
    pub fn get(&self) -> Conditions {
        self.state().conditions
    }

    /// The conditions in force and their version.
    pub fn state(&self) -> State {
        *self.0.state.borrow()
    }

    /// Changes the conditions to what `change` makes of the current ones, if they are still those of `version`, and
    /// whatever they are if that is `None`. No other change comes between.
    ///
    /// # Errors
    /// If they have another version, or what `change` says.
    pub fn change(
        &self,
        version: Option<u64>,
        change: impl FnOnce(&Conditions) -> Result<Conditions, String>,
    ) -> Result<State, ChangeError> {
        let mut changed = Ok(self.state());
        self.0.state.send_if_modified(|state| {
            changed = match version {
                Some(version) if version != state.version => Err(ChangeError::Stale(*state)),
                _ => change(&state.conditions).map_err(ChangeError::Invalid).map(|conditions| state.next(conditions)),
            };
            match &changed {
                Ok(new) => {
                    *state = *new;
                    true
                }
                Err(_) => false,
            }
        });
        changed
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
        self.0.state.send_modify(|state| *state = state.next(conditions));
    }

    /// Sees every change from now on, or the newest of several.
    pub fn watch(&self) -> watch::Receiver<State> {
        self.0.state.subscribe()
    }
}

impl State {
    fn next(&self, conditions: Conditions) -> State {
        State { conditions, version: self.version.wrapping_add(1) }
    }
}

/// Microseconds since 1970: a version that was read before the process was started anew is none of its own.
fn first_version() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_micros() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_changes_to_what_was_read_one_is_refused() {
        let live = Live::new(Conditions::None);
        let read = live.state();
        let snr = |db: f64| phy::SnrDb::try_from(db).unwrap();
        let first = live.change(Some(read.version), |_| Ok(Conditions::Awgn(snr(3.0)))).unwrap();
        assert_ne!(first.version, read.version);
        let second = live.change(Some(read.version), |_| Ok(Conditions::Awgn(snr(9.0))));
        assert_eq!(second, Err(ChangeError::Stale(first)));
        assert_eq!(live.state(), first, "what is refused changes nothing");
        assert!(live.change(Some(first.version), |_| Err("none".into())).is_err());
        assert_eq!(live.state(), first);
        assert!(live.change(None, |_| Ok(Conditions::None)).is_ok(), "without a version it is made in any case");
    }
}
