//! Tensors of a checkpoint in safetensors, as f32.

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Why a pretrained network cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A configuration or a manifest is not what this network reads.
    #[error("{}: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The tensors are not safetensors.
    #[error("{}: not safetensors: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        reason: String,
    },
    /// A file ends before a tensor does.
    #[error("{}: ends within tensor '{name}', which takes {wanted} bytes of which {found} are there", path.display())]
    CutOff {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Bytes it takes.
        wanted: usize,
        /// Bytes that are left for it.
        found: usize,
    },
    /// A tensor is missing.
    #[error("tensor '{0}' is missing")]
    Missing(String),
    /// A tensor has another shape or type than the configuration asks for.
    #[error("tensor '{name}' is {found}, expected {expected}")]
    Shape {
        /// Its name.
        name: String,
        /// What it is.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A tensor holds NaN or infinity.
    #[error("tensor '{0}' holds a value that is not finite")]
    NotFinite(String),
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    std::fs::read(path).map_err(|source| CheckpointError::Read { path: path.to_owned(), source })
}

/// SHA-256 in hexadecimal of the parts, one after the other.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    parts.into_iter().for_each(|part| hash.update(part));
    digests::hex(hash.finalize())
}

/// A checkpoint's tensors.
pub(crate) struct Tensors<'a>(SafeTensors<'a>);

impl<'a> Tensors<'a> {
    pub(crate) fn parse(path: &Path, bytes: &'a [u8]) -> Result<Self, CheckpointError> {
        let format =
            |e: safetensors::SafeTensorError| CheckpointError::Format { path: path.to_owned(), reason: e.to_string() };
        SafeTensors::deserialize(bytes).map(Tensors).map_err(format)
    }

    /// The elements, row by row, of a tensor that must have this shape.
    pub(crate) fn get(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let view = self.0.tensor(name).map_err(|_| CheckpointError::Missing(name.to_owned()))?;
        let wrong = |expected: String| CheckpointError::Shape {
            name: name.to_owned(),
            found: format!("{:?} {:?}", view.dtype(), view.shape()),
            expected,
        };
        if view.shape() != shape {
            return Err(wrong(format!("{shape:?}")));
        }
        let data = view.data();
        let values: Vec<f32> = match view.dtype() {
            Dtype::F16 => data.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            Dtype::BF16 => data.chunks_exact(2).map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            Dtype::F32 => data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
            _ => return Err(wrong("F16, BF16 or F32".to_owned())),
        };
        if values.iter().any(|v| !v.is_finite()) {
            return Err(CheckpointError::NotFinite(name.to_owned()));
        }
        Ok(values)
    }
}
