//! The signal-to-noise ratio, Es/N0 per complex symbol.

use std::{cmp::Ordering, fmt, hash::Hash, str::FromStr};

use serde::{Deserialize, Serialize};

/// A signal-to-noise ratio: Es/N0 per complex symbol in dB, finite and within ±[`SnrDb::LIMIT`], so that the noise
/// variance neither overflows nor underflows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct SnrDb(f64);

/// Why a number or a text is not an [`SnrDb`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SnrError {
    /// The number is NaN or infinite.
    #[error("an SNR must be finite, got {0}")]
    NotFinite(f64),
    /// The number, in dB, is outside ±[`SnrDb::LIMIT`].
    #[error("an SNR must lie within ±200 dB, got {0}")]
    OutOfRange(f64),
    /// The text, given here, is not a number.
    #[error("expected an SNR in dB such as -12 or 7.5, got `{0}`")]
    NotANumber(String),
}

impl SnrDb {
    /// The largest magnitude of an SNR, in dB.
    pub const LIMIT: f64 = 200.0;

    /// The SNR in dB.
    pub fn db(self) -> f64 {
        self.0
    }

    /// The noise variance per complex symbol at unit symbol power, N0 = 10^(−SNR/10) with the SNR in dB.
    pub fn n0(self) -> f64 {
        10f64.powf(-self.0 / 10.0)
    }

    /// The SNR as a linear ratio, γ = Es/N0 = 10^(SNR/10) with the SNR in dB.
    pub fn linear(self) -> f64 {
        10f64.powf(self.0 / 10.0)
    }
}

impl TryFrom<f64> for SnrDb {
    type Error = SnrError;

    fn try_from(db: f64) -> Result<Self, SnrError> {
        if !db.is_finite() {
            Err(SnrError::NotFinite(db))
        } else if db.abs() > SnrDb::LIMIT {
            Err(SnrError::OutOfRange(db))
        } else {
            // −0 becomes 0, so that equal values have equal bits.
            Ok(SnrDb(db + 0.0))
        }
    }
}

impl From<SnrDb> for f64 {
    fn from(snr: SnrDb) -> f64 {
        snr.0
    }
}

impl FromStr for SnrDb {
    type Err = SnrError;

    fn from_str(text: &str) -> Result<Self, SnrError> {
        let db: f64 = text.trim().parse().map_err(|_| SnrError::NotANumber(text.to_owned()))?;
        SnrDb::try_from(db)
    }
}

/// Writes the number of dB without its unit.
impl fmt::Display for SnrDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Eq for SnrDb {}

impl PartialOrd for SnrDb {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SnrDb {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Hash for SnrDb {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n0_is_the_inverse_linear_ratio() {
        let snr: SnrDb = "-12".parse().unwrap();
        assert_eq!(snr.db(), -12.0);
        assert!((snr.n0() - 15.848931924611133).abs() < 1e-12);
        assert!((snr.n0() * snr.linear() - 1.0).abs() < 1e-15);
        assert_eq!(SnrDb::try_from(-0.0).unwrap().db().to_bits(), 0f64.to_bits());
    }

    #[test]
    fn what_is_no_snr_is_refused() {
        assert!(matches!(SnrDb::try_from(f64::NAN), Err(SnrError::NotFinite(_))));
        assert!(matches!("inf".parse::<SnrDb>(), Err(SnrError::NotFinite(_))));
        assert_eq!(SnrDb::try_from(1e6), Err(SnrError::OutOfRange(1e6)));
        assert_eq!("loud".parse::<SnrDb>(), Err(SnrError::NotANumber("loud".into())));
        assert!(serde_json::from_str::<SnrDb>("1e9").is_err());
    }
}
