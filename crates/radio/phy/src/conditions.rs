//! Channel conditions: the kind of channel, its SNR and its K factor.

use std::{fmt, hash::Hash, ops::Range, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::SnrDb;

/// The kind of channel. The fading kinds have one coefficient h per burst (block fading), with E|h|² = 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// The noiseless channel: the received symbols equal the sent ones bit for bit. It has no SNR.
    None,
    /// Additive white Gaussian noise: y = x + n.
    Awgn,
    /// Rayleigh block fading: y = h·x + n with h ~ CN(0, 1).
    Rayleigh,
    /// Rician block fading: y = h·x + n, where the line of sight of h has K times the power of its scattered part.
    Rician,
}

/// Why values do not make channel [`Conditions`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConditionsError {
    /// The name, given here, is not that of a [`ChannelKind`].
    #[error("unknown channel `{0}`, expected none, awgn, rayleigh or rician")]
    UnknownKind(String),
    /// The SNR is missing for this kind of channel, which has noise.
    #[error("channel {0} needs an SNR")]
    MissingSnr(ChannelKind),
    /// This SNR is given for the noiseless channel, which has none.
    #[error("channel none has no SNR, got {0} dB")]
    UnexpectedSnr(SnrDb),
    /// The K factor of a Rician channel is missing.
    #[error("channel rician needs a K factor")]
    MissingKFactor,
    /// A K factor is given for a channel that is not Rician.
    #[error("channel {kind} has no K factor, got {k_factor}")]
    UnexpectedKFactor {
        /// The kind of channel requested.
        kind: ChannelKind,
        /// The linear K factor given.
        k_factor: f64,
    },
    /// The linear K factor, given here, is negative, NaN or infinite.
    #[error("a K factor must be a finite linear ratio of at least 0, got {0}")]
    BadKFactor(f64),
}

impl ChannelKind {
    /// The name of the kind in files, options and messages: `none`, `awgn`, `rayleigh` or `rician`.
    pub fn name(self) -> &'static str {
        match self {
            ChannelKind::None => "none",
            ChannelKind::Awgn => "awgn",
            ChannelKind::Rayleigh => "rayleigh",
            ChannelKind::Rician => "rician",
        }
    }
}

impl FromStr for ChannelKind {
    type Err = ConditionsError;

    fn from_str(text: &str) -> Result<Self, ConditionsError> {
        match text {
            "none" => Ok(ChannelKind::None),
            "awgn" => Ok(ChannelKind::Awgn),
            "rayleigh" => Ok(ChannelKind::Rayleigh),
            "rician" => Ok(ChannelKind::Rician),
            _ => Err(ConditionsError::UnknownKind(text.to_owned())),
        }
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The K factor of a Rician channel: line-of-sight power over scattered power as a linear ratio, finite and at least 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KFactor(f64);

impl KFactor {
    /// The K factor as a linear ratio, line-of-sight power over scattered power.
    pub fn linear(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for KFactor {
    type Error = ConditionsError;

    fn try_from(linear: f64) -> Result<Self, ConditionsError> {
        if linear.is_finite() && linear >= 0.0 {
            Ok(KFactor(linear + 0.0))
        } else {
            Err(ConditionsError::BadKFactor(linear))
        }
    }
}

impl Eq for KFactor {}

impl Hash for KFactor {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// The channel conditions of one burst: the kind of channel, and the SNR and K factor that the kind has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub enum Conditions {
    /// The noiseless channel, [`ChannelKind::None`].
    None,
    /// The AWGN channel, [`ChannelKind::Awgn`], at an SNR.
    Awgn(SnrDb),
    /// The Rayleigh fading channel, [`ChannelKind::Rayleigh`], at a mean SNR.
    Rayleigh(SnrDb),
    /// The Rician fading channel, [`ChannelKind::Rician`], at a mean SNR and with a K factor.
    Rician(SnrDb, KFactor),
}

impl Conditions {
    /// Makes conditions from separate values, as options and messages hold them. `k_factor` is linear. `None` stands
    /// for a value that is not given.
    ///
    /// # Errors
    /// If a value that the kind needs is missing, one that it does not have is given, or the K factor is not a finite
    /// ratio of at least 0.
    pub fn new(kind: ChannelKind, snr_db: Option<SnrDb>, k_factor: Option<f64>) -> Result<Self, ConditionsError> {
        if let (ChannelKind::None | ChannelKind::Awgn | ChannelKind::Rayleigh, Some(k_factor)) = (kind, k_factor) {
            return Err(ConditionsError::UnexpectedKFactor { kind, k_factor });
        }
        match (kind, snr_db) {
            (ChannelKind::None, None) => Ok(Conditions::None),
            (ChannelKind::None, Some(snr)) => Err(ConditionsError::UnexpectedSnr(snr)),
            (_, None) => Err(ConditionsError::MissingSnr(kind)),
            (ChannelKind::Awgn, Some(snr)) => Ok(Conditions::Awgn(snr)),
            (ChannelKind::Rayleigh, Some(snr)) => Ok(Conditions::Rayleigh(snr)),
            (ChannelKind::Rician, Some(snr)) => {
                let k = k_factor.ok_or(ConditionsError::MissingKFactor)?;
                Ok(Conditions::Rician(snr, KFactor::try_from(k)?))
            }
        }
    }

    /// The kind of channel.
    pub fn kind(&self) -> ChannelKind {
        match self {
            Conditions::None => ChannelKind::None,
            Conditions::Awgn(_) => ChannelKind::Awgn,
            Conditions::Rayleigh(_) => ChannelKind::Rayleigh,
            Conditions::Rician(..) => ChannelKind::Rician,
        }
    }

    /// The SNR, Es/N0 per complex symbol in dB (the mean over fading); `None` for the noiseless channel.
    pub fn snr_db(&self) -> Option<SnrDb> {
        match self {
            Conditions::None => None,
            Conditions::Awgn(snr) | Conditions::Rayleigh(snr) | Conditions::Rician(snr, _) => Some(*snr),
        }
    }

    /// The channel draws to simulate out of the draws `wanted`: all of them, or the first alone for the noiseless
    /// channel, which has no randomness.
    pub fn draws(&self, wanted: Range<u32>) -> Range<u32> {
        match self {
            Conditions::None => wanted.start..wanted.end.min(wanted.start.saturating_add(1)),
            _ => wanted,
        }
    }

    /// These conditions with the given values in place of the current ones; `k_factor` is linear, and `None` keeps the
    /// current value. A current SNR or K factor is dropped where the new kind has none.
    ///
    /// # Errors
    /// If the new kind needs a value that is neither given nor current, or a value is given that it does not have.
    pub fn changed(
        &self,
        kind: Option<ChannelKind>,
        snr_db: Option<SnrDb>,
        k_factor: Option<f64>,
    ) -> Result<Self, ConditionsError> {
        let kind = kind.unwrap_or(self.kind());
        let snr_db = snr_db.or(self.snr_db().filter(|_| kind != ChannelKind::None));
        let k_factor = k_factor.or(self.k_factor().filter(|_| kind == ChannelKind::Rician));
        Conditions::new(kind, snr_db, k_factor)
    }

    /// The K factor as a linear ratio; `None` for a channel that is not Rician.
    pub fn k_factor(&self) -> Option<f64> {
        match self {
            Conditions::Rician(_, k) => Some(k.linear()),
            _ => None,
        }
    }
}

/// Writes the channel and its SNR, for example `none`, `awgn -12 dB` or `rician:4 3 dB`.
impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind())?;
        if let Some(k) = self.k_factor() {
            write!(f, ":{k}")?;
        }
        match self.snr_db() {
            Some(snr) => write!(f, " {snr} dB"),
            None => Ok(()),
        }
    }
}

/// The fields of [`Conditions`] in JSON files; the SNR in dB and the linear K factor are left out where there is none.
#[derive(Serialize, Deserialize)]
struct Fields {
    kind: ChannelKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    snr_db: Option<SnrDb>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    k_factor: Option<f64>,
}

impl TryFrom<Fields> for Conditions {
    type Error = ConditionsError;

    fn try_from(fields: Fields) -> Result<Self, ConditionsError> {
        Conditions::new(fields.kind, fields.snr_db, fields.k_factor)
    }
}

impl From<Conditions> for Fields {
    fn from(conditions: Conditions) -> Self {
        Fields { kind: conditions.kind(), snr_db: conditions.snr_db(), k_factor: conditions.k_factor() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snr(db: f64) -> SnrDb {
        SnrDb::try_from(db).unwrap()
    }

    #[test]
    fn values_that_do_not_fit_the_kind_are_refused() {
        use ChannelKind::{Awgn, Rayleigh, Rician};
        let at = Some(snr(3.0));
        assert_eq!(Conditions::new(Awgn, None, None), Err(ConditionsError::MissingSnr(Awgn)));
        assert_eq!(Conditions::new(ChannelKind::None, at, None), Err(ConditionsError::UnexpectedSnr(snr(3.0))));
        assert_eq!(Conditions::new(Rician, at, None), Err(ConditionsError::MissingKFactor));
        assert_eq!(Conditions::new(Rician, at, Some(-1.0)), Err(ConditionsError::BadKFactor(-1.0)));
        assert!(matches!(Conditions::new(Rician, at, Some(f64::NAN)), Err(ConditionsError::BadKFactor(_))));
        let unexpected = ConditionsError::UnexpectedKFactor { kind: Rayleigh, k_factor: 1.0 };
        assert_eq!(Conditions::new(Rayleigh, at, Some(1.0)), Err(unexpected));
        assert_eq!("AWGN".parse::<ChannelKind>(), Err(ConditionsError::UnknownKind("AWGN".into())));
    }

    #[test]
    fn only_what_is_given_changes() {
        let rician = Conditions::new(ChannelKind::Rician, Some(snr(3.0)), Some(4.0)).unwrap();
        let awgn = Conditions::Awgn(snr(3.0));
        assert_eq!(rician.changed(Some(ChannelKind::Awgn), None, None), Ok(awgn));
        assert_eq!(awgn.changed(None, Some(snr(-6.0)), None), Ok(Conditions::Awgn(snr(-6.0))));
        assert_eq!(rician.changed(None, None, Some(1.0)).unwrap().k_factor(), Some(1.0));
        assert_eq!(awgn.changed(Some(ChannelKind::None), None, None), Ok(Conditions::None));

        let needs_snr = Err(ConditionsError::MissingSnr(ChannelKind::Rayleigh));
        assert_eq!(Conditions::None.changed(Some(ChannelKind::Rayleigh), None, None), needs_snr);
        assert_eq!(awgn.changed(Some(ChannelKind::Rician), None, None), Err(ConditionsError::MissingKFactor));
        let no_snr = Err(ConditionsError::UnexpectedSnr(snr(1.0)));
        assert_eq!(awgn.changed(Some(ChannelKind::None), Some(snr(1.0)), None), no_snr);
    }

    #[test]
    fn noiseless_is_drawn_once() {
        assert_eq!(Conditions::None.draws(3..7), 3..4);
        assert_eq!(Conditions::None.draws(3..3), 3..3);
        assert_eq!(Conditions::Awgn(snr(0.0)).draws(3..7), 3..7);
    }

    #[test]
    fn json_round_trips_and_is_checked() {
        let all = [
            Conditions::None,
            Conditions::Awgn(snr(-12.0)),
            Conditions::Rayleigh(snr(0.5)),
            Conditions::new(ChannelKind::Rician, Some(snr(3.0)), Some(4.0)).unwrap(),
        ];
        for conditions in all {
            let text = serde_json::to_string(&conditions).unwrap();
            assert_eq!(serde_json::from_str::<Conditions>(&text).unwrap(), conditions, "{text}");
        }
        assert_eq!(serde_json::to_string(&all[1]).unwrap(), r#"{"kind":"awgn","snr_db":-12.0}"#);
        assert!(serde_json::from_str::<Conditions>(r#"{"kind":"awgn"}"#).is_err());
        assert_eq!(all[3].to_string(), "rician:4 3 dB");
    }
}
