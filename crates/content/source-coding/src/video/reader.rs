//! Fields of received bytes, in order.

use crate::SourceError;

pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    pub fn take(&mut self, length: usize) -> Result<&'a [u8], SourceError> {
        let cut = || SourceError::Damaged(format!("{length} bytes of a video, of which {} are left", self.rest.len()));
        let (own, rest) = self.rest.split_at_checked(length).ok_or_else(cut)?;
        self.rest = rest;
        Ok(own)
    }

    pub fn u16(&mut self) -> Result<u16, SourceError> {
        let bytes = self.take(2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    pub fn u32(&mut self) -> Result<u32, SourceError> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    pub fn end(self) -> Result<(), SourceError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(SourceError::Damaged(format!("{left} bytes behind the video"))),
        }
    }
}
