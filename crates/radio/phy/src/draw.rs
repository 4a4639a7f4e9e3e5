//! The channel: one realisation for a burst, drawn from its key, and its application.
//!
//! ChaCha8 is keyed by (seed, draw, row) alone. The noise w and the scattered part of h come from separate streams of that
//! key, so w is the same in every kind of channel and at every SNR, and does not depend on how much else was drawn.

use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use crate::{Complex, Conditions, Symbols, complex::saturate, equaliser::rho, symbols::mean_power};

/// All randomness of the channel for one burst follows from this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NoiseKey {
    /// The seed of the run.
    pub seed: u64,
    /// Which of several draws for the same clip.
    pub draw: u32,
    /// The clip's row in its corpus.
    pub row: u64,
}

/// Sets the channel's keys apart from any other use of the same seed.
const DOMAIN: &[u8; 12] = b"latentlink.1";

/// The ChaCha stream of the noise w.
const NOISE_STREAM: u64 = 0;
/// The ChaCha stream of the scattered part of h.
const FADING_STREAM: u64 = 1;

impl NoiseKey {
    /// The generator for one stream. The fields are laid side by side into the 32-byte ChaCha key: different keys give
    /// different ChaCha keys, with no mixing to collide.
    fn stream(self, stream: u64) -> ChaCha8Rng {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&self.row.to_le_bytes());
        key[16..20].copy_from_slice(&self.draw.to_le_bytes());
        key[20..].copy_from_slice(DOMAIN);
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(stream);
        rng
    }
}

/// What the channel will do to one burst: y = h·x + noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Realisation {
    /// The channel coefficient; exactly 1 without fading.
    pub h: Complex,
    /// Noise variance per complex symbol, N0; 0 when noiseless.
    pub n0: f32,
    /// √(N0/2)·w, `[symbols, 2]` as in [`Symbols`]; empty when noiseless.
    pub noise: Vec<f32>,
}

/// What comes out of the channel, with perfect channel state information.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// y, before equalising.
    pub symbols: Symbols,
    /// The channel coefficient.
    pub h: Complex,
    /// Noise variance per complex symbol; 0 when noiseless.
    pub n0: f32,
}

/// Draws what a burst of `n_symbols` complex symbols meets under `conditions`. The same key gives the same w and the same
/// scattered h under all conditions, and the w of a longer burst begins with that of a shorter one.
pub fn draw(key: NoiseKey, conditions: &Conditions, n_symbols: usize) -> Realisation {
    let Some(snr) = conditions.snr_db() else {
        return Realisation { h: Complex::ONE, n0: 0.0, noise: Vec::new() };
    };
    let sigma = (snr.n0() / 2.0).sqrt();
    let mut rng = key.stream(NOISE_STREAM);
    let noise = (0..2 * n_symbols).map(|_| (sigma * normal(&mut rng)) as f32).collect();
    Realisation { h: coefficient(key, conditions), n0: snr.n0() as f32, noise }
}

/// h: 1 without fading, CN(0, 1) for Rayleigh, √(K/(K+1)) + √(1/(K+1))·CN(0, 1) for Rician. The line of sight has phase
/// 0, which is no loss of generality: the receiver knows h.
fn coefficient(key: NoiseKey, conditions: &Conditions) -> Complex {
    let k = match conditions {
        Conditions::None | Conditions::Awgn(_) => return Complex::ONE,
        Conditions::Rayleigh(_) => 0.0,
        Conditions::Rician(_, k) => k.linear(),
    };
    let mut rng = key.stream(FADING_STREAM);
    let scattered = (0.5 / (k + 1.0)).sqrt();
    let (re, im) = (normal(&mut rng), normal(&mut rng));
    Complex::new(((k / (k + 1.0)).sqrt() + scattered * re) as f32, (scattered * im) as f32)
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    rng.sample(StandardNormal)
}

impl Realisation {
    /// y = h·x + noise, computed in f64 and rounded once; values beyond `f32` saturate. Noiseless, the input bit for bit.
    ///
    /// # Panics
    /// If the realisation was drawn for another number of symbols.
    pub fn apply(&self, symbols: &Symbols) -> Received {
        let received = |symbols| Received { symbols, h: self.h, n0: self.n0 };
        if self.noise.is_empty() {
            return received(symbols.clone());
        }
        assert_eq!(self.noise.len(), symbols.reals().len(), "realisation drawn for another number of symbols");
        let (h_re, h_im) = (f64::from(self.h.re), f64::from(self.h.im));
        let (x, _) = symbols.reals().as_chunks::<2>();
        let (n, _) = self.noise.as_chunks::<2>();
        let y = x.iter().zip(n).flat_map(|(x, n)| {
            let [x_re, x_im] = x.map(f64::from);
            let [n_re, n_im] = n.map(f64::from);
            [saturate(h_re * x_re - h_im * x_im + n_re), saturate(h_re * x_im + h_im * x_re + n_im)]
        });
        received(Symbols::from_finite(y.collect()))
    }

    /// ρ = |h|²/(|h|² + N0) ∈ [0, 1], what every equaliser will say of the burst; 1 when noiseless. It depends neither on the
    /// burst nor on its length.
    pub fn rho(&self) -> f32 {
        rho(self.h, self.n0)
    }
}

/// |h|² times the burst's measured symbol power over its measured noise power, in dB. `None` when noiseless, and for a
/// burst without any power.
///
/// # Panics
/// If the realisation was drawn for another number of symbols.
pub fn realised_snr_db(symbols: &Symbols, realisation: &Realisation) -> Option<f64> {
    if realisation.noise.is_empty() {
        return None;
    }
    assert_eq!(realisation.noise.len(), symbols.reals().len(), "realisation drawn for another number of symbols");
    let signal = realisation.h.norm_sqr() * symbols.mean_power();
    let db = 10.0 * (signal / mean_power(&realisation.noise)).log10();
    db.is_finite().then_some(db)
}
