//! Bytes of a box, read in order and never past the end.

use crate::Error;

/// What is left of a box's body.
#[derive(Clone)]
pub struct Reader<'a> {
    kind: [u8; 4],
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads the body of a box; `kind` is for the errors.
    pub fn new(kind: [u8; 4], body: &'a [u8]) -> Self {
        Self { kind, rest: body }
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Error> {
        let Some((taken, rest)) = self.rest.split_at_checked(n) else {
            let kind = self.kind.escape_ascii();
            return Err(Error::Damaged(format!("box {kind} wants {n} bytes more and has {}", self.rest.len())));
        };
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub fn u8(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(|[b]| b)
    }

    pub fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_be_bytes)
    }

    /// A number of 32 bits, or of 64 in version 1 of a box.
    pub fn u32_or_64(&mut self, version: u8) -> Result<u64, Error> {
        if version == 1 { self.u64() } else { self.u32().map(u64::from) }
    }

    /// Version of a full box; its flags are passed over.
    pub fn version(&mut self) -> Result<u8, Error> {
        self.u32().map(|v| (v >> 24) as u8)
    }

    /// A count of entries of `width` bytes each, all of which are there.
    pub fn count(&mut self, width: usize) -> Result<usize, Error> {
        let count = self.u32()? as usize;
        if count > self.rest.len() / width {
            let kind = self.kind.escape_ascii();
            let holds = self.rest.len() / width;
            return Err(Error::Damaged(format!("box {kind} announces {count} entries and has room for {holds}")));
        }
        Ok(count)
    }

    /// All that is left.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}
