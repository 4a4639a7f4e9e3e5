use crate::{Error, Limits, Media};

/// A media file that arrives in pieces; it never holds more than [`Limits::bytes`] of it.
#[derive(Debug)]
pub struct Incoming {
    bytes: Vec<u8>,
    limits: Limits,
}

impl Incoming {
    /// Nothing yet.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { bytes: Vec::new(), limits: limits.clone() }
    }

    /// Bytes that have come so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Takes the next piece.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] if it goes past the limit; the piece is not taken.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Error> {
        if self.bytes().saturating_add(piece.len() as u64) > self.limits.bytes {
            return Err(Error::TooLarge { limit: self.limits.bytes });
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// The file, after its last piece.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`].
    pub fn finish(self) -> Result<Media, Error> {
        Media::from_bytes(self.bytes, &self.limits)
    }
}
