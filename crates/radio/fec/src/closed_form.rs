//! Bit error rates of Gray 64-QAM with hard decisions in closed form; those of QPSK and 16-QAM are in
//! [`phy::closed_form`].
//!
//! On each axis the levels ±1, ±3, ±5, ±7 in units of 1/√42 lie a = √(γ/21) noise standard deviations from their
//! nearest thresholds. Each wrong decision of a bit is an interval of the received level, whose probability is a
//! difference of Gaussian tails. Summed over intervals and levels, the error probabilities of the three bits are
//!
//! * ¼[Q(a) + Q(3a) + Q(5a) + Q(7a)],
//! * ¼[2Q(a) + 2Q(3a) + Q(5a) + Q(7a) − Q(9a) − Q(11a)],
//! * ¼[4Q(a) + 3Q(3a) − 3Q(5a) − 2Q(7a) + 2Q(9a) + Q(11a) − Q(13a)].

use phy::closed_form::q_function;

/// Pairs of k and 12 times the weight of Q(k·a) in the bit error rate of 64-QAM, the mean over the three bits of an
/// axis.
const TERMS: [(f64, f64); 5] = [(1.0, 7.0), (3.0, 6.0), (5.0, -1.0), (9.0, 1.0), (13.0, -1.0)];

/// The bit error rate of Gray-mapped 64-QAM over AWGN with hard decisions at linear Es/N0 γ:
/// \[7Q(a) + 6Q(3a) − Q(5a) + Q(9a) − Q(13a)\]/12, a = √(γ/21).
pub fn qam64_awgn(gamma: f64) -> f64 {
    let a = (gamma / 21.0).sqrt();
    TERMS.iter().map(|(k, weight)| weight * q_function(k * a)).sum::<f64>() / 12.0
}

/// The bit error rate of Gray-mapped 64-QAM over Rayleigh fading with hard decisions and perfect CSI at mean linear
/// Es/N0 γ: that of [`qam64_awgn`] with each Q(k·a) averaged over h ~ CN(0, 1), which gives ½(1 − √(m/(1 + m))), m =
/// k²γ/42.
pub fn qam64_rayleigh(gamma: f64) -> f64 {
    let averaged = |k: f64| {
        let mean = k * k * gamma / 42.0;
        0.5 * (1.0 - (mean / (1.0 + mean)).sqrt())
    };
    TERMS.iter().map(|&(k, weight)| weight * averaged(k)).sum::<f64>() / 12.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Qam;

    /// The bit error rate of 64-QAM over AWGN at linear Es/N0 γ, by integrating the errors of hard decisions over the
    /// density of the received level.
    fn integrated(gamma: f64) -> f64 {
        let levels = Qam::Qam64.levels();
        let deviation = (0.5 / gamma).sqrt();
        let (steps, reach) = (400_000, 3.0);
        let width = 2.0 * reach / f64::from(steps);
        let mut total = 0.0;
        for step in 0..steps {
            let y = -reach + (f64::from(step) + 0.5) * width;
            let distance = |word: &usize| (y - levels[*word]).abs();
            let decided = (0..8).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap();
            for (word, level) in levels.iter().enumerate() {
                let z = (y - level) / deviation;
                total += f64::from((word ^ decided).count_ones()) * (-0.5 * z * z).exp();
            }
        }
        total * width / (deviation * (2.0 * std::f64::consts::PI).sqrt()) / 24.0
    }

    #[test]
    fn awgn_is_the_integral_over_the_decision_regions() {
        for gamma in [5.0, 20.0, 100.0] {
            let (closed, integral) = (qam64_awgn(gamma), integrated(gamma));
            assert!((closed / integral - 1.0).abs() < 1e-4, "γ {gamma}: {closed} {integral}");
        }
    }

    /// The error rate over Rayleigh fading equals that over AWGN averaged over an exponential |h|² by the midpoint
    /// rule.
    #[test]
    fn rayleigh_is_the_average_of_awgn() {
        for gamma in [1.0, 20.0, 500.0] {
            let steps = 200_000;
            let quantile = |u: f64| -(-u).ln_1p();
            let at = |k: i32| qam64_awgn(gamma * quantile((f64::from(k) + 0.5) / f64::from(steps)));
            let average = (0..steps).map(at).sum::<f64>() / f64::from(steps);
            assert!((average - qam64_rayleigh(gamma)).abs() < 1e-5, "γ {gamma}");
        }
    }
}
