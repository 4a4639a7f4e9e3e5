//! The pause before the next round of `--forever` after rounds without a prediction.

use std::time::Duration;
use uuid::Uuid;

/// Mean pause after the first round without a prediction.
const FIRST: Duration = Duration::from_secs(1);
/// Longest pause between two rounds, before jitter.
const LONGEST: Duration = Duration::from_secs(30);

/// The pause after `barren` ≥ 1 consecutive rounds without a prediction: 1 s, doubled with each further round up to 30
/// s, times a factor drawn uniformly from 0.75 to 1.25.
pub(super) fn delay(barren: u32) -> Duration {
    let mean = FIRST.saturating_mul(1 << barren.saturating_sub(1).min(10)).min(LONGEST);
    mean.mul_f64(0.75 + 0.5 * fraction())
}

/// A random number in [0, 1), so that clients which lost the same receiver do not come back at the same time.
fn fraction() -> f64 {
    // The low 32 bits of a version 4 UUID are random.
    f64::from(Uuid::new_v4().as_u128() as u32) / 2f64.powi(32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_from_about_a_second_to_a_bound_and_are_jittered() {
        for (barren, mean) in [(1, 1.0), (2, 2.0), (5, 16.0), (6, 30.0), (u32::MAX, 30.0)] {
            let delays: Vec<f64> = (0..200).map(|_| delay(barren).as_secs_f64() / mean).collect();
            assert!(delays.iter().all(|delay| (0.75..=1.25).contains(delay)), "{barren}: {delays:?}");
            let (low, high) = delays.iter().fold((2.0f64, 0.0f64), |(low, high), d| (low.min(*d), high.max(*d)));
            assert!(low < 0.9 && high > 1.1, "no jitter in {low} to {high}");
        }
    }
}
