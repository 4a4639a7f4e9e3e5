use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::{Audio, Error, Limits, decode};

/// A media file in memory, no larger than its limits allow.
#[derive(Debug)]
pub struct Media {
    bytes: Vec<u8>,
    limits: Limits,
}

impl Media {
    /// Reads a file, at most one byte past the limit.
    ///
    /// # Errors
    ///
    /// [`Error::Read`], [`Error::Empty`] and [`Error::TooLarge`].
    pub fn open(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, Error> {
        let path = path.as_ref();
        let read = |source| Error::Read { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(read)?;
        file.take(limits.bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(read)?;
        Self::from_bytes(bytes, limits)
    }

    /// Takes a file that is in memory already.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] and [`Error::TooLarge`].
    pub fn from_bytes(bytes: Vec<u8>, limits: &Limits) -> Result<Self, Error> {
        if bytes.is_empty() {
            return Err(Error::Empty);
        }
        if bytes.len() as u64 > limits.bytes {
            return Err(Error::TooLarge { limit: limits.bytes });
        }
        Ok(Self { bytes, limits: limits.clone() })
    }

    /// Decodes the first sound track to mono (the mean of its channels) at the rate it has. The kind is found by content,
    /// never by name: WAV with PCM.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`], [`Error::NoAudio`], [`Error::Truncated`], [`Error::TooLong`], [`Error::Rate`], [`Error::Damaged`].
    pub fn audio(&self) -> Result<Audio, Error> {
        decode::audio(self.bytes.clone(), &self.limits)
    }
}
