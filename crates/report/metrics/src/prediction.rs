//! What a receiver answers for one clip, and the decisions read from it.

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

impl Prediction {
    /// The decision of Acc-2 "nonneg": p_zero + p_pos ≥ ½.
    pub fn is_nonneg(&self) -> bool {
        f64::from(self.p_zero) + f64::from(self.p_pos) >= 0.5
    }

    /// The decision of Acc-2 "pos": p_pos > p_neg.
    pub fn is_pos(&self) -> bool {
        self.p_pos > self.p_neg
    }

    /// The most likely class, −3 … 3; of equally likely ones the lowest.
    pub fn class(&self) -> i8 {
        let best = (1..7).fold(0, |best, k| if self.classes[k] > self.classes[best] { k } else { best });
        best as i8 - 3
    }

    /// The class next to the score: clipped to ±3, rounded half to even.
    pub fn rounded(&self) -> i8 {
        label_class(self.score)
    }
}

/// The class of a label or score: clipped to ±3, rounded half to even.
pub fn label_class(score: f32) -> i8 {
    score.clamp(-3.0, 3.0).round_ties_even() as i8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_follow_their_definitions() {
        let mut p = Prediction { p_neg: 0.45, p_zero: 0.15, p_pos: 0.4, classes: [0.0; 7], score: 2.5 };
        assert!(p.is_nonneg() && !p.is_pos());
        p.classes[5] = 0.5;
        p.classes[6] = 0.5;
        assert_eq!((p.class(), p.rounded()), (2, 2));
        assert_eq!([0.5, 1.5, -0.5, -2.5, 7.0, -4.0].map(label_class), [0, 2, 0, -2, 3, -3]);
        let half = Prediction { p_neg: 0.5, p_zero: 0.0, p_pos: 0.5, ..p };
        assert!(half.is_nonneg() && !half.is_pos());
    }
}
