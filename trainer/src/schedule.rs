//! What changes over a run: learning rate, redundancy weight, gradient reversal.

use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Epochs at which things change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Epochs of training.
    pub epochs: usize,
    /// λ_red, the weight of redundancy reduction once it is fully on.
    pub lambda_red: f32,
    /// Epochs before redundancy reduction begins.
    pub warm_up: usize,
    /// The epoch at which it is fully on; no earlier one may be selected.
    pub ramp_end: usize,
    /// Peak learning rate.
    pub learning_rate: f32,
    /// The share of it that is left in the end.
    #[serde(default = "twentieth")]
    pub end: f64,
}

fn twentieth() -> f64 {
    END
}

/// What is left of a learning rate in the end, unless a run says otherwise.
pub const END: f64 = 0.05;

impl Schedule {
    /// The scale of gradient reversal at `time` epochs: α(t)·λ(t), with λ rising linearly from the end of the warm-up to
    /// the end of the ramp, and α = 2/(1 + e^(−10p)) − 1 with p the share of the ramp that is over. The discriminators
    /// themselves learn at weight 1 from the first step.
    pub fn reversal(&self, time: f64) -> f32 {
        let (warm_up, end) = (self.warm_up as f64, self.ramp_end as f64);
        let lambda = if time >= end { 1.0 } else { ((time - warm_up) / (end - warm_up)).max(0.0) };
        let p = if end > 0.0 { (time / end).min(1.0) } else { 1.0 };
        let alpha = 2.0 / (1.0 + (-10.0 * p).exp()) - 1.0;
        (alpha * lambda) as f32 * self.lambda_red
    }

    /// The learning rate at `time` epochs: one epoch of linear warm-up, then a cosine down to what is left in the end.
    pub fn rate(&self, time: f64) -> f32 {
        cosine(self.learning_rate, self.end, time, self.epochs)
    }

    /// Whether the network after `epoch` (counted from 1) may be selected.
    pub fn selectable(&self, epoch: usize) -> bool {
        epoch >= self.ramp_end.min(self.epochs)
    }
}

/// One epoch of linear warm-up to `peak`, then a cosine down to the share `end` of it after `epochs`.
pub fn cosine(peak: f32, end: f64, time: f64, epochs: usize) -> f32 {
    let warm = time.min(1.0);
    let cosine = 0.5 * (1.0 + (PI * (time / epochs.max(1) as f64).min(1.0)).cos());
    (peak as f64 * warm * (end + (1.0 - end) * cosine)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Schedule =
        Schedule { epochs: 50, lambda_red: 0.4, warm_up: 3, ramp_end: 6, learning_rate: 1e-3, end: END };

    #[test]
    fn reversal_is_off_in_the_warm_up_and_full_from_the_end_of_the_ramp() {
        assert_eq!(S.reversal(0.0), 0.0);
        assert_eq!(S.reversal(3.0), 0.0);
        assert!(S.reversal(4.5) > 0.19 && S.reversal(4.5) < 0.21);
        assert!((S.reversal(6.0) - 0.4).abs() < 1e-3 && S.reversal(40.0) == S.reversal(6.0));
        assert!(!S.selectable(5) && S.selectable(6));
    }

    #[test]
    fn a_run_shorter_than_the_ramp_may_still_end() {
        assert!(Schedule { epochs: 2, ..S }.selectable(2));
    }
}
