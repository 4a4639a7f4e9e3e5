//! Schedules of a run: learning rate and gradient reversal over the epochs.

use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Number of epochs, learning rate, and ramp of redundancy reduction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Maximum number of epochs.
    pub epochs: usize,
    /// λ_red, the weight of redundancy reduction after the ramp.
    pub lambda_red: f32,
    /// Number of epochs before the ramp of redundancy reduction begins.
    pub warm_up: usize,
    /// Number of epochs after which the ramp ends and redundancy reduction has its full weight; no earlier epoch may
    /// be selected.
    pub ramp_end: usize,
    /// Peak learning rate.
    pub learning_rate: f32,
    /// Share of the peak learning rate, between 0 and 1, that the cosine decays to.
    #[serde(default = "twentieth")]
    pub end: f64,
}

fn twentieth() -> f64 {
    END
}

/// Default share of the peak learning rate that the cosine decays to.
pub const END: f64 = 0.05;

impl Schedule {
    /// Scale of gradient reversal at `time` in epochs: α(t)·λ(t). λ rises linearly from the end of the warm-up to the
    /// end of the ramp; α = 2/(1 + e^(−10p)) − 1, with p the share of the time up to the end of the ramp. The
    /// discriminators themselves learn with weight 1 from the first step.
    pub fn reversal(&self, time: f64) -> f32 {
        let (warm_up, end) = (self.warm_up as f64, self.ramp_end as f64);
        let lambda = if time >= end { 1.0 } else { ((time - warm_up) / (end - warm_up)).max(0.0) };
        let p = if end > 0.0 { (time / end).min(1.0) } else { 1.0 };
        let alpha = 2.0 / (1.0 + (-10.0 * p).exp()) - 1.0;
        (alpha * lambda) as f32 * self.lambda_red
    }

    /// The learning rate at `time` in epochs: one epoch of linear warm-up, then a cosine down to the share `end` of
    /// the peak.
    pub fn rate(&self, time: f64) -> f32 {
        cosine(self.learning_rate, self.end, time, self.epochs)
    }

    /// Whether the weights after this epoch, counted from 1, may be selected: from the end of the ramp on, or of a
    /// shorter run the last epoch.
    pub fn selectable(&self, epoch: usize) -> bool {
        epoch >= self.ramp_end.min(self.epochs)
    }
}

/// A learning rate at `time` in epochs: one epoch of linear warm-up to `peak`, then a cosine down to the share `end`
/// of it after `epochs`.
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
