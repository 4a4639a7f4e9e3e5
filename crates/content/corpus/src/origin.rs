//! Where features come from: which extractor and which convention made them. Features of different origins must not meet in
//! one model, however well their widths agree.

use crate::{CorpusError, Modality};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// Name of the file in a corpus folder that says what made its features.
pub const EXTRACTORS_FILE: &str = "extractors.json";

/// The origin of a modality's features.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The kind of network or front end, such as `whisper`.
    pub network: String,
    /// SHA-256 of its configuration and tensors, in hex.
    pub sha256: String,
    /// Windows, rates and pooling, in words; another convention has other words.
    pub convention: String,
    /// Values a row.
    pub width: usize,
}

impl Identity {
    /// SHA-256 over all of it, in hex: what stands for it on the wire.
    pub fn id(&self) -> String {
        let Identity { network, sha256, convention, width } = self;
        let mut hash = Sha256::new();
        for part in [network, sha256, convention] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.update((*width as u64).to_le_bytes());
        digests::hex(hash.finalize())
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Identity { network, sha256, convention, width } = self;
        let short = sha256.get(..12).unwrap_or(sha256);
        write!(f, "{network} {short} ({convention}; {width} wide)")
    }
}

/// The origins of a corpus's or a network's features; a modality is missing where its origin is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Origins(BTreeMap<String, Identity>);

/// Features of one origin for a network that was trained on those of another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{modality}: expected features of {expected}, got features of {found}")]
pub struct OtherOrigin {
    /// The modality's name.
    pub modality: &'static str,
    /// What the network was trained on.
    pub expected: Box<Identity>,
    /// What came.
    pub found: Box<Identity>,
}

/// Such as `audio: …, visual: …`.
impl std::fmt::Display for Origins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named: Vec<String> = self.iter().map(|(modality, identity)| format!("{modality}: {identity}")).collect();
        f.write_str(&named.join(", "))
    }
}

impl Origins {
    /// Of the identities that are known, by [`Modality::index`].
    pub fn new(identities: [Option<Identity>; 3]) -> Origins {
        let named = Modality::ALL.into_iter().zip(identities);
        Origins(named.filter_map(|(modality, identity)| Some((modality.name().to_owned(), identity?))).collect())
    }

    /// Nothing is known.
    pub const fn unknown() -> Origins {
        Origins(BTreeMap::new())
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The origin of a modality, if it is known.
    pub fn get(&self, modality: Modality) -> Option<&Identity> {
        self.0.get(modality.name())
    }

    /// Those that are known, with the modality's name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Identity)> {
        self.0.iter().map(|(name, identity)| (name.as_str(), identity))
    }

    /// Whether features of the origins `found` may go where those of `self` go: no modality is known to be of another.
    ///
    /// # Errors
    /// The first modality that is.
    pub fn check(&self, found: &Origins) -> Result<(), OtherOrigin> {
        for modality in Modality::ALL {
            let (Some(expected), Some(found)) = (self.get(modality), found.get(modality)) else { continue };
            if expected != found {
                let (expected, found) = (Box::new(expected.clone()), Box::new(found.clone()));
                return Err(OtherOrigin { modality: modality.name(), expected, found });
            }
        }
        Ok(())
    }

    /// Reads the file in a corpus folder; nothing is known where there is none.
    ///
    /// # Errors
    /// If it cannot be read, names what is no modality, or has another width than the features.
    pub(crate) fn read(folder: &Path, widths: &[Option<usize>; 3]) -> Result<Origins, CorpusError> {
        let path = folder.join(EXTRACTORS_FILE);
        let wrong = |problem: String| CorpusError::file(&path, problem);
        let json = match std::fs::read(&path) {
            Ok(json) => json,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Origins::default()),
            Err(error) => return Err(CorpusError::io(&path, error)),
        };
        let origins: Origins = serde_json::from_slice(&json).map_err(|error| wrong(error.to_string()))?;
        for (name, identity) in &origins.0 {
            let modality: Modality = name.parse().map_err(wrong)?;
            match widths[modality.index()] {
                Some(width) if width != identity.width => {
                    return Err(wrong(format!("{name}: expected a width of {width}, got {}", identity.width)));
                }
                _ => {}
            }
        }
        Ok(origins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(convention: &str) -> Option<Identity> {
        let (network, sha256) = ("whisper".to_owned(), "0123456789abcdef".to_owned());
        Some(Identity { network, sha256, convention: convention.to_owned(), width: 2 })
    }

    #[test]
    fn only_what_is_known_on_both_sides_can_differ() {
        let ours = Origins::new([None, identity("5 Hz"), None]);
        assert_eq!(ours.check(&Origins::default()), Ok(()));
        assert_eq!(Origins::default().check(&ours), Ok(()));
        assert_eq!(ours.check(&Origins::new([None, identity("5 Hz"), identity("other")])), Ok(()));
        let error = ours.check(&Origins::new([None, identity("10 Hz"), None])).unwrap_err().to_string();
        let expected = "audio: expected features of whisper 0123456789ab (5 Hz; 2 wide), got features of whisper";
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn a_file_that_contradicts_the_features_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let read = |widths| Origins::read(folder.path(), &widths);
        assert!(read([None; 3]).unwrap().is_empty());
        let write = |text: &str| std::fs::write(folder.path().join(EXTRACTORS_FILE), text).unwrap();
        let origins = Origins::new([None, identity("5 Hz"), None]);
        write(&serde_json::to_string(&origins).unwrap());
        assert_eq!(read([None, Some(2), None]).unwrap(), origins);
        let error = read([None, Some(3), None]).unwrap_err().to_string();
        assert!(error.contains("audio: expected a width of 3, got 2"), "{error}");
        write(r#"{"smell": {"network": "n", "sha256": "0", "convention": "c", "width": 1}}"#);
        assert!(read([None; 3]).unwrap_err().to_string().contains("unknown modality `smell`"));
        write("{");
        assert!(read([None; 3]).unwrap_err().to_string().contains(EXTRACTORS_FILE));
    }
}
