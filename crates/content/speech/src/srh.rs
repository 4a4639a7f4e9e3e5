use std::f64::consts::TAU;
use std::ops::RangeInclusive;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use crate::RATE_HZ;

/// Samples of a frame: 100 ms.
pub(crate) const FRAME: usize = 1_600;
/// One bin a hertz.
const FFT: usize = RATE_HZ as usize;
const HARMONICS: usize = 5;
/// Share of the best SRH from which on its pitch's third is the better answer. Of a true pitch the third has about a fifth.
const THIRD: f64 = 0.8;

/// A pitch and how clearly it stands out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub f0_hz: f64,
    pub srh: f64,
}

/// Summation of residual harmonics (Drugman and Alwan 2011, equation 1):
/// SRH(f) = E(f) + Σ_{k=2…5} [E(k f) − E((k − ½) f)], E the amplitude spectrum of a frame of the residual, of norm one.
pub(crate) struct Srh {
    fft: Arc<dyn RealToComplex<f64>>,
    window: Vec<f64>,
    frame: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
    amplitude: Vec<f64>,
}

impl Srh {
    pub fn new() -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(FFT);
        let blackman = |n: usize| {
            let phase = TAU * n as f64 / (FRAME - 1) as f64;
            0.42 - 0.5 * phase.cos() + 0.08 * (2.0 * phase).cos()
        };
        Self {
            window: (0..FRAME).map(blackman).collect(),
            frame: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            amplitude: vec![0.0; FFT / 2 + 1],
            fft,
        }
    }

    /// The pitch of the given hertz that stands out most, of a frame of the residual `[FRAME]`; none if the frame is zero.
    /// The range must stay below a tenth of the sampling rate.
    ///
    /// Equation 1 tells a pitch from its double but not from its triple, whose half harmonics fall between harmonics. So the
    /// third of a pitch is taken if it stands out nearly as much.
    pub fn best(&mut self, residual: &[f64], hertz: RangeInclusive<usize>) -> Option<Candidate> {
        self.frame.fill(0.0);
        for (x, (r, w)) in self.frame.iter_mut().zip(residual.iter().zip(&self.window)) {
            *x = r * w;
        }
        let mean = self.frame[..FRAME].iter().sum::<f64>() / FRAME as f64;
        self.frame[..FRAME].iter_mut().for_each(|x| *x -= mean);
        self.fft
            .process_with_scratch(&mut self.frame, &mut self.spectrum, &mut self.scratch)
            .expect("buffers of the plan's sizes");
        let norm = self.spectrum.iter().map(Complex::norm_sqr).sum::<f64>().sqrt();
        if norm <= 0.0 {
            return None;
        }
        for (a, s) in self.amplitude.iter_mut().zip(&self.spectrum) {
            *a = s.norm() / norm;
        }
        let e = &self.amplitude;
        let srh = |f: usize| {
            let clear = |k: usize| e[k * f] - e[((2 * k - 1) * f).div_ceil(2)];
            e[f] + (2..=HARMONICS).map(clear).sum::<f64>()
        };
        let candidate = |f: usize| Candidate { f0_hz: f as f64, srh: srh(f) };
        let best = |hertz: RangeInclusive<usize>| hertz.map(candidate).max_by(|a, b| a.srh.total_cmp(&b.srh));
        let first = best(hertz.clone())?;
        let third = first.f0_hz as usize / 3;
        let below = best(third.max(*hertz.start())..=(third + 1).min(*hertz.end()));
        Some(below.filter(|b| b.srh > THIRD * first.srh).unwrap_or(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_train_of_impulses_has_the_closed_forms_value() {
        // Five equal harmonics and no other sound: each has 1/√5 of the norm, spread by the window over its main lobe.
        let (f, mut srh) = (200, Srh::new());
        let x: Vec<f64> =
            (0..FRAME).map(|n| (1..=5).map(|k| (TAU * (k * f * n) as f64 / f64::from(RATE_HZ)).cos()).sum()).collect();
        let best = srh.best(&x, 50..=500).unwrap();
        // The peak bin of a sinusoid has |Σw| / 2, and over half the bins its lobe has the squared norm FFT · Σw² / 4.
        let (sum, squares) = srh.window.iter().fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
        let peak = sum / (FFT as f64 * squares).sqrt();
        assert_eq!(best.f0_hz, 200.0);
        assert!((best.srh - 5f64.sqrt() * peak).abs() < 1e-3, "{best:?} {peak}");
    }

    #[test]
    fn nothing_has_no_pitch() {
        assert_eq!(Srh::new().best(&[0.0; FRAME], 50..=500), None);
    }
}
