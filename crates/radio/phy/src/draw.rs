//! The channel: one realisation for a burst, drawn from its key, and its application to the symbols.
//!
//! The generator is ChaCha8, keyed by (seed, draw, row) alone. The standard normal noise w and the scattered part of h
//! come from separate streams of that key. So w is the same in every kind of channel and at every SNR, and does not
//! depend on how much else was drawn.

use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use crate::{Complex, Conditions, Symbols, complex::saturate, equaliser::rho, symbols::mean_power};

/// The key from which all randomness of the channel for one burst is derived: equal keys give equal realisations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NoiseKey {
    /// The seed of the run.
    pub seed: u64,
    /// The number of the channel draw, for a clip that is sent over several independent draws.
    pub draw: u32,
    /// The clip's row in its corpus.
    pub row: u64,
}

/// The last 12 bytes of every ChaCha key of the channel, which separate it from any other use of the same seed.
const DOMAIN: &[u8; 12] = b"latentlink.1";

/// The number of the ChaCha stream from which the noise w is drawn.
const NOISE_STREAM: u64 = 0;
/// The number of the ChaCha stream from which the scattered part of the channel coefficient h is drawn.
const FADING_STREAM: u64 = 1;

impl NoiseKey {
    /// The generator of this key for the ChaCha stream numbered `stream`. The fields of the key are concatenated into
    /// the 32-byte ChaCha key, so different noise keys always give different ChaCha keys.
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

/// One realisation of the channel for one burst: y = h·x + noise for the symbols x (equation (1)).
#[derive(Clone, Debug, PartialEq)]
pub struct Realisation {
    /// The channel coefficient of the burst; exactly 1 without fading.
    pub h: Complex,
    /// The noise variance per complex symbol, N0; 0 for the noiseless channel.
    pub n0: f32,
    /// The noise √(N0/2)·w with w standard normal, `[symbols, 2]` as in [`Symbols`]; empty for the noiseless channel.
    pub noise: Vec<f32>,
}

/// One burst at the output of the channel, with perfect channel state information.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// The received symbols y, not yet equalised.
    pub symbols: Symbols,
    /// The channel coefficient of the burst.
    pub h: Complex,
    /// The noise variance per complex symbol, N0; 0 for the noiseless channel.
    pub n0: f32,
}

/// Draws the channel realisation under `conditions` for a burst of `n_symbols` complex symbols. The same key gives the
/// same standard normal noise w and the same scattered part of h under all conditions, and the w of a longer burst
/// begins with that of a shorter one.
pub fn draw(key: NoiseKey, conditions: &Conditions, n_symbols: usize) -> Realisation {
    let Some(snr) = conditions.snr_db() else {
        return Realisation { h: Complex::ONE, n0: 0.0, noise: Vec::new() };
    };
    let sigma = (snr.n0() / 2.0).sqrt();
    let mut rng = key.stream(NOISE_STREAM);
    let noise = (0..2 * n_symbols).map(|_| (sigma * normal(&mut rng)) as f32).collect();
    Realisation { h: coefficient(key, conditions), n0: snr.n0() as f32, noise }
}

/// Draws the channel coefficient h: 1 without fading, CN(0, 1) for Rayleigh, √(K/(K+1)) + √(1/(K+1))·CN(0, 1) for
/// Rician. The line of sight has phase 0 without loss of generality, because the receiver knows h.
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
    /// Sends `symbols` x through the channel: y = h·x + noise (equation (1)), computed in `f64` and rounded once;
    /// values beyond the range of `f32` saturate. The noiseless channel returns the input bit for bit.
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

    /// ρ = |h|²/(|h|² + N0) ∈ [0, 1], 1 for the noiseless channel: the same bits as
    /// [`Equalised::rho`](crate::Equalised) of a burst received through this realisation. It depends neither on the
    /// symbols nor on their number.
    pub fn rho(&self) -> f32 {
        rho(self.h, self.n0)
    }
}

/// The realised SNR of a burst in dB: |h|² times the mean power of its symbols, over the mean power of its noise.
/// `None` for the noiseless channel, and when either power is zero.
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
