//! Tests of the constellations: hard decisions against closed forms, soft decisions against direct evaluation.

use latentlink_fec::{Demapping, LLR_LIMIT, Qam, QamError, closed_form};
use phy::{Complex, Equaliser, Modulation, equalise};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// All points of the constellation, `[points, 2]`; the index is the bits as a binary number, the first most
/// significant.
fn points(qam: Qam) -> Vec<[f32; 2]> {
    let symbols = qam.modulate(&words(qam).concat()).unwrap();
    symbols.reals().as_chunks::<2>().0.to_vec()
}

fn words(qam: Qam) -> Vec<Vec<bool>> {
    let width = qam.bits_per_symbol();
    (0..1usize << width).map(|word| (0..width).rev().map(|k| word >> k & 1 == 1).collect()).collect()
}

fn random_bits(rng: &mut ChaCha8Rng, count: usize) -> Vec<bool> {
    (0..count).map(|_| rng.random()).collect()
}

/// Equalised symbols x̂ = g·x + v, `[symbols, 2]`, for the symbols `reals` = x and noise with E|v|² = `noise_var`.
fn received(rng: &mut ChaCha8Rng, reals: &[f32], gain: f32, noise_var: f32) -> Vec<f32> {
    let deviation = (0.5 * noise_var).sqrt();
    reals.iter().map(|x| gain * x + deviation * rng.sample::<f32, _>(StandardNormal)).collect()
}

#[test]
fn points_are_those_of_the_standard() {
    // 5.1.5: ((1 − 2b0)[4 − (1 − 2b2)[2 − (1 − 2b4)]] + j(1 − 2b1)[4 − (1 − 2b3)[2 − (1 − 2b5)]]) / √42.
    let sign = |word: usize, k: usize| 1.0 - 2.0 * (word >> (5 - k) & 1) as f32;
    for (word, point) in points(Qam::Qam64).iter().enumerate() {
        let axis = |a, b, c| sign(word, a) * (4.0 - sign(word, b) * (2.0 - sign(word, c))) / 42f32.sqrt();
        let expected = [axis(0, 2, 4), axis(1, 3, 5)];
        assert!((0..2).all(|k| (point[k] - expected[k]).abs() < 1e-6), "{word}: {point:?} {expected:?}");
    }
    let bits = random_bits(&mut ChaCha8Rng::seed_from_u64(1), 400);
    for (qam, modulation) in [(Qam::Qpsk, Modulation::Qpsk), (Qam::Qam16, Modulation::Qam16)] {
        let (ours, theirs) = (qam.modulate(&bits).unwrap(), modulation.modulate(&bits));
        let near = ours.reals().iter().zip(theirs.reals()).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(near, "{qam:?}");
        assert_eq!(qam.demodulate(ours.reals(), 1.0).unwrap(), modulation.demodulate(theirs.reals()));
    }
}

#[test]
fn constellations_have_unit_energy_and_gray_neighbours_and_invert() {
    for qam in Qam::ALL {
        let (points, words) = (points(qam), words(qam));
        let energy = points.iter().map(|[i, q]| f64::from(i * i + q * q)).sum::<f64>() / points.len() as f64;
        assert!((energy - 1.0).abs() < 1e-6, "{qam:?} {energy}");
        assert_eq!(qam.demodulate(points.as_flattened(), 1.0).unwrap(), words.concat());
        let distance = |a: usize, b: usize| (points[a][0] - points[b][0]).hypot(points[a][1] - points[b][1]);
        let least = (1..points.len()).map(|b| distance(0, b)).fold(f32::MAX, f32::min);
        let mut neighbours = 0;
        for a in 0..points.len() {
            for b in (0..points.len()).filter(|&b| b != a && distance(a, b) < 1.01 * least) {
                assert_eq!((a ^ b).count_ones(), 1, "{qam:?} {a} {b}");
                neighbours += 1;
            }
        }
        let side = 1 << (qam.bits_per_symbol() / 2);
        assert_eq!(neighbours, 4 * side * (side - 1), "{qam:?}");
    }
}

/// The bit error rates of hard decisions equal the closed forms, and the rates that the LLRs predict. Nine comparisons
/// of each kind at 4.5 standard deviations: one in seven thousand seeds fails.
#[test]
fn error_rates_are_the_closed_forms_and_what_the_ratios_announce() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for qam in Qam::ALL {
        let law = match qam {
            Qam::Qpsk => phy::closed_form::qpsk_awgn,
            Qam::Qam16 => phy::closed_form::qam16_awgn,
            Qam::Qam64 => closed_form::qam64_awgn,
        };
        for gamma in [3.0f64, 12.0, 40.0] {
            let bits = random_bits(&mut rng, 60_000 * qam.bits_per_symbol());
            let symbols = qam.modulate(&bits).unwrap();
            // Symbols as MMSE equalisation returns them at ρ = γ/(1 + γ).
            let rho = (gamma / (1.0 + gamma)) as f32;
            let reals = received(&mut rng, symbols.reals(), rho, rho * (1.0 - rho));
            let decided = qam.demodulate(&reals, rho).unwrap();
            let errors = decided.iter().zip(&bits).filter(|(a, b)| a != b).count() as f64;
            let expected = bits.len() as f64 * law(gamma);
            assert!(
                (errors - expected).abs() < 4.5 * (expected + 1.0).sqrt(),
                "{qam:?} γ {gamma}: {errors} {expected}"
            );
            let llrs = qam.demap(&reals, rho, rho * (1.0 - rho), Demapping::Exact).unwrap();
            let soft_errors = llrs.iter().zip(&bits).filter(|(llr, bit)| (**llr < 0.0) != **bit).count() as f64;
            let announced: f64 = llrs.iter().map(|llr| 1.0 / (1.0 + llr.abs().exp())).sum();
            let near = (soft_errors - announced).abs() < 4.5 * (announced + 1.0).sqrt();
            assert!(near, "{qam:?} γ {gamma}: {soft_errors} announced {announced}");
        }
    }
}

#[test]
fn ratios_are_those_of_all_points() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for qam in Qam::ALL {
        let (points, width) = (points(qam), qam.bits_per_symbol());
        for (gain, noise_var) in [(1.0f32, 0.5f32), (0.7, 0.05), (0.1, 0.09), (1.3, 4.0)] {
            let reals = received(&mut rng, points.as_flattened(), gain, noise_var);
            let exact = qam.demap(&reals, gain, noise_var, Demapping::Exact).unwrap();
            let max_log = qam.demap(&reals, gain, noise_var, Demapping::MaxLog).unwrap();
            for (k, llr) in exact.iter().enumerate() {
                let [i, q] = [0, 1].map(|axis| f64::from(reals[k / width * 2 + axis]));
                let exponents = |bit: usize| {
                    let of_bit = (0..points.len()).filter(move |word| word >> (width - 1 - k % width) & 1 == bit);
                    of_bit.map(|word| {
                        let [a, b] = points[word].map(|x| f64::from(gain * x));
                        -((i - a).powi(2) + (q - b).powi(2)) / f64::from(noise_var)
                    })
                };
                let likelihood = |bit| exponents(bit).map(f64::exp).sum::<f64>();
                let best = |bit| exponents(bit).fold(f64::NEG_INFINITY, f64::max);
                let expected = [(likelihood(0) / likelihood(1)).ln(), best(0) - best(1)];
                for (got, expected) in [*llr, max_log[k]].into_iter().zip(expected) {
                    assert!((got - expected).abs() < 1e-4 * (1.0 + expected.abs()), "{qam:?} {k}: {got} {expected}");
                }
            }
        }
    }
}

#[test]
fn qpsk_ratios_are_linear_and_both_rules_agree() {
    let reals = [0.3, -1.2, 0.01, 2.0];
    let (gain, noise_var) = (0.6f32, 0.24f32);
    for rule in [Demapping::Exact, Demapping::MaxLog] {
        let llrs = Qam::Qpsk.demap(&reals, gain, noise_var, rule).unwrap();
        for (llr, x) in llrs.iter().zip(reals) {
            let expected = 8f64.sqrt() * f64::from(gain) * f64::from(x) / f64::from(noise_var);
            assert!((llr - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{llr} {expected}");
        }
    }
}

#[test]
fn an_equalised_burst_has_the_ratios_of_its_channel() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let (h, n0) = (Complex::new(0.4, -0.9), 0.2f32);
    for qam in Qam::ALL {
        let bits = random_bits(&mut rng, 50 * qam.bits_per_symbol());
        let symbols = qam.modulate(&bits).unwrap();
        let sent = symbols.reals().as_chunks::<2>().0.iter();
        let through: Vec<f32> = sent.flat_map(|[i, q]| [h.re * i - h.im * q, h.re * q + h.im * i]).collect();
        let y = received(&mut rng, &through, 1.0, n0);
        let by = |equaliser| {
            let equalised = equalise(&y, h, n0, equaliser).unwrap();
            qam.demap_equalised(&equalised, equaliser, Demapping::Exact).unwrap()
        };
        // Neither equaliser loses information about x, so the LLRs are equal.
        for (a, b) in by(Equaliser::Mmse).iter().zip(by(Equaliser::ZeroForcing)) {
            assert!((a - b).abs() < 1e-4 * (1.0 + a.abs()), "{qam:?}: {a} {b}");
        }
    }
}

#[test]
fn without_noise_ratios_are_the_limit_and_without_signal_nothing() {
    for qam in Qam::ALL {
        let words = words(qam).concat();
        let symbols = qam.modulate(&words).unwrap();
        for rule in [Demapping::Exact, Demapping::MaxLog] {
            for noise_var in [0.0, f32::MIN_POSITIVE] {
                let llrs = qam.demap(symbols.reals(), 1.0, noise_var, rule).unwrap();
                let expected = words.iter().map(|&bit| if bit { -LLR_LIMIT } else { LLR_LIMIT });
                assert!(llrs.iter().copied().eq(expected), "{qam:?} {rule:?}");
            }
            for noise_var in [0.0, 1.0] {
                let llrs = qam.demap(symbols.reals(), 0.0, noise_var, rule).unwrap();
                assert!(llrs.iter().all(|&llr| llr == 0.0), "{qam:?} {rule:?}");
            }
            let extreme = qam.demap(&[f32::MAX, f32::MIN], 1.0, 1e-45, rule).unwrap();
            assert!(extreme.iter().all(|llr| llr.abs() <= LLR_LIMIT), "{extreme:?}");
        }
    }
}

#[test]
fn what_cannot_be_mapped_is_named() {
    let demap =
        |reals: &[f32], gain, noise_var| Qam::Qam16.demap(reals, gain, noise_var, Demapping::Exact).unwrap_err();
    let error = Qam::Qam64.modulate(&[true; 7]).unwrap_err();
    assert_eq!(error.to_string(), "Qam64 takes at least one symbol and 6 bits a symbol, got 7 bits");
    assert_eq!(Qam::Qpsk.modulate(&[]).unwrap_err(), QamError::RaggedBits { modulation: Qam::Qpsk, bits: 0 });
    assert_eq!(demap(&[1.0], 1.0, 1.0), QamError::OddLength(1));
    assert_eq!(demap(&[1.0, f32::NAN], 1.0, 1.0), QamError::NotFinite { index: 1 });
    assert_eq!(demap(&[1.0, 1.0], -1.0, 1.0), QamError::Gain(-1.0));
    assert_eq!(demap(&[1.0, 1.0], 1.0, -2.0), QamError::NoiseVariance(-2.0));
    assert!(matches!(demap(&[1.0, 1.0], 1.0, f32::INFINITY), QamError::NoiseVariance(_)));
    assert_eq!(Qam::Qpsk.demodulate(&[1.0], 1.0).unwrap_err(), QamError::OddLength(1));
}
