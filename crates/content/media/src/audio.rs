use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

use crate::Error;

/// The rate every front end works at, in Hz.
pub const RATE_HZ: u32 = 16_000;
/// Samples that the resampler takes at a time, at least. The number of its blocks is even: of an odd transform the filter's
/// middle lies between two samples, and the sound would come out half a sample late.
const CHUNK: usize = 1024;

/// Mono sound.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    /// Samples in [−1, 1], `[time]`.
    pub pcm: Vec<f32>,
    /// Sampling rate in Hz.
    pub rate_hz: u32,
}

impl Audio {
    /// Length in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.pcm.len() as f64 / f64::from(self.rate_hz)
    }

    /// The same sound at [`RATE_HZ`], by an FFT with its delay cut off; sound at that rate comes back bit for bit.
    ///
    /// # Errors
    ///
    /// [`Error::Rate`] for a rate that the resampler does not take.
    pub fn resampled(self) -> Result<Self, Error> {
        if self.rate_hz == RATE_HZ {
            return Ok(self);
        }
        let bad = || Error::Rate(self.rate_hz);
        let frames = self.pcm.len();
        let rate = self.rate_hz as usize;
        let block = rate / gcd(rate, RATE_HZ as usize);
        let chunk = block * CHUNK.div_ceil(block).next_multiple_of(2);
        let mut fft = Fft::<f32>::new(rate, RATE_HZ as usize, chunk, 1, FixedSync::Both).map_err(|_| bad())?;
        let input = InterleavedSlice::new(&self.pcm, 1, frames).map_err(|_| bad())?;
        let output = fft.process_all(&input, frames, None).map_err(|_| bad())?;
        Ok(Self { pcm: output.take_data(), rate_hz: RATE_HZ })
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(rate_hz: u32, hz: f64, seconds: f64) -> Audio {
        let step = std::f64::consts::TAU * hz / f64::from(rate_hz);
        let pcm = (0..(seconds * f64::from(rate_hz)) as usize).map(|n| (step * n as f64).sin() as f32).collect();
        Audio { pcm, rate_hz }
    }

    #[test]
    fn a_sine_keeps_frequency_phase_and_length() {
        for rate_hz in [8_000, 44_100, 48_000] {
            let got = sine(rate_hz, 440.0, 1.0).resampled().unwrap();
            let want = sine(RATE_HZ, 440.0, 1.0);
            assert_eq!(got.pcm.len(), want.pcm.len(), "{rate_hz}");
            let worst = (1_000..15_000).map(|n| (got.pcm[n] - want.pcm[n]).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-3, "{rate_hz}: {worst}");
        }
    }

    #[test]
    fn what_lies_above_half_the_rate_is_gone() {
        let got = sine(48_000, 10_000.0, 1.0).resampled().unwrap();
        let loudest = got.pcm[1_000..15_000].iter().fold(0.0f32, |m, x| m.max(x.abs()));
        assert!(loudest < 1e-3, "{loudest}");
    }
}
