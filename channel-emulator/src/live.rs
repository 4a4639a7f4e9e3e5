//! The live conditions: what bursts meet that pin none of their own.

use phy::{ChannelKind, Conditions, ConditionsError, SnrDb};
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

/// `current` with what is given put in its place. An SNR or K factor is carried over where the new kind has one.
///
/// # Errors
/// If the new kind needs a value that neither is given nor was in force, or has none and one is given.
pub fn change(
    current: &Conditions,
    kind: Option<ChannelKind>,
    snr_db: Option<SnrDb>,
    k_factor: Option<f64>,
) -> Result<Conditions, ConditionsError> {
    let kind = kind.unwrap_or(current.kind());
    let snr_db = snr_db.or(current.snr_db().filter(|_| kind != ChannelKind::None));
    let k_factor = k_factor.or(current.k_factor().filter(|_| kind == ChannelKind::Rician));
    Conditions::new(kind, snr_db, k_factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_given_changes() {
        let snr = |db: f64| SnrDb::try_from(db).unwrap();
        let rician = Conditions::new(ChannelKind::Rician, Some(snr(3.0)), Some(4.0)).unwrap();
        let awgn = Conditions::Awgn(snr(3.0));
        assert_eq!(change(&rician, Some(ChannelKind::Awgn), None, None), Ok(awgn));
        assert_eq!(change(&awgn, None, Some(snr(-6.0)), None), Ok(Conditions::Awgn(snr(-6.0))));
        assert_eq!(change(&rician, None, None, Some(1.0)).unwrap().k_factor(), Some(1.0));
        assert_eq!(change(&awgn, Some(ChannelKind::None), None, None), Ok(Conditions::None));

        let needs_snr = Err(ConditionsError::MissingSnr(ChannelKind::Rayleigh));
        assert_eq!(change(&Conditions::None, Some(ChannelKind::Rayleigh), None, None), needs_snr);
        assert_eq!(change(&awgn, Some(ChannelKind::Rician), None, None), Err(ConditionsError::MissingKFactor));
        let no_snr = Err(ConditionsError::UnexpectedSnr(snr(1.0)));
        assert_eq!(change(&awgn, Some(ChannelKind::None), Some(snr(1.0)), None), no_snr);
    }
}
