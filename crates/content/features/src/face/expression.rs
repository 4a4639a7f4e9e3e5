//! face-api's network of seven expressions.

use super::backbone::{FEATURES, Network};
use super::picture::{Picture, Region};
use super::shards::Shards;
use crate::checkpoint::CheckpointError;
use std::path::Path;

/// What the network tells apart, in the order of its outputs.
pub const EXPRESSIONS: [&str; 7] = ["neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised"];

/// What the network makes of a face.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// One value for each of [`EXPRESSIONS`], before the softmax.
    pub logits: [f32; EXPRESSIONS.len()],
    /// What the logits are a linear map of: the mean of the last feature map, [`FaceExpressionNet::EMBEDDING`] values.
    pub embedding: Vec<f32>,
}

impl Expression {
    /// The softmax of the logits.
    pub fn probabilities(&self) -> [f32; EXPRESSIONS.len()] {
        let largest = self.logits.into_iter().fold(f32::NEG_INFINITY, f32::max);
        let odds = self.logits.map(|v| libm::exp(f64::from(v - largest)));
        let total: f64 = odds.iter().sum();
        odds.map(|v| (v / total) as f32)
    }
}

/// The network.
pub struct FaceExpressionNet(Network);

impl FaceExpressionNet {
    /// Values of an embedding.
    pub const EMBEDDING: usize = FEATURES;

    /// From a folder with `face_expression_model-weights_manifest.json` and its shards.
    ///
    /// # Errors
    /// If a file is missing, cut off or not of this network.
    pub fn load(folder: &Path) -> Result<FaceExpressionNet, CheckpointError> {
        Self::from_shards(&Self::shards(folder)?)
    }

    pub(crate) fn shards(folder: &Path) -> Result<Shards, CheckpointError> {
        Shards::load(folder, "face_expression_model")
    }

    pub(crate) fn from_shards(shards: &Shards) -> Result<FaceExpressionNet, CheckpointError> {
        Network::from_shards(shards, EXPRESSIONS.len()).map(FaceExpressionNet)
    }

    /// The expression of the face that a region of a picture holds.
    pub fn read(&self, picture: Picture, region: Region) -> Expression {
        let (embedding, outputs) = self.0.forward(picture, region);
        Expression { logits: std::array::from_fn(|i| outputs[i]), embedding }
    }
}
