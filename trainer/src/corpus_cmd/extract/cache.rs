//! What was extracted, by the content of the file and the extractors: a safetensors file each, whole or not there.

use anyhow::{Context, Result, anyhow};
use corpus::{Modality, Origins, Sequence};
use digests::hex;
use features::Features;
use files::PendingFile;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// A folder.
pub(super) struct Cache {
    folder: PathBuf,
    /// Of the extractors, in hex.
    extractors: String,
}

impl Cache {
    /// Creates the folder if it is not there.
    pub fn open(folder: &Path, origins: &Origins) -> Result<Cache> {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let mut hash = Sha256::new();
        origins.iter().for_each(|(modality, identity)| hash.update(format!("{modality} {}\n", identity.id())));
        Ok(Cache { folder: folder.to_owned(), extractors: hex(hash.finalize()) })
    }

    /// The name of what these extractors make of a file.
    pub fn key(&self, file: &[u8]) -> String {
        let mut hash = Sha256::new();
        hash.update(&self.extractors);
        hash.update(file);
        hex(hash.finalize())
    }

    pub(super) fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.safetensors"))
    }

    /// What is there.
    ///
    /// # Errors
    /// If it is not what [`Cache::put`] wrote.
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

    /// Keeps features.
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
