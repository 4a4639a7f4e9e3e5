use std::f64::consts::TAU;

use crate::lpc::{autocorrelation, levinson};

/// 25 ms.
const WINDOW: usize = 400;
/// 5 ms.
const STEP: usize = 80;
const ORDER: usize = 12;

/// Residual of linear prediction, and where there is none.
pub(crate) struct Residual {
    /// `[samples]`.
    pub signal: Vec<f64>,
    /// Starts of the windows without sound.
    silent: Vec<usize>,
}

impl Residual {
    /// Inverse filters windows of 25 ms (Hann, autocorrelation method, order 12) every 5 ms, gives each the energy it came
    /// with, and adds them up (Drugman and Alwan 2011, section 2).
    pub fn of(pcm: &[f32]) -> Self {
        let window: Vec<f64> =
            (0..WINDOW).map(|n| 0.5 - 0.5 * (TAU * (n + 1) as f64 / (WINDOW + 1) as f64).cos()).collect();
        let (mut signal, mut silent) = (vec![0.0; pcm.len()], Vec::new());
        let mut x = vec![0.0; WINDOW];
        let mut e = vec![0.0; WINDOW];
        for (start, part) in (0..).step_by(STEP).zip(pcm.windows(WINDOW).step_by(STEP)) {
            if part.iter().all(|s| *s == part[0]) {
                silent.push(start);
                continue;
            }
            for (x, (s, w)) in x.iter_mut().zip(part.iter().zip(&window)) {
                *x = f64::from(*s) * w;
            }
            let r = autocorrelation::<{ ORDER + 1 }>(&x);
            let a = levinson(&r);
            for n in 0..WINDOW {
                e[n] = a.iter().take(n + 1).enumerate().map(|(k, a)| a * x[n - k]).sum();
            }
            let energy: f64 = e.iter().map(|e| e * e).sum();
            let gain = if energy > 0.0 { (r[0] / energy).sqrt() } else { 0.0 };
            for (y, e) in signal[start..].iter_mut().zip(&e) {
                *y += gain * e;
            }
        }
        Self { signal, silent }
    }

    /// Whether a window without sound reaches into the given stretch.
    pub fn lacks_sound(&self, start: usize, end: usize) -> bool {
        let first = self.silent.partition_point(|s| s + WINDOW <= start);
        self.silent.get(first).is_some_and(|s| *s < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_marked_where_it_is() {
        let mut pcm = vec![0.0f32; 4000];
        for (n, s) in pcm.iter_mut().enumerate() {
            if !(1600..2000).contains(&n) {
                *s = (n as f32 * 0.1).sin();
            }
        }
        let residual = Residual::of(&pcm);
        assert_eq!(residual.silent, [1600]);
        assert!(residual.lacks_sound(1999, 3000) && residual.lacks_sound(0, 1601));
        assert!(!residual.lacks_sound(2000, 3000) && !residual.lacks_sound(0, 1600));
    }

    #[test]
    fn the_residual_of_a_resonance_is_flatter_than_its_sound() {
        let mut x = [0.0f64; 8000];
        for n in 2..x.len() {
            x[n] = 1.8 * x[n - 1] - 0.97 * x[n - 2] + f64::from(u8::from(n % 160 == 3));
        }
        let pcm: Vec<f32> = x.iter().map(|x| *x as f32).collect();
        let crest = |x: &[f64]| {
            let power = x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64;
            x.iter().fold(0.0f64, |m, x| m.max(x.abs())) / power.sqrt()
        };
        let residual = Residual::of(&pcm);
        assert!(crest(&residual.signal[2000..6000]) > 2.0 * crest(&x[2000..6000]));
    }
}
