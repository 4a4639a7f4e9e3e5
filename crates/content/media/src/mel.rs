use std::f64::consts::TAU;
use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};

use crate::{Error, RATE_HZ};

/// Mel bands.
pub const MEL_BANDS: usize = 80;
/// Frames of a window, 100 a second.
pub const MEL_FRAMES: usize = 3_000;
/// Samples of a window: 30 s at [`RATE_HZ`].
pub const WINDOW_SAMPLES: usize = MEL_FRAMES * HOP;

const FFT: usize = 400;
const HOP: usize = 160;
const BINS: usize = FFT / 2 + 1;

/// Whisper's log-mel spectrum (Radford et al. 2023, section 2.2): periodic Hann window of 25 ms every 10 ms, |FFT|²,
/// 80 Slaney filters from 0 to 8 kHz, then x = log10 max(·, 1e-10), max(x, max x − 8) and (x + 4) / 4.
pub struct LogMel {
    fft: Arc<dyn RealToComplex<f64>>,
    window: Vec<f64>,
    /// `[MEL_BANDS, BINS]`.
    filters: Vec<f64>,
}

impl Default for LogMel {
    fn default() -> Self {
        Self::new()
    }
}

impl LogMel {
    /// Plans the transform and lays out the filters.
    #[must_use]
    pub fn new() -> Self {
        let window = (0..FFT).map(|n| 0.5 - 0.5 * (TAU * n as f64 / FFT as f64).cos()).collect();
        Self { fft: RealFftPlanner::new().plan_fft_forward(FFT), window, filters: filters() }
    }

    /// The spectrum `[MEL_BANDS, MEL_FRAMES]`, row by row, of at most [`WINDOW_SAMPLES`] samples `[time]` at
    /// [`RATE_HZ`]; silence fills the window up.
    ///
    /// # Errors
    ///
    /// [`Error::Window`] if there are more samples.
    pub fn window(&self, pcm: &[f32]) -> Result<Vec<f32>, Error> {
        if pcm.len() > WINDOW_SAMPLES {
            return Err(Error::Window { limit: WINDOW_SAMPLES, got: pcm.len() });
        }
        let (mut frame, mut spectrum) = (self.fft.make_input_vec(), self.fft.make_output_vec());
        let mut scratch = self.fft.make_scratch_vec();
        let mut mel = vec![0.0; MEL_BANDS * MEL_FRAMES];
        for t in 0..MEL_FRAMES {
            for (n, (x, w)) in frame.iter_mut().zip(&self.window).enumerate() {
                *x = w * f64::from(pcm.get(reflected(t * HOP + n)).copied().unwrap_or(0.0));
            }
            self.fft
                .process_with_scratch(&mut frame, &mut spectrum, &mut scratch)
                .expect("buffers of the plan's sizes");
            for (band, filter) in self.filters.chunks_exact(BINS).enumerate() {
                let power: f64 = filter.iter().zip(&spectrum).map(|(f, s)| f * s.norm_sqr()).sum();
                mel[band * MEL_FRAMES + t] = power.max(1e-10).log10();
            }
        }
        let floor = mel.iter().copied().fold(f64::NEG_INFINITY, f64::max) - 8.0;
        Ok(mel.into_iter().map(|x| ((x.max(floor) + 4.0) / 4.0) as f32).collect())
    }
}

/// Sample of the window that stands at place n of the window padded by half a transform, mirrored at both ends.
fn reflected(n: usize) -> usize {
    let (left, last) = (FFT / 2, WINDOW_SAMPLES - 1);
    let n = n.abs_diff(left);
    if n > last { 2 * last - n } else { n }
}

/// Slaney's mel scale (Auditory Toolbox): linear below 1 kHz, logarithmic above.
fn hz(mel: f64) -> f64 {
    if mel < 15.0 { mel * 200.0 / 3.0 } else { 1000.0 * ((mel - 15.0) * 6.4f64.ln() / 27.0).exp() }
}

/// Triangles of equal area, evenly spaced in mel from 0 Hz to half the rate.
fn filters() -> Vec<f64> {
    let nyquist = f64::from(RATE_HZ) / 2.0;
    let top = 15.0 + (nyquist / 1000.0).ln() * 27.0 / 6.4f64.ln();
    let edge = |i: usize| hz(top * i as f64 / (MEL_BANDS + 1) as f64);
    let mut filters = Vec::with_capacity(MEL_BANDS * BINS);
    for band in 0..MEL_BANDS {
        let (low, centre, high) = (edge(band), edge(band + 1), edge(band + 2));
        for bin in 0..BINS {
            let f = nyquist * bin as f64 / (BINS - 1) as f64;
            let slope = ((f - low) / (centre - low)).min((high - f) / (high - centre));
            filters.push(slope.max(0.0) * 2.0 / (high - low));
        }
    }
    filters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_is_loudest_in_the_band_around_it() {
        let pcm: Vec<f32> = (0..16_000).map(|n| (TAU * 1000.0 * n as f64 / 16_000.0).sin() as f32).collect();
        let mel = LogMel::new().window(&pcm).unwrap();
        let loudest =
            (0..MEL_BANDS).max_by(|&a, &b| mel[a * MEL_FRAMES + 50].total_cmp(&mel[b * MEL_FRAMES + 50])).unwrap();
        let top = 15.0 + 8f64.ln() * 27.0 / 6.4f64.ln();
        let edge = |i: usize| hz(top * i as f64 / 81.0);
        assert!(edge(loudest) < 1000.0 && 1000.0 < edge(loudest + 2), "{loudest}");
    }

    #[test]
    fn more_than_a_window_is_refused() {
        let error = LogMel::new().window(&vec![0.0; WINDOW_SAMPLES + 1]).unwrap_err();
        assert_eq!(error.to_string(), "expected at most 480000 samples for one window, got 480001");
    }
}
