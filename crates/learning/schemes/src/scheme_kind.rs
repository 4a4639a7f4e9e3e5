//! The schemes by name.

use crate::codebook::Decides;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A scheme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SchemeKind {
    /// The paper's.
    #[default]
    Proposed,
    /// The baseline of Zhang et al.
    TDeepSc,
    /// One bit, repeated.
    SignRepetition,
    /// Three bits in a biorthogonal code, repeated.
    ClassRepetition,
    /// Six bits in a biorthogonal code, repeated.
    QuantisedLatent,
    /// Source and channel coded each on its own: H.264, LDPC, QAM.
    Conventional,
}

/// A name that is no scheme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {names}, got {0}", names = names().join(", "))]
pub struct UnknownScheme(String);

fn names() -> Vec<&'static str> {
    SchemeKind::ALL.map(SchemeKind::name).to_vec()
}

impl SchemeKind {
    /// All of them.
    pub const ALL: [SchemeKind; 6] = [
        SchemeKind::Proposed,
        SchemeKind::TDeepSc,
        SchemeKind::SignRepetition,
        SchemeKind::ClassRepetition,
        SchemeKind::QuantisedLatent,
        SchemeKind::Conventional,
    ];

    /// Its name in options, manifests and records.
    pub fn name(self) -> &'static str {
        match self {
            SchemeKind::Proposed => "proposed",
            SchemeKind::TDeepSc => "t-deepsc",
            SchemeKind::SignRepetition => "sign-repetition",
            SchemeKind::ClassRepetition => "class-repetition",
            SchemeKind::QuantisedLatent => "quantised-latent",
            SchemeKind::Conventional => "conventional",
        }
    }

    /// What is decided in the transmitter, for a scheme whose decision crosses as a word.
    pub fn decides(self) -> Option<Decides> {
        match self {
            SchemeKind::Proposed | SchemeKind::TDeepSc | SchemeKind::Conventional => None,
            SchemeKind::SignRepetition => Some(Decides::Sign),
            SchemeKind::ClassRepetition => Some(Decides::Class),
            SchemeKind::QuantisedLatent => Some(Decides::Nearest),
        }
    }

    /// Whether the text encoder, and with it what is needed to read features, is in the receiver.
    pub fn reads_in_receiver(self) -> bool {
        self == SchemeKind::Conventional
    }

    /// First path components of the parameters in its transmitter and in its receiver.
    pub fn prefixes(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            SchemeKind::Proposed => (&network::proposed::TRANSMITTER, &network::proposed::RECEIVER),
            SchemeKind::TDeepSc => (&["extractor.", "encoder."], &["decoder.", "head."]),
            SchemeKind::SignRepetition | SchemeKind::ClassRepetition | SchemeKind::QuantisedLatent => {
                (&["extractor.", "uvib.", "encoder.", "mvib.", "head.", "codebook."], &["codebook."])
            }
            SchemeKind::Conventional => {
                (&["conventional."], &["extractor.", "uvib.", "encoder.", "mvib.", "head.", "conventional."])
            }
        }
    }
}

impl fmt::Display for SchemeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for SchemeKind {
    type Err = UnknownScheme;

    fn from_str(text: &str) -> Result<Self, UnknownScheme> {
        SchemeKind::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| UnknownScheme(text.into()))
    }
}

impl TryFrom<String> for SchemeKind {
    type Error = UnknownScheme;

    fn try_from(text: String) -> Result<Self, UnknownScheme> {
        text.parse()
    }
}

impl From<SchemeKind> for String {
    fn from(kind: SchemeKind) -> String {
        kind.name().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for kind in SchemeKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        let message = "expected proposed, t-deepsc, sign-repetition, class-repetition, quantised-latent, \
                       conventional, got smoke";
        assert_eq!("smoke".parse::<SchemeKind>().unwrap_err().to_string(), message);
    }
}
