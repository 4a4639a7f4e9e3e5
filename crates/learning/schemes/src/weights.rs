//! The weights folder: two halves, `transmitter/` and `receiver/`, each self-contained.
//!
//! A half holds `weights.safetensors` and `manifest.json`; the transmitter's also `text-encoder/` where the network reads
//! transcripts. The model id is the SHA-256 of the canonical configuration and of both halves' tensors and stands in both
//! manifests, so halves that do not belong together are told apart.

mod disk;
mod load;
mod manifest;
mod save;

use crate::scheme_kind::SchemeKind;
use candle_core::Tensor;
use corpus::Origins;
use digests::hex;
use network::config::Config;
use nn::bert::BertError;
use nn::params::ParamError;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use load::{Halves, load, load_proposed_transmitter, load_receiver, load_receiver_with, load_transmitter};
pub use manifest::{Manifest, Standards, TensorHashes, Training, receiver_manifest, transmitter_manifest};
pub use save::Weights;

/// The only format so far.
const FORMAT: u32 = 1;

/// Why weights cannot be saved or loaded.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// A file that cannot be read or written, or that is not what its name says.
    #[error("{file}: {reason}")]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A tensor that is missing or wrong.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// The text encoder cannot be loaded.
    #[error(transparent)]
    TextEncoder(#[from] BertError),
    /// Two halves that were not trained together.
    #[error("{folder}: the halves do not belong together: transmitter {transmitter}, receiver {receiver}")]
    Halves {
        /// The weights folder.
        folder: PathBuf,
        /// The transmitter's model id.
        transmitter: String,
        /// The receiver's model id.
        receiver: String,
    },
}

fn file_error(file: &Path, reason: impl std::fmt::Display) -> WeightsError {
    WeightsError::File { file: file.into(), reason: reason.to_string() }
}

fn read_file(file: &Path) -> Result<Vec<u8>, WeightsError> {
    std::fs::read(file).map_err(|e| file_error(file, e))
}

/// The bytes of a safetensors file with these tensors, in the order of their names.
pub fn to_safetensors(tensors: &BTreeMap<String, Tensor>) -> Result<Vec<u8>, WeightsError> {
    safetensors::serialize(tensors, None).map_err(|e| file_error(Path::new("weights.safetensors"), e))
}

/// SHA-256 over the named files, names and lengths included.
fn hash<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hash = Sha256::new();
    for (name, bytes) in files {
        hash.update(name);
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    hex(hash.finalize())
}

fn model_id(
    scheme: SchemeKind,
    config: &Config,
    standards: &Standards,
    tensors: &TensorHashes,
    origins: &Origins,
) -> Result<String, WeightsError> {
    // Where nothing is known of extractors nothing is said of them.
    let canonical = match origins.is_empty() {
        true => serde_json::to_vec(&(scheme, config, standards, tensors)),
        false => serde_json::to_vec(&(scheme, config, standards, tensors, origins)),
    };
    Ok(hex(Sha256::digest(canonical.map_err(|e| file_error(Path::new("manifest.json"), e))?)))
}
