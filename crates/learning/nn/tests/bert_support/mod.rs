//! Checkpoint folders for the tests of BERT.
#![allow(dead_code, reason = "each test file uses a part")]

use candle_core::{Device, Tensor};
use latentlink_nn::bert::{Bert, Checkpoint};
use latentlink_nn::params::Params;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Where the fixtures lie.
pub fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// The tiny checkpoint.
pub fn tiny() -> PathBuf {
    data().join("tiny-bert")
}

/// The tensors of a file.
pub fn tensors(file: &Path) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(file, &Device::Cpu).unwrap()
}

/// The elements of a tensor.
pub fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// An encoder and its parameters.
pub fn load(folder: &Path, trainable: bool) -> (Bert, Params) {
    let checkpoint = Checkpoint::read(folder).unwrap();
    let params = checkpoint.params(trainable);
    let bert = Bert::new(&params.root(), checkpoint.config(), checkpoint.tokenizer().unwrap()).unwrap();
    (bert, params)
}

/// The tiny checkpoint with another config and other tensors.
pub fn checkpoint_with(
    config: impl FnOnce(&mut serde_json::Value),
    change: impl FnOnce(HashMap<String, Tensor>) -> HashMap<String, Tensor>,
) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut json = serde_json::from_slice(&std::fs::read(tiny().join("config.json")).unwrap()).unwrap();
    config(&mut json);
    std::fs::write(folder.path().join("config.json"), json.to_string()).unwrap();
    std::fs::copy(tiny().join("tokenizer.json"), folder.path().join("tokenizer.json")).unwrap();
    let tensors = change(tensors(&tiny().join("model.safetensors")));
    candle_core::safetensors::save(&tensors, folder.path().join("model.safetensors")).unwrap();
    folder
}

/// Holds two lists of numbers against each other.
pub fn close(ours: &[f32], theirs: &[f32], tolerance: f32, what: &str) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!((a - b).abs() <= tolerance, "{what}, element {i}: {a} against {b}");
    }
}
