//! Compares the simulated channel with its closed forms.
//!
//! Seeds are fixed. Each statistical check is set to fail a correct channel once in 10 000 seeds: intervals are 3.9
//! standard errors wide on each side, Kolmogorov–Smirnov uses the asymptotic critical value at that level.

use latentlink_phy::{
    ChannelKind, Complex, Conditions, Equaliser, Modulation, NoiseKey, Realisation, SnrDb, Symbols, closed_form, draw,
    equalise, realised_snr_db,
};

const SIGMAS: f64 = 3.9;

fn at(kind: ChannelKind, db: f64) -> Conditions {
    let k_factor = (kind == ChannelKind::Rician).then_some(4.0);
    Conditions::new(kind, Some(SnrDb::try_from(db).unwrap()), k_factor).unwrap()
}

fn key(row: u64) -> NoiseKey {
    NoiseKey { seed: 7, draw: 0, row }
}

/// A fixed sequence of bits, independent of the channel's generator.
fn bits(n: usize) -> Vec<bool> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 63 == 1
    };
    (0..n).map(|_| next()).collect()
}

/// Mean and standard error of independent values.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// The bit error rate in each of `bursts` bursts of `n` symbols, `[bursts]`; bursts are independent, the bits within a
/// burst need not be.
fn error_rates(modulation: Modulation, conditions: &Conditions, bursts: u64, n: usize) -> Vec<f64> {
    let width = n * modulation.bits_per_symbol();
    let all = bits(width * bursts as usize);
    let burst = |row: u64| {
        let sent = &all[row as usize * width..][..width];
        let received = draw(key(row), conditions, n).apply(&modulation.modulate(sent));
        let zf = equalise(received.symbols.reals(), received.h, received.n0, Equaliser::ZeroForcing).unwrap();
        let decided = modulation.demodulate(&zf.reals);
        sent.iter().zip(&decided).filter(|(a, b)| a != b).count() as f64 / width as f64
    };
    (0..bursts).map(burst).collect()
}

#[test]
fn bit_error_rates_meet_the_closed_forms() {
    use ChannelKind::{Awgn, Rayleigh};
    use Modulation::{Bpsk, Qam16, Qpsk};
    type Law = fn(f64) -> f64;
    let cases: [(Modulation, ChannelKind, Law, [f64; 3]); 6] = [
        (Bpsk, Awgn, closed_form::bpsk_awgn, [-12.0, 0.0, 6.0]),
        (Qpsk, Awgn, closed_form::qpsk_awgn, [-12.0, 3.0, 9.0]),
        (Qam16, Awgn, closed_form::qam16_awgn, [-6.0, 6.0, 15.0]),
        (Bpsk, Rayleigh, closed_form::bpsk_rayleigh, [-12.0, 0.0, 15.0]),
        (Qpsk, Rayleigh, closed_form::qpsk_rayleigh, [-12.0, 3.0, 18.0]),
        (Qam16, Rayleigh, closed_form::qam16_rayleigh, [-6.0, 9.0, 21.0]),
    ];
    for (modulation, kind, law, points) in cases {
        for db in points {
            let conditions = at(kind, db);
            let (mean, error) = mean_and_error(&error_rates(modulation, &conditions, 30_000, 2));
            let expected = law(conditions.snr_db().unwrap().linear());
            assert!(
                (mean - expected).abs() < SIGMAS * error,
                "{modulation:?} {conditions}: {mean} ± {error}, expected {expected}"
            );
        }
    }
}

/// The Kolmogorov–Smirnov statistic √n·sup|F_n − F| of a sample against the distribution function `cdf`; it stays below
/// √(ln(2/α)/2) with probability 1 − α.
fn kolmogorov_smirnov(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let gap = |(i, x): (usize, &f64)| {
        let f = cdf(*x);
        (f - i as f64 / n).max((i + 1) as f64 / n - f)
    };
    n.sqrt() * sample.iter().enumerate().map(gap).fold(0.0, f64::max)
}

fn critical(alpha: f64) -> f64 {
    ((2.0 / alpha).ln() / 2.0).sqrt()
}

#[test]
fn fading_magnitudes_follow_rayleigh_and_rice() {
    let magnitudes = |kind| {
        let conditions = at(kind, 0.0);
        (0..20_000).map(|row| draw(key(row), &conditions, 1).h.norm_sqr().sqrt()).collect::<Vec<f64>>()
    };
    let limit = critical(1e-4);
    let rayleigh = magnitudes(ChannelKind::Rayleigh);
    let rician = magnitudes(ChannelKind::Rician);
    // The test has the power to tell the two apart.
    assert!(kolmogorov_smirnov(rician.clone(), closed_form::rayleigh_cdf) > 10.0 * limit);
    let statistic = kolmogorov_smirnov(rayleigh.clone(), closed_form::rayleigh_cdf);
    assert!(statistic < limit, "{statistic}");
    let statistic = kolmogorov_smirnov(rician.clone(), |r| closed_form::rice_cdf(r, 4.0));
    assert!(statistic < limit, "{statistic}");
    for sample in [rayleigh, rician] {
        let power: Vec<f64> = sample.iter().map(|r| r * r).collect();
        let (mean, error) = mean_and_error(&power);
        assert!((mean - 1.0).abs() < SIGMAS * error, "mean power {mean} ± {error}");
    }
}

#[test]
fn fading_phase_is_uniform() {
    let conditions = at(ChannelKind::Rayleigh, 0.0);
    let turn = |row| {
        let h = draw(key(row), &conditions, 1).h;
        f64::from(h.im).atan2(f64::from(h.re)) / std::f64::consts::TAU + 0.5
    };
    let statistic = kolmogorov_smirnov((0..20_000).map(turn).collect(), |u| u);
    assert!(statistic < critical(1e-4), "{statistic}");
}

#[test]
fn noise_is_normal_and_its_parts_uncorrelated() {
    let conditions = at(ChannelKind::Awgn, -5.0);
    let sigma = (conditions.snr_db().unwrap().n0() / 2.0).sqrt();
    let noise: Vec<f64> =
        (0..800).flat_map(|row| draw(key(row), &conditions, 25).noise).map(|v| f64::from(v) / sigma).collect();
    let statistic = kolmogorov_smirnov(noise.clone(), |x| closed_form::q_function(-x));
    assert!(statistic < critical(1e-4), "{statistic}");
    for lag in [1, 2, 50] {
        let products: Vec<f64> = noise.iter().zip(&noise[lag..]).map(|(a, b)| a * b).collect();
        let (mean, error) = mean_and_error(&products);
        assert!(mean.abs() < SIGMAS * error, "lag {lag}: {mean} ± {error}");
    }
}

#[test]
fn measured_snr_meets_the_nominal_one() {
    for db in [-12.0, 0.0, 21.0] {
        let conditions = at(ChannelKind::Awgn, db);
        let x = Modulation::Qpsk.modulate(&bits(50));
        let realised: Vec<f64> = (0..2000)
            .map(|row| realised_snr_db(&x, &draw(key(row), &conditions, 25)).unwrap())
            .map(|db| 10f64.powf(-db / 10.0))
            .collect();
        let (mean, error) = mean_and_error(&realised);
        let n0 = conditions.snr_db().unwrap().n0();
        assert!((mean - n0).abs() < SIGMAS * error, "{db} dB: N0 {mean} ± {error}, expected {n0}");
    }
}

#[test]
fn realised_snr_is_that_of_the_received_burst() {
    let x = Modulation::Qam16.modulate(&bits(100));
    let realisation = draw(key(3), &at(ChannelKind::Rayleigh, 6.0), 25);
    let y = realisation.apply(&x);
    let faded = Realisation { noise: vec![0.0; 50], ..realisation.clone() }.apply(&x).symbols;
    let power = |v: &[f32]| v.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
    let noise: Vec<f32> = y.symbols.reals().iter().zip(faded.reals()).map(|(y, x)| y - x).collect();
    let expected = 10.0 * (power(faded.reals()) / power(&noise)).log10();
    assert!((realised_snr_db(&x, &realisation).unwrap() - expected).abs() < 1e-4);
    assert_eq!(realised_snr_db(&x, &draw(key(3), &Conditions::None, 25)), None);
    let zeros = Symbols::new(vec![0.0; 50]).unwrap();
    assert_eq!(realised_snr_db(&zeros, &realisation), None);
}

#[test]
fn the_noise_depends_on_the_key_alone() {
    let unit = |kind, db, n| -> Vec<f64> {
        let conditions = at(kind, db);
        let sigma = (conditions.snr_db().unwrap().n0() / 2.0).sqrt();
        draw(key(11), &conditions, n).noise.iter().map(|v| f64::from(*v) / sigma).collect()
    };
    let reference = unit(ChannelKind::Awgn, 0.0, 25);
    for kind in [ChannelKind::Awgn, ChannelKind::Rayleigh, ChannelKind::Rician] {
        for db in [-12.0, 3.0, 21.0] {
            let close = unit(kind, db, 25).iter().zip(&reference).all(|(a, b)| (a - b).abs() < 1e-6);
            assert!(close, "{kind} {db} dB");
        }
    }
    assert_eq!(unit(ChannelKind::Awgn, 0.0, 40)[..50], reference);
    let h = |db| draw(key(11), &at(ChannelKind::Rayleigh, db), 1).h;
    assert_eq!(h(-12.0), h(21.0));
    // The Rician scattered part is the Rayleigh one, scaled.
    let (rayleigh, rician) = (h(0.0), draw(key(11), &at(ChannelKind::Rician, 0.0), 9).h);
    let scale = 0.2f32.sqrt();
    assert!((rician.im - scale * rayleigh.im).abs() < 1e-6);
    assert!((rician.re - 0.8f32.sqrt() - scale * rayleigh.re).abs() < 1e-6);
}

#[test]
fn every_field_of_the_key_counts() {
    let conditions = at(ChannelKind::Rayleigh, 0.0);
    let base = NoiseKey { seed: 1, draw: 2, row: 3 };
    let others = [
        NoiseKey { seed: 2, ..base },
        NoiseKey { draw: 1, ..base },
        NoiseKey { row: 4, ..base },
        NoiseKey { seed: 3, draw: 2, row: 1 },
        NoiseKey { seed: 1 << 40 | 1, ..base },
        NoiseKey { row: 1 << 40 | 3, ..base },
    ];
    let drawn = draw(base, &conditions, 4);
    assert_eq!(drawn, draw(base, &conditions, 4));
    for other in others {
        let other_drawn = draw(other, &conditions, 4);
        assert_ne!(other_drawn.noise, drawn.noise, "{other:?}");
        assert_ne!(other_drawn.h, drawn.h, "{other:?}");
    }
}

#[test]
fn noiseless_is_the_identity_bit_for_bit() {
    let x = Symbols::new(vec![1.5, -0.0, 1e-40, f32::MAX]).unwrap();
    let received = draw(key(0), &Conditions::None, 2).apply(&x);
    assert_eq!(received.symbols.to_le_bytes(), x.to_le_bytes());
    assert_eq!((received.h, received.n0), (Complex::ONE, 0.0));
}

#[test]
fn huge_symbols_stay_finite() {
    let x = Symbols::new(vec![f32::MAX; 50]).unwrap();
    for row in 0..20 {
        let y = draw(key(row), &at(ChannelKind::Rayleigh, -200.0), 25).apply(&x);
        assert!(y.symbols.reals().iter().all(|v| v.is_finite()));
    }
}

/// The noise variance E|v|² of x̂ = g·x + v, measured over many draws of w at a fixed h, equals `Equalised::noise_var`.
#[test]
fn equalisers_leave_the_noise_they_declare() {
    let x = Modulation::Qpsk.modulate(&bits(50));
    for db in [-12.0, 0.0, 12.0] {
        let h = draw(key(1), &at(ChannelKind::Rayleigh, db), 1).h;
        for equaliser in [Equaliser::Mmse, Equaliser::ZeroForcing] {
            let (mut noise, mut error, mut declared) = (Vec::new(), Vec::new(), (0.0, 0.0));
            for row in 0..2000 {
                let w = draw(key(row), &at(ChannelKind::Awgn, db), 25);
                let y = Realisation { h, ..w }.apply(&x);
                let e = equalise(y.symbols.reals(), y.h, y.n0, equaliser).unwrap();
                let gain = if equaliser == Equaliser::Mmse { e.rho } else { 1.0 };
                let power = |gain: f32| {
                    let v = e.reals.iter().zip(x.reals()).map(|(e, x)| f64::from(e - gain * x).powi(2));
                    v.sum::<f64>() / 25.0
                };
                noise.push(power(gain));
                error.push(power(1.0));
                declared = (f64::from(e.noise_var), f64::from(1.0 - e.rho));
            }
            let (mean, spread) = mean_and_error(&noise);
            assert!((mean - declared.0).abs() < SIGMAS * spread, "{equaliser} {db}: {mean} ± {spread}, {declared:?}");
            if equaliser == Equaliser::Mmse {
                let (mean, spread) = mean_and_error(&error);
                assert!((mean - declared.1).abs() < SIGMAS * spread, "mse {db}: {mean} ± {spread}, {declared:?}");
            }
        }
    }
}

/// `Realisation::rho`, known before anything is sent, equals the `rho` of the equalised burst bit for bit.
#[test]
fn rho_of_a_realisation_is_that_of_its_equalised_burst_and_of_no_burst_at_all() {
    let mut seen = std::collections::HashSet::new();
    for kind in [ChannelKind::Awgn, ChannelKind::Rayleigh, ChannelKind::Rician] {
        for (row, db) in [(0, -12.0), (1, 0.0), (2, 21.0), (3, 200.0)] {
            let conditions = at(kind, db);
            let received = draw(key(row), &conditions, 3).apply(&Symbols::new(vec![0.5; 6]).unwrap());
            let rho = draw(key(row), &conditions, 0).rho();
            for equaliser in [Equaliser::Mmse, Equaliser::ZeroForcing] {
                let equalised = equalise(received.symbols.reals(), received.h, received.n0, equaliser).unwrap();
                assert_eq!(equalised.rho.to_bits(), rho.to_bits(), "{conditions}, {equaliser}");
            }
            seen.insert(rho.to_bits());
        }
    }
    assert!(seen.len() > 9, "only {} values", seen.len());
    assert_eq!(draw(key(0), &Conditions::None, 0).rho(), 1.0);
}
