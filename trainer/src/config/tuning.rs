//! How a text encoder is tuned.

use crate::schedule;
use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// How a text encoder is tuned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// Epochs in which the encoder stays as it is, so that what it is tuned by already knows channel and task.
    pub begin: usize,
    /// Peak learning rate of the top layer.
    pub rate: f32,
    /// Each layer below learns at this share of the rate of the one above it.
    pub layer_decay: f32,
    /// This many of the lowest layers stay as they are. The embeddings always do: a thousand clips say little about most
    /// of the vocabulary.
    pub frozen_layers: usize,
    /// Decoupled weight decay of its matrices.
    pub weight_decay: f32,
}

impl Tuning {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// Names the field that does not.
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

    /// The encoder's learning rate at `time` epochs of `epochs`: one epoch of linear warm-up from where it begins, then a
    /// cosine down to a twentieth.
    pub fn rate(&self, time: f64, epochs: usize) -> f32 {
        let (time, epochs) = (time - self.begin as f64, epochs.saturating_sub(self.begin));
        if time < 0.0 { 0.0 } else { schedule::cosine(self.rate, schedule::END, time, epochs) }
    }
}
