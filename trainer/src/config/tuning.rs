//! Settings for fine-tuning a text encoder.

use crate::schedule;
use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// Settings for fine-tuning a text encoder along with the network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// Number of epochs in which the encoder stays frozen, so that the network has learnt channel and task when its
    /// gradients begin to change the encoder.
    pub begin: usize,
    /// Peak learning rate of the encoder's top layer.
    pub rate: f32,
    /// Factor between the learning rate of a layer and that of the layer above it, above 0 and at most 1.
    pub layer_decay: f32,
    /// Number of the lowest layers that stay frozen. The embeddings always do: a thousand clips contain little about
    /// most of the vocabulary.
    pub frozen_layers: usize,
    /// Decoupled weight decay of the encoder's matrices.
    pub weight_decay: f32,
}

impl Tuning {
    /// Checks that the values are valid.
    ///
    /// # Errors
    /// If a field has an invalid value, naming the field.
    pub fn check(&self) -> Result<()> {
        let Tuning { rate, layer_decay, weight_decay, .. } = *self;
        ensure!(rate.is_finite() && rate > 0.0, "tuning.rate: expected a number above 0, got {rate}");
        ensure!(
            layer_decay > 0.0 && layer_decay <= 1.0,
            "tuning.layer_decay: expected above 0 to 1, got {layer_decay}"
        );
        let decays = weight_decay.is_finite() && weight_decay >= 0.0;
        ensure!(decays, "tuning.weight_decay: expected a number of at least 0, got {weight_decay}");
        Ok(())
    }

    /// The learning rate of the encoder's top layer at `time` of `epochs`, both in epochs: 0 while the encoder is
    /// frozen, then one epoch of linear warm-up, then a cosine down to a twentieth.
    pub fn rate(&self, time: f64, epochs: usize) -> f32 {
        let (time, epochs) = (time - self.begin as f64, epochs.saturating_sub(self.begin));
        if time < 0.0 { 0.0 } else { schedule::cosine(self.rate, schedule::END, time, epochs) }
    }
}
