//! The grammar of a channel on command lines and in files: `none`, `awgn`, `rayleigh`, `rician`, `rician:K`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, de};

use crate::{ChannelKind, Conditions, ConditionsError, KFactor, SnrDb, SweepError};

/// The name of a channel, without its SNR: a kind, followed for Rician by `:K` with the linear K factor.
///
/// Every channel given as text is parsed by this type. `rician` without K parses, because commands that change a
/// running channel take K from a separate option or keep the current one; [`ChannelSpec`](crate::ChannelSpec) rejects
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelName {
    kind: ChannelKind,
    k_factor: Option<KFactor>,
}

impl ChannelName {
    /// The kind of channel.
    pub fn kind(self) -> ChannelKind {
        self.kind
    }

    /// The linear K factor in the name; `None` if the name has none.
    pub fn k_factor(self) -> Option<f64> {
        self.k_factor.map(KFactor::linear)
    }

    /// The linear K factor from the name, or else the value `beside` given in a separate option; `None` if there is
    /// neither.
    ///
    /// # Errors
    /// [`SweepError::KFactorTwice`] if there are both.
    pub fn or_k_factor(self, beside: Option<f64>) -> Result<Option<f64>, SweepError> {
        match (self.k_factor(), beside) {
            (Some(_), Some(beside)) => Err(SweepError::KFactorTwice { name: self.to_string(), beside }),
            (named, beside) => Ok(named.or(beside)),
        }
    }

    /// The conditions `current` with their channel replaced by this one, and with the SNR and the linear K factor that
    /// are given. An SNR or K factor that is not given is taken from `current` where the new kind has one.
    ///
    /// # Errors
    /// If the K factor is given twice, the new kind needs a value that is neither given nor in `current`, or it has no
    /// such value and one is given.
    pub fn change(
        self,
        current: &Conditions,
        snr_db: Option<SnrDb>,
        k_factor: Option<f64>,
    ) -> Result<Conditions, SweepError> {
        Ok(current.changed(Some(self.kind), snr_db, self.or_k_factor(k_factor)?)?)
    }

    /// The conditions of this channel at an SNR, with the linear K factor from the name or from `k_factor`.
    ///
    /// # Errors
    /// If the K factor is given twice, the kind needs a value that is missing, or it has no such value and one is
    /// given.
    pub fn conditions(self, snr_db: Option<SnrDb>, k_factor: Option<f64>) -> Result<Conditions, SweepError> {
        Ok(Conditions::new(self.kind, snr_db, self.or_k_factor(k_factor)?)?)
    }
}

impl From<ChannelKind> for ChannelName {
    fn from(kind: ChannelKind) -> ChannelName {
        ChannelName { kind, k_factor: None }
    }
}

impl FromStr for ChannelName {
    type Err = SweepError;

    fn from_str(text: &str) -> Result<ChannelName, SweepError> {
        let (kind, k_factor) = match text.split_once(':') {
            Some((kind, k)) => {
                let k: f64 = k.trim().parse().map_err(|_| SweepError::KFactor(text.to_owned()))?;
                (kind, Some(k))
            }
            None => (text, None),
        };
        let kind: ChannelKind = kind.trim().parse()?;
        match k_factor {
            Some(k_factor) if kind != ChannelKind::Rician => {
                Err(ConditionsError::UnexpectedKFactor { kind, k_factor }.into())
            }
            k_factor => Ok(ChannelName { kind, k_factor: k_factor.map(KFactor::try_from).transpose()? }),
        }
    }
}

/// Reads a string in the grammar of command lines, such as `rician:4`.
impl<'de> Deserialize<'de> for ChannelName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ChannelName, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error| match error {
            SweepError::Channel(ConditionsError::UnknownKind(_)) => {
                de::Error::unknown_variant(&text, &["none", "awgn", "rayleigh", "rician", "rician:K"])
            }
            error => de::Error::custom(error),
        })
    }
}

/// Writes the name, such as `awgn` or `rician:4`, in the form that parsing accepts.
impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.k_factor() {
            Some(k) => f.pad(&format!("{}:{k}", self.kind)),
            None => f.pad(self.kind.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ChannelSpec;

    fn name(text: &str) -> Result<ChannelName, SweepError> {
        text.parse()
    }

    #[test]
    fn a_name_is_a_kind_with_a_k_factor_behind_rician_alone() {
        for text in ["none", "awgn", "rayleigh", "rician", "rician:4", "rician:0", "rician:0.5"] {
            assert_eq!(name(text).unwrap().to_string(), text);
        }
        assert_eq!(serde_json::from_str::<ChannelName>(r#""rician:4""#).unwrap(), name("rician:4").unwrap());
        assert!(serde_json::from_str::<ChannelName>("\"awgn:4\"").unwrap_err().to_string().contains("no K factor"));
        assert_eq!(name(" rician : 4 ").unwrap().k_factor(), Some(4.0));
        for (text, expected) in [
            ("", "unknown channel ``"),
            ("Awgn", "unknown channel `Awgn`"),
            ("awgn:4", "channel awgn has no K factor, got 4"),
            ("rician:", "expected a K factor such as rician:4, got `rician:`"),
            ("rician:x", "expected a K factor such as rician:4, got `rician:x`"),
            ("rician:4:2", "expected a K factor"),
            ("rician:-1", "at least 0, got -1"),
            ("rician:nan", "finite"),
            ("rician:inf", "finite"),
        ] {
            let error = name(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_complete_channel_has_the_same_grammar_but_needs_its_k_factor() {
        for text in ["none", "awgn", "rayleigh", "rician:4", "awgn:4", "rician:x", "rician:-1", "foggy"] {
            let (name, spec) = (name(text), text.parse::<ChannelSpec>());
            assert_eq!(name.map(|name| name.to_string()), spec.map(|spec| spec.to_string()), "{text}");
        }
        assert_eq!("rician".parse::<ChannelSpec>(), Err(ConditionsError::MissingKFactor.into()));
    }

    #[test]
    fn a_k_factor_comes_from_the_name_or_beside_it_and_not_from_both() {
        let decibels = SnrDb::try_from(3.0).unwrap();
        let snr = Some(decibels);
        let text = |conditions: Result<Conditions, SweepError>| conditions.map(|conditions| conditions.to_string());
        let (bare, named) = (name("rician").unwrap(), name("rician:4").unwrap());
        assert_eq!(text(bare.conditions(snr, Some(2.0))), Ok("rician:2 3 dB".into()));
        assert_eq!(text(named.conditions(snr, None)), Ok("rician:4 3 dB".into()));
        let twice = SweepError::KFactorTwice { name: "rician:4".into(), beside: 4.0 };
        assert_eq!(named.conditions(snr, Some(4.0)), Err(twice.clone()));
        assert_eq!(twice.to_string(), "rician:4 names a K factor, and 4 is given beside it");

        let awgn = Conditions::Awgn(decibels);
        let rician = named.change(&awgn, None, None).unwrap();
        assert_eq!(rician.to_string(), "rician:4 3 dB");
        assert_eq!(bare.change(&rician, None, None), Ok(rician), "the K factor is carried over");
        assert_eq!(text(name("rician:0").unwrap().change(&rician, None, None)), Ok("rician:0 3 dB".into()));
        assert_eq!(bare.change(&awgn, None, None), Err(ConditionsError::MissingKFactor.into()));
    }
}
