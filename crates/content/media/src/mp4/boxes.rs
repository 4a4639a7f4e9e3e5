//! Boxes side by side (ISO/IEC 14496-12, section 4.2).

use super::reader::Reader;
use crate::Error;

/// One box.
pub struct Node<'a> {
    pub kind: [u8; 4],
    pub body: &'a [u8],
}

/// The boxes that lie one after the other in some bytes. None is kept, so that a file of nothing but headers costs no memory.
pub struct Boxes<'a> {
    rest: &'a [u8],
    /// Bytes before `rest`, if these are the boxes of the file itself.
    file: Option<u64>,
}

impl<'a> Boxes<'a> {
    /// The boxes of a file: one that ends past it says that the file is cut off.
    pub fn of_file(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, file: Some(0) }
    }

    /// The boxes within a box.
    pub fn within(body: &'a [u8]) -> Self {
        Self { rest: body, file: None }
    }

    fn read(&mut self) -> Result<Node<'a>, Error> {
        let mut reader = Reader::new(*b"    ", self.rest);
        let short = reader.u32()?;
        let kind = reader.u32()?.to_be_bytes();
        let size = match short {
            0 => self.rest.len() as u64,
            1 => reader.u64()?,
            n => u64::from(n),
        };
        let header = self.rest.len() - reader.rest().len();
        let name = kind.escape_ascii();
        if size < header as u64 {
            return Err(Error::Damaged(format!("box {name} has {size} bytes, fewer than its header")));
        }
        if size > self.rest.len() as u64 {
            return Err(match self.file {
                Some(before) => {
                    Error::CutOff { expected: before.saturating_add(size), found: before + self.rest.len() as u64 }
                }
                None => {
                    Error::Damaged(format!("box {name} ends {} bytes past its parent", size - self.rest.len() as u64))
                }
            });
        }
        let (whole, rest) = self.rest.split_at(size as usize);
        self.rest = rest;
        self.file = self.file.map(|before| before + size);
        Ok(Node { kind, body: &whole[header..] })
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Result<Node<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        // Some writers close a list of boxes with four zero bytes; fewer than a header are no box.
        if self.rest.len() < 8 {
            return None;
        }
        let node = self.read();
        if node.is_err() {
            self.rest = &[];
        }
        Some(node)
    }
}

/// The first box of a kind within a box, if there is one.
pub fn find<'a>(body: &'a [u8], kind: &[u8; 4]) -> Result<Option<&'a [u8]>, Error> {
    for node in Boxes::within(body) {
        let node = node?;
        if node.kind == *kind {
            return Ok(Some(node.body));
        }
    }
    Ok(None)
}

/// A reader of the first box of a kind within a box.
pub fn need<'a>(body: &'a [u8], kind: &[u8; 4]) -> Result<Reader<'a>, Error> {
    let found = find(body, kind)?;
    let found = found.ok_or_else(|| Error::Damaged(format!("box {} is missing", kind.escape_ascii())))?;
    Ok(Reader::new(*kind, found))
}
