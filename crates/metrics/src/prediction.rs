//! What a receiver answers for one clip.

use serde::{Deserialize, Serialize};

/// A distribution over the score in [−3, 3], as far as the answers need it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Probability of a score below zero.
    pub p_neg: f32,
    /// Probability of a score of exactly zero.
    pub p_zero: f32,
    /// Probability of a score above zero.
    pub p_pos: f32,
    /// Probabilities of the classes −3 … 3.
    pub classes: [f32; 7],
    /// The median of the distribution, in [−3, 3].
    pub score: f32,
}
