//! Tensors in the layout of TensorFlow.js: a manifest in JSON that names shards of bytes, as f32 or quantised to 8 bits.

use crate::checkpoint::{CheckpointError, read};
use serde::Deserialize;
use std::collections::HashMap;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

/// Shards that are one run of bytes, and the tensors that lie in it one after the other.
#[derive(Deserialize)]
struct Group {
    paths: Vec<String>,
    weights: Vec<Entry>,
}

/// A tensor as the manifest has it.
#[derive(Clone, Deserialize)]
struct Entry {
    name: String,
    shape: Vec<usize>,
    dtype: String,
    quantization: Option<Quantization>,
}

/// value = `scale` · byte + `min`.
#[derive(Clone, Deserialize)]
struct Quantization {
    dtype: String,
    scale: f64,
    min: f64,
}

impl Entry {
    /// Bytes that it takes, or what is wrong with it.
    fn bytes(&self) -> Result<usize, CheckpointError> {
        let width = match (self.dtype.as_str(), self.quantization.as_ref().map(|q| q.dtype.as_str())) {
            ("float32", None) => 4,
            ("float32", Some("uint8")) => 1,
            _ => return Err(self.wrong("float32, as it is or quantised to uint8".to_owned())),
        };
        let bytes = self.shape.iter().try_fold(width, |bytes: usize, n| bytes.checked_mul(*n));
        bytes.ok_or_else(|| self.wrong("a shape that memory holds".to_owned()))
    }

    fn wrong(&self, expected: String) -> CheckpointError {
        let quantised = self.quantization.as_ref().map(|q| format!(" quantised to {}", q.dtype)).unwrap_or_default();
        let found = format!("{}{quantised} {:?}", self.dtype, self.shape);
        CheckpointError::Shape { name: self.name.clone(), found, expected }
    }
}

/// The tensors of one network and the files they came from.
pub(crate) struct Shards {
    /// Where each tensor lies: its group and its bytes there.
    tensors: HashMap<String, (Entry, usize, Range<usize>)>,
    groups: Vec<Vec<u8>>,
    manifest: Vec<u8>,
}

impl Shards {
    /// Reads `NAME-weights_manifest.json` and the shards it names, which lie beside it.
    pub(crate) fn load(folder: &Path, name: &str) -> Result<Shards, CheckpointError> {
        let path = folder.join(format!("{name}-weights_manifest.json"));
        let manifest = read(&path)?;
        let wrong = |reason: String| CheckpointError::Config { path: path.clone(), reason };
        let groups: Vec<Group> = serde_json::from_slice(&manifest).map_err(|e| wrong(e.to_string()))?;
        let mut shards = Shards { tensors: HashMap::new(), groups: Vec::new(), manifest };
        for group in groups {
            let mut bytes = Vec::new();
            let mut last = path.clone();
            for shard in &group.paths {
                last = beside(folder, shard).ok_or_else(|| wrong(format!("'{shard}' is not the name of a file")))?;
                bytes.extend(read(&last)?);
            }
            shards.add(group.weights, bytes, &last)?;
        }
        Ok(shards)
    }

    /// Takes in a group whose last shard is `path`.
    fn add(&mut self, entries: Vec<Entry>, bytes: Vec<u8>, path: &Path) -> Result<(), CheckpointError> {
        let mut start = 0usize;
        for entry in entries {
            let wanted = entry.bytes()?;
            let found = bytes.len() - start;
            if wanted > found {
                return Err(CheckpointError::CutOff { path: path.to_owned(), name: entry.name, wanted, found });
            }
            let (name, range) = (entry.name.clone(), start..start + wanted);
            if self.tensors.insert(name.clone(), (entry, self.groups.len(), range)).is_some() {
                let reason = format!("tensor '{name}' is there twice");
                return Err(CheckpointError::Config { path: path.to_owned(), reason });
            }
            start += wanted;
        }
        if start < bytes.len() {
            let reason = format!("{} bytes after the last tensor", bytes.len() - start);
            return Err(CheckpointError::Config { path: path.to_owned(), reason });
        }
        self.groups.push(bytes);
        Ok(())
    }

    /// The elements, row by row, of a tensor that must have this shape.
    pub(crate) fn get(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let missing = || CheckpointError::Missing(name.to_owned());
        let (entry, group, range) = self.tensors.get(name).ok_or_else(missing)?;
        if entry.shape != shape {
            return Err(entry.wrong(format!("{shape:?}")));
        }
        let data = &self.groups[*group][range.clone()];
        let values: Vec<f32> = match &entry.quantization {
            Some(q) => data.iter().map(|byte| (f64::from(*byte) * q.scale + q.min) as f32).collect(),
            None => data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        };
        if values.iter().any(|v| !v.is_finite()) {
            return Err(CheckpointError::NotFinite(name.to_owned()));
        }
        Ok(values)
    }

    /// The bytes of all files: the manifest, then the shards in its order.
    pub(crate) fn files(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.manifest.as_slice()).chain(self.groups.iter().map(Vec::as_slice))
    }
}

/// The file of this name in the folder; none if the name leads out of it.
fn beside(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(part)), None) if part == name => Some(folder.join(name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(manifest: &str, shards: &[(&str, &[u8])]) -> Result<Shards, CheckpointError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("net-weights_manifest.json"), manifest).unwrap();
        shards.iter().for_each(|(name, bytes)| std::fs::write(folder.path().join(name), bytes).unwrap());
        Shards::load(folder.path(), "net")
    }

    fn manifest(paths: &str, tensors: &str) -> String {
        format!(r#"[{{"paths":[{paths}],"weights":[{tensors}]}}]"#)
    }

    const PLAIN: &str = r#"{"name":"a/bias","shape":[2],"dtype":"float32"}"#;
    const BYTES: &str =
        r#"{"name":"a/w","shape":[1,3],"dtype":"float32","quantization":{"dtype":"uint8","scale":0.5,"min":-1.0}}"#;

    #[test]
    fn tensors_may_lie_across_shards_and_quantised_ones_are_scaled() {
        let floats: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        let two = manifest(r#""1","2""#, &format!("{PLAIN},{BYTES}"));
        let shards = load(&two, &[("1", &floats[..3]), ("2", &[&floats[3..], &[0, 2, 255]].concat())]).unwrap();
        assert_eq!(shards.get("a/bias", &[2]).unwrap(), [1.5, -2.0]);
        assert_eq!(shards.get("a/w", &[1, 3]).unwrap(), [-1.0, 0.0, 126.5]);
        assert_eq!(shards.files().map(<[u8]>::len).sum::<usize>(), two.len() + 11);
        let text = |r: Result<Vec<f32>, CheckpointError>| r.unwrap_err().to_string();
        assert_eq!(text(shards.get("b", &[2])), "tensor 'b' is missing");
        let found = "tensor 'a/w' is float32 quantised to uint8 [1, 3], expected [3, 1]";
        assert_eq!(text(shards.get("a/w", &[3, 1])), found);
    }

    #[test]
    fn what_is_cut_off_or_too_long_or_not_there_is_named() {
        let error = |manifest: &str, shard: &[u8]| load(manifest, &[("1", shard)]).err().unwrap().to_string();
        let one = manifest(r#""1""#, &format!("{PLAIN},{BYTES}"));
        assert!(
            error(&one, &[0; 10]).ends_with("1: ends within tensor 'a/w', which takes 3 bytes of which 2 are there")
        );
        assert!(error(&one, &[0; 3]).contains("'a/bias'"));
        assert!(error(&one, &[0; 12]).ends_with("1: 1 bytes after the last tensor"));
        assert!(error(&manifest(r#""2""#, BYTES), &[]).contains("2: No such file"));
        assert!(error(&manifest(r#""1""#, &format!("{BYTES},{BYTES}")), &[0; 6]).contains("'a/w' is there twice"));
        assert!(error("{}", &[]).contains("net-weights_manifest.json"));
    }

    #[test]
    fn hostile_manifests_are_refused() {
        let error = |manifest: &str| load(manifest, &[("1", &[0; 8])]).err().unwrap().to_string();
        for name in ["../1", "/etc/passwd", "a/1", ".", "..", "", "1/", "./1"] {
            let refused = error(&manifest(&format!("\"{name}\""), PLAIN));
            assert!(refused.ends_with(&format!("'{name}' is not the name of a file")), "{refused}");
        }
        let huge = r#"{"name":"h","shape":[4294967296,4294967296],"dtype":"float32"}"#;
        assert!(error(&manifest(r#""1""#, huge)).contains("'h'"));
        let integers = r#"{"name":"i","shape":[2],"dtype":"int32"}"#;
        assert!(error(&manifest(r#""1""#, integers)).contains("tensor 'i' is int32 [2]"));
        let halves = BYTES.replace("uint8", "float16");
        assert!(error(&manifest(r#""1""#, &halves)).contains("quantised to float16"));
        let wild = BYTES.replace("0.5", "1e300");
        let shards = load(&manifest(r#""1""#, &wild), &[("1", &[1, 2, 3])]).unwrap();
        assert!(matches!(shards.get("a/w", &[1, 3]), Err(CheckpointError::NotFinite(name)) if name == "a/w"));
        let plain = load(&manifest(r#""1""#, PLAIN), &[("1", &[255; 8])]).unwrap();
        assert!(matches!(plain.get("a/bias", &[2]), Err(CheckpointError::NotFinite(_))));
    }
}
