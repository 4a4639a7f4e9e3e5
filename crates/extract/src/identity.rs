//! Which network and which convention made a modality's features.

use serde::{Deserialize, Serialize};

/// The origin of a modality's features. Features of different origins must not meet in one model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The kind of network, such as `whisper`.
    pub network: String,
    /// SHA-256 of its configuration and tensors.
    pub sha256: String,
    /// Windows and pooling, in words; another convention has other words.
    pub convention: String,
    /// Values a row.
    pub width: usize,
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Identity { network, sha256, convention, width } = self;
        write!(f, "{network} {} ({convention}; {width} wide)", &sha256[..sha256.len().min(12)])
    }
}
