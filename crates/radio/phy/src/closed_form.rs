//! Closed forms of bit error rates and fading distributions, to which the tests compare the simulated channel.
//!
//! `gamma` = γ is Es/N0 per complex symbol as a linear ratio, over fading its mean.

use libm::{erfc, lgamma};

/// The tail probability of the standard normal distribution, Q(x) = ½ erfc(x/√2).
pub fn q_function(x: f64) -> f64 {
    0.5 * erfc(x * std::f64::consts::FRAC_1_SQRT_2)
}

/// E\[Q(√(2cγ|h|²))\] over Rayleigh fading, h ~ CN(0, 1): ½(1 − √(cγ/(1 + cγ))).
fn q_rayleigh(c: f64, gamma: f64) -> f64 {
    let mean = c * gamma;
    0.5 * (1.0 - (mean / (1.0 + mean)).sqrt())
}

/// The bit error rate of BPSK over AWGN at linear Es/N0 γ: ½ erfc(√γ).
pub fn bpsk_awgn(gamma: f64) -> f64 {
    0.5 * erfc(gamma.sqrt())
}

/// The bit error rate of BPSK over Rayleigh fading with perfect CSI at mean linear Es/N0 γ: ½(1 − √(γ/(1+γ))).
pub fn bpsk_rayleigh(gamma: f64) -> f64 {
    q_rayleigh(1.0, gamma)
}

/// The bit error rate of Gray-mapped QPSK over AWGN at linear Es/N0 γ: Q(√γ).
pub fn qpsk_awgn(gamma: f64) -> f64 {
    q_function(gamma.sqrt())
}

/// The bit error rate of Gray-mapped QPSK over Rayleigh fading with perfect CSI at mean linear Es/N0 γ:
/// ½(1 − √(γ/(2+γ))).
pub fn qpsk_rayleigh(gamma: f64) -> f64 {
    q_rayleigh(0.5, gamma)
}

/// The bit error rate of Gray-mapped 16-QAM over AWGN with hard decisions at linear Es/N0 γ:
/// ¼[3Q(a) + 2Q(3a) − Q(5a)], a = √(γ/5).
pub fn qam16_awgn(gamma: f64) -> f64 {
    let a = (gamma / 5.0).sqrt();
    0.25 * (3.0 * q_function(a) + 2.0 * q_function(3.0 * a) - q_function(5.0 * a))
}

/// The bit error rate of Gray-mapped 16-QAM over Rayleigh fading with hard decisions and perfect CSI at mean linear
/// Es/N0 γ: that of [`qam16_awgn`] with each Q(k·a) averaged over h ~ CN(0, 1), which gives ½(1 − √(m/(1+m))), m =
/// k²γ/10.
pub fn qam16_rayleigh(gamma: f64) -> f64 {
    let term = |k: f64| q_rayleigh(k * k / 10.0, gamma);
    0.25 * (3.0 * term(1.0) + 2.0 * term(3.0) - term(5.0))
}

/// The cumulative distribution of the Rayleigh magnitude, P(|h| ≤ r) for h ~ CN(0, 1): 1 − exp(−r²); 0 for r ≤ 0.
pub fn rayleigh_cdf(r: f64) -> f64 {
    if r <= 0.0 { 0.0 } else { -(-r * r).exp_m1() }
}

/// The cumulative distribution of the Rician magnitude, P(|h| ≤ r) for h with E|h|² = 1 and the linear K factor `k`; 0
/// for r ≤ 0.
///
/// (1+K)|h|² is a Poisson(K) mixture of Gamma(j+1) distributions, whose distribution functions are Poisson sums:
/// F = Σ_j Pois(j; K)·P(N > j), N ~ Poisson((1+K)r²). Terms are summed to 12 standard deviations above K.
pub fn rice_cdf(r: f64, k: f64) -> f64 {
    if r <= 0.0 {
        return 0.0;
    }
    let x = (1.0 + k) * r * r;
    let last = (k + 12.0 * k.sqrt() + 40.0) as u32;
    let (mut below, mut cdf) = (0.0, 0.0);
    for j in 0..=last {
        below += poisson(j, x);
        cdf += poisson(j, k) * (1.0 - below);
    }
    cdf.clamp(0.0, 1.0)
}

fn poisson(j: u32, mean: f64) -> f64 {
    if mean == 0.0 {
        return if j == 0 { 1.0 } else { 0.0 };
    }
    let j = f64::from(j);
    (j * mean.ln() - mean - lgamma(j + 1.0)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}");
        near(q_function(1.0), 0.158655);
        near(bpsk_awgn(1.0), 0.078650);
        near(bpsk_rayleigh(1.0), 0.146447);
        // Two bits at half the energy each are two BPSK.
        near(qpsk_awgn(2.0), bpsk_awgn(1.0));
        near(qpsk_rayleigh(2.0), bpsk_rayleigh(1.0));
    }

    /// The error rates over Rayleigh fading equal those over AWGN averaged over an exponential |h|² by the midpoint
    /// rule.
    #[test]
    fn rayleigh_laws_are_averages_of_awgn_laws() {
        let average = |law: fn(f64) -> f64, gamma: f64| {
            let steps = 200_000;
            let quantile = |u: f64| -(-u).ln_1p();
            (0..steps).map(|k| law(gamma * quantile((f64::from(k) + 0.5) / f64::from(steps)))).sum::<f64>()
                / f64::from(steps)
        };
        for gamma in [0.1, 1.0, 20.0] {
            assert!((average(bpsk_awgn, gamma) - bpsk_rayleigh(gamma)).abs() < 1e-5);
            assert!((average(qpsk_awgn, gamma) - qpsk_rayleigh(gamma)).abs() < 1e-5);
            assert!((average(qam16_awgn, gamma) - qam16_rayleigh(gamma)).abs() < 1e-5);
        }
    }

    /// The Rician distribution equals the integral of its density, whose Bessel function is integrated numerically too.
    #[test]
    fn rice_law_is_the_integral_of_its_density() {
        let bessel_scaled = |x: f64| {
            let n = 400;
            let at = |i: i32| (x * ((f64::from(i) + 0.5) * std::f64::consts::PI / f64::from(n)).cos() - x).exp();
            (0..n).map(at).sum::<f64>() / f64::from(n)
        };
        for k in [0.0f64, 1.0, 4.0, 50.0] {
            let density = |t: f64| {
                let z = 2.0 * t * (k * (1.0 + k)).sqrt();
                2.0 * (1.0 + k) * t * (z - k - (1.0 + k) * t * t).exp() * bessel_scaled(z)
            };
            for r in [0.3, 1.0, 1.6] {
                let n = 2000;
                let sum: f64 = (0..n).map(|i| density((f64::from(i) + 0.5) * r / f64::from(n))).sum();
                let integral = sum * r / f64::from(n);
                assert!((integral - rice_cdf(r, k)).abs() < 1e-5, "K {k} r {r}: {integral} {}", rice_cdf(r, k));
            }
            assert!(rice_cdf(10.0, k) > 1.0 - 1e-9);
        }
        assert!((rice_cdf(0.7, 0.0) - rayleigh_cdf(0.7)).abs() < 1e-12);
    }
}
