//! What a burst meets: the kind of channel, its SNR, its K factor.

use std::{fmt, hash::Hash, ops::Range, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::SnrDb;

/// The kind of channel. Fading kinds have one coefficient a burst (block fading) of mean power 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// The identity, bit for bit. Has no SNR.
    None,
    /// y = x + n.
    Awgn,
    /// y = h·x + n with h ~ CN(0, 1).
    Rayleigh,
    /// y = h·x + n, h with a line of sight K times as strong as its scattered part.
    Rician,
}

/// Values that do not make conditions.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConditionsError {
    /// A name that is no kind.
    #[error("unknown channel `{0}`, expected none, awgn, rayleigh or rician")]
    UnknownKind(String),
    /// A kind that needs an SNR came without.
    #[error("channel {0} needs an SNR")]
    MissingSnr(ChannelKind),
    /// An SNR for a channel without noise.
    #[error("channel none has no SNR, got {0} dB")]
    UnexpectedSnr(SnrDb),
    /// Rician without its K factor.
    #[error("channel rician needs a K factor")]
    MissingKFactor,
    /// A K factor for another kind.
    #[error("channel {kind} has no K factor, got {k_factor}")]
    UnexpectedKFactor {
        /// The kind asked for.
        kind: ChannelKind,
        /// What came.
        k_factor: f64,
    },
    /// A K factor that is negative, NaN or infinite.
    #[error("a K factor must be a finite linear ratio of at least 0, got {0}")]
    BadKFactor(f64),
}

impl ChannelKind {
    /// The name used in files, options and messages.
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

/// Line-of-sight power over scattered power, linear: finite and at least 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KFactor(f64);

impl KFactor {
    /// The linear ratio.
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

/// The conditions of one burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub enum Conditions {
    /// [`ChannelKind::None`].
    None,
    /// [`ChannelKind::Awgn`].
    Awgn(SnrDb),
    /// [`ChannelKind::Rayleigh`].
    Rayleigh(SnrDb),
    /// [`ChannelKind::Rician`].
    Rician(SnrDb, KFactor),
}

impl Conditions {
    /// From loose values, as options and messages hold them. `k_factor` is linear.
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

    /// Es/N0 per complex symbol; `None` for the noiseless channel.
    pub fn snr_db(&self) -> Option<SnrDb> {
        match self {
            Conditions::None => None,
            Conditions::Awgn(snr) | Conditions::Rayleigh(snr) | Conditions::Rician(snr, _) => Some(*snr),
        }
    }

    /// The draws worth making of those asked for: all, but of the noiseless channel, which has no randomness, the first.
    pub fn draws(&self, wanted: Range<u32>) -> Range<u32> {
        match self {
            Conditions::None => wanted.start..wanted.end.min(wanted.start.saturating_add(1)),
            _ => wanted,
        }
    }

    /// These with what is given put in its place. An SNR or K factor is carried over where the new kind has one.
    ///
    /// # Errors
    /// If the new kind needs a value that neither is given nor was in force, or has none and one is given.
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

    /// The linear K factor of a Rician channel.
    pub fn k_factor(&self) -> Option<f64> {
        match self {
            Conditions::Rician(_, k) => Some(k.linear()),
            _ => None,
        }
    }
}

/// Such as `none`, `awgn -12 dB`, `rician:4 3 dB`.
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

/// How conditions are written to files.
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
