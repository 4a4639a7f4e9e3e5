//! Tests with fixed seeds. Each bounds its statistic so that a correct implementation exceeds the bound for less than
//! one seed in 10 000.

use super::*;

const REALS: usize = 50;

fn draws(law: ChannelLaw, seed: u64, n: usize, equaliser: Equaliser) -> Vec<Met> {
    let mut stream = Stream::new(seed, &[]);
    (0..n).map(|_| law.draw(&mut stream, REALS, equaliser).unwrap()).collect()
}

fn law(channel: TrainChannel, low: f64, high: f64) -> ChannelLaw {
    ChannelLaw { channel, snr_db: (low, high), skew: 1.0 }
}

fn energy(offset: &[f32]) -> f64 {
    offset.iter().map(|v| f64::from(*v).powi(2)).sum()
}

/// Asserts that noise of total energy `energies` in `reals` values has the spectral density `n0`. Es is 1, so the
/// measured N0 over the nominal one is χ² with as many degrees of freedom as there are reals, over their number; the
/// bound is 3.9 standard deviations.
fn assert_n0(energies: f64, reals: usize, n0: f64) {
    let ratio = energies / (reals as f64 / 2.0) / n0;
    let error = (2.0 / reals as f64).sqrt();
    assert!((ratio - 1.0).abs() < 3.9 * error, "N0 is {ratio} times the nominal one");
}

/// Kolmogorov–Smirnov test of `sample` against `cdf`: √n·D exceeds 2.23 with probability 2·exp(−2·2.23²) < 1e-4.
fn assert_distribution(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let apart = |(i, x): (usize, &f64)| (cdf(*x) - i as f64 / n).abs().max((cdf(*x) - (i + 1) as f64 / n).abs());
    let d = sample.iter().enumerate().map(apart).fold(0.0, f64::max);
    assert!(n.sqrt() * d < 2.23, "√n·D is {}", n.sqrt() * d);
}

#[test]
fn awgn_has_the_nominal_ratio_of_energy_to_noise() {
    for (seed, snr_db) in [(1, -15.0), (2, 0.0), (3, 21.0)] {
        let n0 = 10f64.powf(-snr_db / 10.0);
        // With h = 1, zero forcing leaves the received burst as it is.
        let met = draws(law(TrainChannel::Awgn, snr_db, snr_db), seed, 1000, Equaliser::ZeroForcing);
        for met in &met {
            assert_eq!(met.channel.gain, (1.0, 0.0));
            assert!((f64::from(met.rho) * (1.0 + n0) - 1.0).abs() < 1e-5);
        }
        assert_n0(met.iter().map(|m| energy(&m.channel.offset)).sum(), 1000 * REALS, n0);
    }
}

#[test]
fn rayleigh_fading_is_exponential_in_power_and_has_the_nominal_noise() {
    let (snr_db, n0) = (6.0, 10f64.powf(-0.6));
    let met = draws(law(TrainChannel::Rayleigh, snr_db, snr_db), 4, 2000, Equaliser::ZeroForcing);
    let power = |met: &Met| n0 * f64::from(met.rho) / (1.0 - f64::from(met.rho));
    assert_n0(met.iter().map(|m| power(m) * energy(&m.channel.offset)).sum(), 2000 * REALS, n0);
    assert_distribution(met.iter().map(power).collect(), |x| 1.0 - (-x).exp());
}

/// With MMSE, Ẑ = ρ·Z + v with E|v|² = ρ(1 − ρ).
#[test]
fn the_mmse_equaliser_shrinks_by_what_the_receiver_is_told() {
    let met = draws(law(TrainChannel::Rayleigh, -6.0, 12.0), 5, 2000, Equaliser::Mmse);
    let mut relative = 0.0;
    for met in &met {
        assert!((met.channel.gain.0 - met.rho).abs() < 1e-5 && met.channel.gain.1.abs() < 1e-6);
        let rho = f64::from(met.rho);
        relative += energy(&met.channel.offset) / (rho * (1.0 - rho));
    }
    assert_n0(relative, 2000 * REALS, 1.0);
}

#[test]
fn a_noiseless_burst_arrives_as_it_was_sent() {
    for met in draws(law(TrainChannel::None, -15.0, 21.0), 6, 10, Equaliser::Mmse) {
        assert_eq!(met.channel, Affine { gain: (1.0, 0.0), offset: vec![0.0; REALS] });
        assert_eq!(met.rho, 1.0);
    }
}

/// χ² with two degrees of freedom exceeds 18.5 with probability exp(−9.25) < 1e-4.
#[test]
fn the_mix_has_its_shares() {
    let n = 4000;
    let awgn = 1.0 / (1.0 + 10f64.powf(-0.3));
    let mut counts = [0usize; 3];
    for met in draws(law(TrainChannel::Mix, 3.0, 3.0), 7, n, Equaliser::Mmse) {
        let kind = match f64::from(met.rho) {
            1.0 => 0,
            rho if (rho - awgn).abs() < 1e-6 => 1,
            _ => 2,
        };
        counts[kind] += 1;
    }
    let shares = [MIX.0, MIX.1, 1.0 - MIX.0 - MIX.1];
    let expected = shares.map(|share| share * n as f64);
    let square: f64 = counts.iter().zip(expected).map(|(c, e)| (*c as f64 - e).powi(2) / e).sum();
    assert!(square < 18.5, "χ² is {square} for {counts:?}");
}

#[test]
fn snrs_fill_the_range_and_lean_as_far_as_asked() {
    for (seed, skew) in [(8, 1.0), (9, 2.0)] {
        let law = ChannelLaw { skew, ..law(TrainChannel::Awgn, -15.0, 21.0) };
        let snr_db = |met: Met| 10.0 * (f64::from(met.rho) / (1.0 - f64::from(met.rho))).log10();
        let sample: Vec<f64> = draws(law, seed, 2000, Equaliser::Mmse).into_iter().map(snr_db).collect();
        assert_distribution(sample, |snr| ((snr + 15.0) / 36.0).clamp(0.0, 1.0).powf(1.0 / skew));
    }
}

#[test]
fn every_burst_meets_another_channel_and_one_stream_the_same() {
    let law = law(TrainChannel::Rayleigh, 0.0, 0.0);
    let offsets = |seed| -> Vec<Vec<f32>> {
        draws(law, seed, 50, Equaliser::Mmse).into_iter().map(|met| met.channel.offset).collect()
    };
    let met = offsets(10);
    assert_eq!(met, offsets(10));
    for (i, offset) in met.iter().enumerate() {
        assert!(!met[..i].contains(offset));
    }
}
