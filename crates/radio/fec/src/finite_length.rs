//! The limits of codes of finite length over bit-interleaved QAM: capacity, dispersion, and the normal approximation of
//! Polyanskiy, Poor and Verdú (IEEE Trans. Inf. Theory 56(5), 2010, equation 296).
//!
//! The decoder has one log-likelihood ratio L for each bit of a symbol, as [`crate::Qam::demap`] computes it. So bit b
//! carries the information i(b; L) = 1 − log₂(1 + e^{−(1−2b)L}) in bits, and a symbol the sum over its bits. The
//! capacity C is the mean of that sum (Caire, Taricco and Biglieri 1998) and the dispersion V its variance. V is not
//! the sum of the variances of the bits, because the bits of a symbol share the same noise. With QPSK, C and V are
//! those of two uses of the binary-input AWGN channel.
//!
//! Expectations over the noise are trapezoidal sums with a step of 1/20 standard deviation over ±8½ standard
//! deviations. With a Gaussian weight these converge as fast as Gauss–Hermite sums, and faster where L is steep.

use phy::closed_form::q_function;

use crate::Qam;

const STEPS_A_DEVIATION: i32 = 20;
const REACH: i32 = 170;

/// Mean and variance of the information that one received symbol carries about its bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SymbolInformation {
    /// The capacity C in bits a symbol: the mean of the information.
    pub capacity: f64,
    /// The dispersion V in bits² a symbol: the variance of the information.
    pub dispersion: f64,
}

/// Capacity C and dispersion V of bit-interleaved `qam` over AWGN at `gamma` = γ = Es/N0, linear.
pub fn symbol_information(qam: Qam, gamma: f64) -> SymbolInformation {
    let levels = qam.levels();
    let bits = qam.bits_per_symbol() / 2;
    let deviation = (0.5 / gamma).sqrt();
    let (mut total, mut first, mut second) = (0.0, 0.0, 0.0);
    // Of each pair ± of levels, which carry the same information, only the positive one is summed.
    for (word, level) in levels.iter().enumerate().filter(|(_, level)| **level > 0.0) {
        for step in -REACH..=REACH {
            let z = f64::from(step) / f64::from(STEPS_A_DEVIATION);
            let weight = (-0.5 * z * z).exp();
            let told = axis_information(&levels, bits, word, (level + deviation * z) / deviation, deviation);
            total += weight;
            first += weight * told;
            second += weight * told * told;
        }
    }
    let (mean, mean_square) = (first / total, second / total);
    SymbolInformation { capacity: 2.0 * mean, dispersion: 2.0 * (mean_square - mean * mean).max(0.0) }
}

/// Σ i(b; L) over the `bits` bits of one axis, in bits, where the level numbered `word` was sent and the level `y` is
/// received. `y` is in units of `deviation`, the standard deviation of the noise on the axis.
fn axis_information(levels: &[f64], bits: usize, word: usize, y: f64, deviation: f64) -> f64 {
    let mut likelihoods = [0.0; 8];
    let exponent = |level: f64| -0.5 * (y - level / deviation).powi(2);
    let largest = levels.iter().map(|&level| exponent(level)).fold(f64::NEG_INFINITY, f64::max);
    for (likelihood, level) in likelihoods.iter_mut().zip(levels) {
        *likelihood = (exponent(*level) - largest).exp();
    }
    let all: f64 = likelihoods.iter().sum();
    let of_bit = |shift: usize| {
        let same = (0..levels.len()).filter(|other| (other ^ word) >> shift & 1 == 0);
        let same: f64 = same.map(|other| likelihoods[other]).sum();
        // Far from the sent level the likelihoods of the sent bit may be rounded to 0.
        1.0 + (same / all).max(1e-300).log2()
    };
    (0..bits).map(of_bit).sum()
}

/// The block error rate ε of the best codes by the normal approximation (Polyanskiy, Poor and Verdú, equation 296),
/// with `bits` = k information bits in `symbols` = n complex symbols of `qam` at `gamma` = γ = Es/N0, linear:
///
/// ε = Q((n·C − k + ½ log₂ 2n)/√(n·V)), where 2n is the number of real channel uses.
pub fn normal_approximation(qam: Qam, gamma: f64, bits: usize, symbols: usize) -> f64 {
    let SymbolInformation { capacity, dispersion } = symbol_information(qam, gamma);
    let n = symbols as f64;
    q_function((n * capacity - bits as f64 + 0.5 * (2.0 * n).log2()) / (n * dispersion).sqrt())
}

/// The Es/N0 in dB at which [`normal_approximation`] equals the block error rate `bler`, by bisection within −40 … 60
/// dB.
pub fn normal_approximation_db(qam: Qam, bits: usize, symbols: usize, bler: f64) -> f64 {
    bisect(-40.0, 60.0, |db| normal_approximation(qam, from_db(db), bits, symbols) < bler)
}

/// The mutual information of a constellation as a function of Es/N0, and the inverse function, interpolated between
/// values of [`symbol_information`] every 0.1 dB from −30 to 35 dB.
#[derive(Clone, Debug)]
pub struct Information {
    /// The capacity in bits a symbol at [`Information::LOWEST_DB`] and every 0.1 dB above it, `[651]`; ascending.
    capacities: Vec<f64>,
}

impl Information {
    const LOWEST_DB: f64 = -30.0;
    const STEPS_A_DB: f64 = 10.0;
    const POINTS: u32 = 651;

    /// Computes the grid of mutual information of the constellation `qam`.
    pub fn new(qam: Qam) -> Self {
        let at = |step: u32| symbol_information(qam, from_db(Self::LOWEST_DB + f64::from(step) / Self::STEPS_A_DB));
        Information { capacities: (0..Self::POINTS).map(|step| at(step).capacity).collect() }
    }

    /// The mutual information in bits a symbol at `gamma` = γ = Es/N0, linear. It is linear in the dB of γ between grid
    /// points, proportional to γ below the grid, and constant above it.
    pub fn at(&self, gamma: f64) -> f64 {
        let place = (10.0 * gamma.log10() - Self::LOWEST_DB) * Self::STEPS_A_DB;
        if place.is_nan() || place < 0.0 {
            return self.capacities[0] * (gamma / from_db(Self::LOWEST_DB)).max(0.0);
        }
        let index = (place as usize).min(self.capacities.len() - 2);
        let part = (place - index as f64).min(1.0);
        self.capacities[index] + part * (self.capacities[index + 1] - self.capacities[index])
    }

    /// The Es/N0 in dB at which the mutual information is `bits` bits a symbol: the inverse of [`Information::at`], by
    /// bisection within −60 … 35 dB.
    pub fn inverse_db(&self, bits: f64) -> f64 {
        bisect(-60.0, 35.0, |db| self.at(from_db(db)) >= bits)
    }
}

/// Converts dB to a linear ratio: 10^(dB/10).
pub(crate) fn from_db(db: f64) -> f64 {
    10f64.powf(db / 10.0)
}

/// The argument between `low` and `high` at which `above` turns from false to true, within 1e-6, by bisection.
fn bisect(mut low: f64, mut high: f64, above: impl Fn(f64) -> bool) -> f64 {
    while high - low > 1e-6 {
        let middle = 0.5 * (low + high);
        if above(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Demapping;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;

    /// Rate ½ over the binary-input AWGN channel needs Eb/N0 = 0.187 dB, and QPSK at one bit a symbol has Es = Eb.
    #[test]
    fn the_limit_of_rate_one_half_is_the_known_one() {
        let db = bisect(-10.0, 10.0, |db| symbol_information(Qam::Qpsk, from_db(db)).capacity >= 1.0);
        assert!((db - 0.187).abs() < 1e-3, "{db}");
    }

    /// At low SNR, C → γ log₂e and V → 2γ (log₂e)² with QPSK; at high SNR all bits arrive and V → 0.
    #[test]
    fn ends_are_the_limits() {
        let log2e = std::f64::consts::LOG2_E;
        let low = symbol_information(Qam::Qpsk, 1e-4);
        assert!((low.capacity / (1e-4 * log2e) - 1.0).abs() < 1e-3, "{low:?}");
        assert!((low.dispersion / (2e-4 * log2e * log2e) - 1.0).abs() < 1e-3, "{low:?}");
        for qam in Qam::ALL {
            let high = symbol_information(qam, 1e4);
            assert!((high.capacity - qam.bits_per_symbol() as f64).abs() < 1e-6 && high.dispersion < 1e-6, "{high:?}");
        }
    }

    /// Capacity and dispersion agree with mean and variance of the information of simulated LLRs. Six means and six
    /// variances of 100 000 symbols are tested at 4.5 standard errors: one seed in ten thousand fails.
    #[test]
    fn information_is_what_the_demapper_tells() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for (qam, gamma) in Qam::ALL.into_iter().flat_map(|qam| [(qam, 1.0), (qam, 12.0)]) {
            let count = 100_000;
            let bits: Vec<bool> = (0..count * qam.bits_per_symbol()).map(|_| rng.random()).collect();
            let deviation = (0.5 / gamma as f32).sqrt();
            let sent = qam.modulate(&bits).unwrap().into_reals();
            let y: Vec<f32> = sent.iter().map(|x| x + deviation * rng.sample::<f32, _>(StandardNormal)).collect();
            let llrs = qam.demap(&y, 1.0, 1.0 / gamma as f32, Demapping::Exact).unwrap();
            let told = |(&bit, llr): (&bool, &f64)| 1.0 - (if bit { *llr } else { -*llr }).exp().ln_1p() / 2f64.ln();
            let told: Vec<f64> = bits.iter().zip(&llrs).map(told).collect();
            let symbols: Vec<f64> = told.chunks_exact(qam.bits_per_symbol()).map(|bits| bits.iter().sum()).collect();
            let n = symbols.len() as f64;
            let mean = symbols.iter().sum::<f64>() / n;
            let moment = |power| symbols.iter().map(|s| (s - mean).powi(power)).sum::<f64>() / n;
            let expected = symbol_information(qam, gamma);
            let (sd_mean, sd_variance) = ((moment(2) / n).sqrt(), ((moment(4) - moment(2).powi(2)) / n).sqrt());
            assert!((mean - expected.capacity).abs() < 4.5 * sd_mean, "{qam:?} {gamma}: {mean} {expected:?}");
            let variance = moment(2);
            assert!(
                (variance - expected.dispersion).abs() < 4.5 * sd_variance,
                "{qam:?} {gamma}: {variance} {expected:?}"
            );
        }
    }

    #[test]
    fn the_grid_is_the_curve_and_its_inverse() {
        for qam in Qam::ALL {
            let information = Information::new(qam);
            for db in [-50.0, -29.97, -7.33, 4.44, 13.05] {
                let exact = symbol_information(qam, from_db(db)).capacity;
                assert!((information.at(from_db(db)) / exact - 1.0).abs() < 1e-3, "{qam:?} {db}");
                assert!((information.inverse_db(information.at(from_db(db))) - db).abs() < 1e-4, "{qam:?} {db}");
            }
            assert_eq!((information.at(0.0), information.at(1e9)), (0.0, information.capacities[650]));
        }
    }

    #[test]
    fn the_approximation_falls_with_snr_and_is_inverted() {
        let db = normal_approximation_db(Qam::Qam16, 1000, 500, 1e-2);
        assert!((normal_approximation(Qam::Qam16, from_db(db), 1000, 500) - 1e-2).abs() < 1e-6);
        let limit = bisect(-10.0, 30.0, |db| symbol_information(Qam::Qam16, from_db(db)).capacity >= 2.0);
        assert!(db > limit && db < limit + 1.5, "{db} {limit}");
    }
}
