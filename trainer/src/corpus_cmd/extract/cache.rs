//! Cache of extracted features: a safetensors file for each media file and set of extractors, written whole or not at
//! all.

use anyhow::{Context, Result, anyhow};
use corpus::{Modality, Origins, Sequence};
use digests::hex;
use features::Features;
use files::PendingFile;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// A folder of cached features.
pub(super) struct Cache {
    folder: PathBuf,
    /// SHA-256 of the extractors' provenance, in hexadecimal.
    extractors: String,
}

impl Cache {
    /// Opens the cache in `folder`, which is created if it is missing, for extractors of this provenance.
    pub fn open(folder: &Path, origins: &Origins) -> Result<Cache> {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let mut hash = Sha256::new();
        origins.iter().for_each(|(modality, identity)| hash.update(format!("{modality} {}\n", identity.id())));
        Ok(Cache { folder: folder.to_owned(), extractors: hex(hash.finalize()) })
    }

    /// Key of the features that these extractors compute from a file with this content: a SHA-256 in hexadecimal.
    pub fn key(&self, file: &[u8]) -> String {
        let mut hash = Sha256::new();
        hash.update(&self.extractors);
        hash.update(file);
        hex(hash.finalize())
    }

    pub(super) fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.safetensors"))
    }

    /// The features that are cached under a key; `None` if there are none.
    ///
    /// # Errors
    /// If the cached file is not what [`Cache::put`] wrote.
    pub fn get(&self, key: &str) -> Result<Option<Features>> {
        let path = self.path(key);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        let wrong = |problem: String| anyhow!("{}: {problem}; delete it to extract again", path.display());
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| wrong(error.to_string()))?;
        let mut features = [None, None, None];
        for modality in Modality::ALL {
            let Ok(tensor) = tensors.tensor(modality.name()) else { continue };
            let (Dtype::F32, &[rows, width]) = (tensor.dtype(), tensor.shape()) else {
                return Err(wrong(format!("{}: {:?} {:?}", modality.name(), tensor.dtype(), tensor.shape())));
            };
            if rows == 0 || width == 0 {
                return Err(wrong(format!("{}: {rows} rows of {width}", modality.name())));
            }
            let values = tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            features[modality.index()] = Some(Sequence::new(width, values));
        }
        Ok(Some(features))
    }

    /// Caches features under a key.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn put(&self, key: &str, features: &Features) -> Result<()> {
        let bytes = features.each_ref().map(|sequence| {
            let values = sequence.iter().flat_map(|sequence| sequence.data());
            values.flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()
        });
        let mut tensors = Vec::new();
        for modality in Modality::ALL {
            let Some(sequence) = &features[modality.index()] else { continue };
            let shape = vec![sequence.frames(), sequence.width()];
            tensors.push((modality.name(), TensorView::new(Dtype::F32, shape, &bytes[modality.index()])?));
        }
        let whole = safetensors::serialize(tensors, None)?;
        Ok(PendingFile::create(&self.path(key))?.commit(|out| out.write_all(&whole))?)
    }
}
