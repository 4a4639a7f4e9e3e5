//! The mel-cepstrum: the shape of the vocal tract's envelope in 25 numbers.

use std::f64::consts::PI;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use crate::{HOP, RATE_HZ};

/// Coefficients, the level among them.
pub(crate) const COEFFICIENTS: usize = 25;
/// 30 ms: three periods of a pitch of 100 Hz.
const WINDOW: usize = 480;
const FFT: usize = 512;
const BINS: usize = FFT / 2 + 1;
/// Largest order of the envelope's cepstrum; a pitch above 148 Hz asks for a smaller one.
const ENVELOPE_ORDER: usize = 54;
/// The envelope may lie this far below a peak, in nepers: 2 dB.
const TOLERANCE: f64 = 0.23;
/// Rounds after which the envelope is taken as it is; speech takes about seven.
const ROUNDS: usize = 50;
/// Least amplitude told, 120 dB below full scale.
const FLOOR: f64 = 1e-6;

/// Mel-cepstra of single rows; holds the transforms' plans.
pub(crate) struct MelCepstrum {
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    window: Vec<f64>,
    /// Where each bin of the mel axis lies among the bins of the linear one.
    warp: Vec<(usize, f64)>,
    real: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl MelCepstrum {
    pub fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(FFT), planner.plan_fft_inverse(FFT));
        let hann = |n: usize| 0.5 - 0.5 * (2.0 * PI * (n as f64 + 0.5) / WINDOW as f64).cos();
        let total: f64 = (0..WINDOW).map(hann).sum();
        let scratch = vec![Complex::default(); forward.get_scratch_len().max(inverse.get_scratch_len())];
        Self {
            window: (0..WINDOW).map(|n| hann(n) / total).collect(),
            warp: (0..BINS).map(warped).collect(),
            real: forward.make_input_vec(),
            spectrum: forward.make_output_vec(),
            scratch,
            forward,
            inverse,
        }
    }

    /// c₀ … c₂₄ of the row's 30 ms such that ln |envelope| at mel place w of [0, π] is c₀ + Σ c_k cos(k w). The envelope is
    /// of the amplitude of a sinusoid under a window of sum one, that is, half its own; outside the clip is silence.
    pub fn of(&mut self, pcm: &[f32], row: usize, f0_hz: Option<f64>) -> [f64; COEFFICIENTS] {
        let start = (row * HOP + HOP / 2) as isize - (WINDOW / 2) as isize;
        let skip = start.min(0).unsigned_abs();
        self.real.fill(0.0);
        let part = pcm.iter().skip(start.max(0).unsigned_abs());
        for ((x, w), s) in self.real[skip..].iter_mut().zip(&self.window[skip..]).zip(part) {
            *x = f64::from(*s) * w;
        }
        self.transform();
        let logs: Vec<f64> = self.spectrum.iter().map(|s| s.norm().max(FLOOR).ln()).collect();
        let order = f0_hz.map_or(ENVELOPE_ORDER, |f0| (0.5 * f64::from(RATE_HZ) / f0).round() as usize);
        let envelope = self.envelope(logs, order.min(ENVELOPE_ORDER));
        self.warped_cepstrum(&envelope)
    }

    /// The true envelope (Röbel and Rodet 2005, section 3): the spectrum of a low-order cepstrum, again and again of the
    /// larger of itself and the logarithmic spectrum, until no peak stands out. The order is half the rate over the pitch
    /// (section 4), so that the dips between harmonics are not followed.
    fn envelope(&mut self, mut logs: Vec<f64>, order: usize) -> Vec<f64> {
        let target = logs.clone();
        for _ in 0..ROUNDS {
            self.cepstrum(&logs);
            self.real[order + 1..FFT - order].fill(0.0);
            self.transform();
            let smooth = self.spectrum.iter().map(|s| s.re);
            let missed = smooth.clone().zip(&target).fold(0.0f64, |m, (s, t)| m.max(t - s));
            if missed < TOLERANCE {
                return smooth.collect();
            }
            for ((l, t), s) in logs.iter_mut().zip(&target).zip(smooth) {
                *l = t.max(s);
            }
        }
        self.spectrum.iter().map(|s| s.re).collect()
    }

    /// The cepstrum of a logarithmic spectrum `[BINS]` drawn over the mel axis.
    fn warped_cepstrum(&mut self, logs: &[f64]) -> [f64; COEFFICIENTS] {
        let at = |&(bin, part): &(usize, f64)| logs[bin] + part * (logs[(bin + 1).min(BINS - 1)] - logs[bin]);
        let warped: Vec<f64> = self.warp.iter().map(at).collect();
        self.cepstrum(&warped);
        std::array::from_fn(|k| self.real[k] * if k == 0 { 1.0 } else { 2.0 })
    }

    /// `spectrum` becomes the transform of `real`.
    fn transform(&mut self) {
        self.forward
            .process_with_scratch(&mut self.real, &mut self.spectrum, &mut self.scratch)
            .expect("buffers of the plan's sizes");
    }

    /// `real` becomes the even cepstrum of a logarithmic spectrum `[BINS]`.
    fn cepstrum(&mut self, logs: &[f64]) {
        for (s, l) in self.spectrum.iter_mut().zip(logs) {
            *s = Complex::new(l / FFT as f64, 0.0);
        }
        self.inverse
            .process_with_scratch(&mut self.spectrum, &mut self.real, &mut self.scratch)
            .expect("buffers of the plan's sizes");
    }
}

/// O'Shaughnessy's mel scale.
fn mel(hz: f64) -> f64 {
    1127.0 * (hz / 700.0).ln_1p()
}

/// The linear bin, and how far to the next, at a bin of the mel axis.
fn warped(bin: usize) -> (usize, f64) {
    let (top, last) = (f64::from(RATE_HZ) / 2.0, (BINS - 1) as f64);
    let hz = 700.0 * (mel(top) * bin as f64 / last / 1127.0).exp_m1();
    let place = (hz / top * last).clamp(0.0, last);
    (place as usize, place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ln |1 / A| at a frequency, for two resonances.
    fn tract(hz: f64) -> f64 {
        let rate = f64::from(RATE_HZ);
        let gain = |(centre, width): (f64, f64)| {
            let radius = (-PI * width / rate).exp();
            let (w, pole) = (2.0 * PI * hz / rate, 2.0 * PI * centre / rate);
            let factor = |sign: f64| 1.0 - 2.0 * radius * (w - sign * pole).cos() + radius * radius;
            -0.5 * (factor(1.0) * factor(-1.0)).ln()
        };
        gain((600.0, 300.0)) + gain((2200.0, 500.0))
    }

    #[test]
    fn a_cosine_over_the_mel_axis_is_one_coefficient() {
        let logs: Vec<f64> = (0..BINS)
            .map(|bin| {
                let place = mel(8000.0 * bin as f64 / (BINS - 1) as f64) / mel(8000.0);
                -3.0 + 0.7 * (PI * place).cos() - 0.2 * (4.0 * PI * place).cos()
            })
            .collect();
        let got = MelCepstrum::new().warped_cepstrum(&logs);
        for (k, c) in got.iter().enumerate() {
            let want = [-3.0, 0.7, 0.0, 0.0, -0.2].get(k).copied().unwrap_or(0.0);
            assert!((c - want).abs() < 2e-3, "c{k} is {c}, not {want}");
        }
    }

    #[test]
    fn pulses_through_a_known_filter_have_its_cepstrum() {
        // Its cepstrum by the integral; the amplitude of a harmonic is that of the filter over the period.
        let points = 20_000;
        let want: Vec<f64> = (0..COEFFICIENTS)
            .map(|k| {
                let value = |n: usize| {
                    let place = (n as f64 + 0.5) / points as f64;
                    let hz = 700.0 * (mel(8000.0) * place / 1127.0).exp_m1();
                    tract(hz) * (PI * k as f64 * place).cos()
                };
                (0..points).map(value).sum::<f64>() / points as f64 * if k == 0 { 1.0 } else { 2.0 }
            })
            .collect();
        for period in [160usize, 100] {
            let mut x = vec![0.0f64; 3_200];
            for n in (0..x.len()).step_by(period) {
                x[n] = 1.0;
            }
            for (centre, width) in [(600.0, 300.0), (2200.0, 500.0)] {
                let radius = (-PI * width / 16_000.0f64).exp();
                let (b, c) = (2.0 * radius * (2.0 * PI * centre / 16_000.0f64).cos(), -radius * radius);
                for n in 2..x.len() {
                    x[n] += b * x[n - 1] + c * x[n - 2];
                }
            }
            let pcm: Vec<f32> = x.iter().map(|x| *x as f32).collect();
            let got = MelCepstrum::new().of(&pcm, 9, Some(16_000.0 / period as f64));
            let level = got[0] - (want[0] - (period as f64).ln());
            let worst = got.iter().zip(&want).skip(1).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            println!("period {period}: level off by {level:.3}, the others by up to {worst:.3}");
            // The envelope may lie below the peaks by its tolerance, and does so alike at all of them.
            assert!(-TOLERANCE < level && level < 0.02 && worst < 0.03, "{period}: {level} {worst}");
        }
    }

    #[test]
    fn silence_is_flat_at_the_floor() {
        let got = MelCepstrum::new().of(&[0.0; 1_600], 3, None);
        assert!((got[0] - FLOOR.ln()).abs() < 1e-9 && got[1..].iter().all(|c| c.abs() < 1e-9), "{got:?}");
    }
}
