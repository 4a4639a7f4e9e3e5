//! The bytes of a file, shared by all that decodes them.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::NamedTempFile;

use crate::{Error, Limits};

/// Bytes and their limits; a clone is the same bytes.
#[derive(Clone, Debug)]
pub struct Source(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bytes: Vec<u8>,
    limits: Limits,
    copy: Mutex<Option<Arc<NamedTempFile>>>,
}

/// A file on disk with the bytes of a [`Source`], until the last of its owners is gone.
pub struct OnDisk(Arc<NamedTempFile>);

impl OnDisk {
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Source {
    pub fn new(bytes: Vec<u8>, limits: &Limits) -> Self {
        Self(Arc::new(Inner { bytes, limits: limits.clone(), copy: Mutex::new(None) }))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The bytes as a file, for a program that wants to seek in it; written the first time that it is asked for.
    pub fn on_disk(&self) -> Result<OnDisk, Error> {
        let mut copy = self.0.copy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &*copy {
            return Ok(OnDisk(Arc::clone(file)));
        }
        let failed = |e| Error::Ffmpeg(format!("no copy of the file can be written for it: {e}"));
        let mut file = NamedTempFile::new().map_err(failed)?;
        file.write_all(self.bytes()).and_then(|()| file.flush()).map_err(failed)?;
        let file = Arc::new(file);
        *copy = Some(Arc::clone(&file));
        Ok(OnDisk(file))
    }
}
