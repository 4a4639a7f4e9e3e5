//! Voices and noises of known making.
#![allow(dead_code, reason = "each test binary uses some of them")]

use std::f64::consts::TAU;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// An /a/ of the given pitch at each second: impulses through resonances at 700, 1220, 2600 and 3300 Hz, largest sample 0.5.
pub fn vowel(seconds: f64, f0_hz: impl Fn(f64) -> f64) -> Vec<f32> {
    let (rate, mut phase) = (16_000.0, 0.0);
    let mut x: Vec<f64> = (0..(seconds * rate) as usize)
        .map(|n| {
            phase += f0_hz(n as f64 / rate) / rate;
            let pulse = phase >= 1.0;
            phase -= f64::from(u8::from(pulse));
            f64::from(u8::from(pulse))
        })
        .collect();
    for (hertz, width) in [(700.0, 80.0), (1220.0, 90.0), (2600.0, 120.0), (3300.0, 150.0)] {
        let radius = (-TAU / 2.0 * width / rate).exp();
        let (b, c) = (2.0 * radius * (TAU * hertz / rate).cos(), -radius * radius);
        for n in 0..x.len() {
            x[n] += b * n.checked_sub(1).map_or(0.0, |k| x[k]) + c * n.checked_sub(2).map_or(0.0, |k| x[k]);
        }
    }
    let largest = x.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    x.iter().map(|x| (0.5 * x / largest) as f32).collect()
}

/// Uniform white noise in ±0.3.
pub fn noise(samples: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..samples).map(|_| rng.random_range(-0.3f32..0.3)).collect()
}
