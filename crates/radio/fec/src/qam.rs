//! Gray-mapped QPSK, 16-QAM and 64-QAM (TS 38.211, 5.1.3 to 5.1.5) with hard and soft decisions.
//!
//! Even bits choose the level on the real axis and odd bits that on the imaginary one, by the same rule, so an axis is
//! a Gray-mapped amplitude of half the bits and all decisions are made axis by axis.

use phy::{Equalised, Equaliser, Symbols};

/// Largest magnitude of a log-likelihood ratio. A noiseless bit has this one.
pub const LLR_LIMIT: f64 = 1e3;

/// A square constellation of unit mean energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Qam {
    /// Two bits a symbol (5.1.3).
    Qpsk,
    /// Four bits a symbol (5.1.4).
    Qam16,
    /// Six bits a symbol (5.1.5).
    Qam64,
}

/// How likelihoods of the points that share a bit are summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Demapping {
    /// All of them: the logarithm of the sum of exponentials.
    #[default]
    Exact,
    /// The likeliest alone.
    MaxLog,
}

/// Bits or symbols that cannot be mapped.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum QamError {
    /// No bit or not whole symbols.
    #[error("{modulation:?} takes at least one symbol and {} bits a symbol, got {bits} bits", .modulation.bits_per_symbol())]
    RaggedBits {
        /// The constellation.
        modulation: Qam,
        /// Bits there were.
        bits: usize,
    },
    /// A real part without an imaginary one.
    #[error("symbols are pairs of I and Q, got {0} values")]
    OddLength(usize),
    /// A received value that is NaN or infinite.
    #[error("received symbols must be finite, value {index} is not")]
    NotFinite {
        /// Position among the reals.
        index: usize,
    },
    /// A gain that is negative, NaN or infinite.
    #[error("the gain of equalised symbols must be finite and at least 0, got {0}")]
    Gain(f32),
    /// A noise variance that is negative, NaN or infinite.
    #[error("the noise variance must be finite and at least 0, got {0}")]
    NoiseVariance(f32),
}

impl Qam {
    /// All constellations, smallest first.
    pub const ALL: [Qam; 3] = [Qam::Qpsk, Qam::Qam16, Qam::Qam64];

    /// Bits carried by one symbol, Qm.
    pub fn bits_per_symbol(self) -> usize {
        2 * self.axis_bits()
    }

    /// Bits carried by one axis.
    fn axis_bits(self) -> usize {
        match self {
            Qam::Qpsk => 1,
            Qam::Qam16 => 2,
            Qam::Qam64 => 3,
        }
    }

    /// The amplitudes of one axis, `[√points]`: that of the bits b₀, b₂, b₄ (or b₁, b₃, b₅), the first of them most
    /// significant, is at the number that they make (5.1.3 to 5.1.5). Their mean square is ½.
    pub fn levels(self) -> Vec<f64> {
        let width = self.axis_bits();
        let mean_square = f64::from((1 << (2 * width)) - 1) / 3.0;
        let scale = (2.0 * mean_square).sqrt().recip();
        (0..1usize << width).map(|word| scale * f64::from(odd_level(word, width))).collect()
    }

    /// Bits to symbols, [`Qam::bits_per_symbol`] a symbol (5.1.3 to 5.1.5).
    ///
    /// # Errors
    /// If `bits` is empty or does not make whole symbols.
    pub fn modulate(self, bits: &[bool]) -> Result<Symbols, QamError> {
        let ragged = QamError::RaggedBits { modulation: self, bits: bits.len() };
        if !bits.len().is_multiple_of(self.bits_per_symbol()) {
            return Err(ragged);
        }
        let levels = self.levels();
        let axis = |bits: &[bool], first: usize| {
            let word = bits[first..].iter().step_by(2).fold(0, |word, &bit| word << 1 | usize::from(bit));
            levels[word] as f32
        };
        let reals = bits.chunks_exact(self.bits_per_symbol()).flat_map(|bits| [axis(bits, 0), axis(bits, 1)]);
        Symbols::new(reals.collect()).map_err(|_| ragged)
    }

    /// The bits of the points nearest to x̂/g for `reals` x̂, `[symbols, 2]` interleaved I/Q, and the gain g.
    ///
    /// # Errors
    /// If `reals` are no pairs of finite values or `gain` is negative or not finite.
    pub fn demodulate(self, reals: &[f32], gain: f32) -> Result<Vec<bool>, QamError> {
        check(reals, gain, 0.0)?;
        let levels: Vec<f64> = self.levels().iter().map(|level| level * f64::from(gain)).collect();
        let words = reals.iter().map(|&value| nearest(&levels, f64::from(value)));
        Ok(self.interleave(words, |word, shift| word >> shift & 1 == 1))
    }

    /// Log-likelihood ratios, [`Qam::bits_per_symbol`] a symbol, of equalised symbols x̂ = g·x + v: `reals` x̂,
    /// `[symbols, 2]` interleaved I/Q, the gain g, and `noise_var` = E|v|² per complex symbol, v circular Gaussian.
    /// For the points x of the constellation, all alike likely before,
    ///
    /// L = ln Σ_{x: b=0} exp(−|x̂ − g·x|²/E|v|²) − ln Σ_{x: b=1} exp(−|x̂ − g·x|²/E|v|²),
    ///
    /// within ±[`LLR_LIMIT`]. Without noise that is the limit: ±[`LLR_LIMIT`], or 0 between two equally near points.
    ///
    /// # Errors
    /// If `reals` are no pairs of finite values, or `gain` or `noise_var` is negative or not finite.
    pub fn demap(self, reals: &[f32], gain: f32, noise_var: f32, rule: Demapping) -> Result<Vec<f64>, QamError> {
        check(reals, gain, noise_var)?;
        let levels: Vec<f64> = self.levels().iter().map(|level| level * f64::from(gain)).collect();
        let noise_var = f64::from(noise_var);
        let values = reals.iter().map(|&value| f64::from(value));
        Ok(self.interleave(values, |value, shift| axis_llr(&levels, value, shift, noise_var, rule)))
    }

    /// [`Qam::demap`] of a burst as [`phy::equalise`] leaves it: g = ρ after `Equaliser::Mmse`, 1 after
    /// `Equaliser::ZeroForcing` (above its floor).
    ///
    /// # Errors
    /// As [`Qam::demap`].
    pub fn demap_equalised(
        self,
        equalised: &Equalised,
        equaliser: Equaliser,
        rule: Demapping,
    ) -> Result<Vec<f64>, QamError> {
        let gain = match equaliser {
            Equaliser::Mmse => equalised.rho,
            Equaliser::ZeroForcing => 1.0,
        };
        self.demap(&equalised.reals, gain, equalised.noise_var, rule)
    }

    /// What `of` makes of each axis and the place of each of its bits, in the order of the bits.
    fn interleave<A: Copy, B>(self, axes: impl Iterator<Item = A>, of: impl Fn(A, usize) -> B) -> Vec<B> {
        let axes: Vec<A> = axes.collect();
        let pairs = axes.as_chunks::<2>().0.iter();
        pairs.flat_map(|pair| (0..self.axis_bits()).rev().flat_map(|shift| pair.map(|axis| of(axis, shift)))).collect()
    }
}

/// The odd integer level of `word` of `width` bits: (1 − 2b)[2^{w−1} − the same of the bits that follow], 1 of none.
fn odd_level(word: usize, width: usize) -> i32 {
    if width == 0 {
        return 1;
    }
    let sign = if word >> (width - 1) & 1 == 1 { -1 } else { 1 };
    match width {
        1 => sign,
        _ => sign * ((1 << (width - 1)) - odd_level(word, width - 1)),
    }
}

fn nearest(levels: &[f64], value: f64) -> usize {
    let distance = |word: &usize| (value - levels[*word]).abs();
    (0..levels.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
}

/// The ratio of the bit at `shift` of an axis. Half of `noise_var` is on the axis, so the exponent is over all of it.
fn axis_llr(levels: &[f64], value: f64, shift: usize, noise_var: f64, rule: Demapping) -> f64 {
    let distances = |bit: usize| {
        let of_bit = levels.iter().enumerate().filter(move |(word, _)| word >> shift & 1 == bit);
        of_bit.map(move |(_, level)| (value - level) * (value - level))
    };
    let least = [0, 1].map(|bit| distances(bit).fold(f64::INFINITY, f64::min));
    let difference = least[1] - least[0];
    if difference == 0.0 && noise_var == 0.0 {
        return 0.0;
    }
    let correction = match rule {
        Demapping::Exact if noise_var > 0.0 => {
            let sum = |bit: usize| distances(bit).map(|d| ((least[bit] - d) / noise_var).exp()).sum::<f64>();
            sum(0).ln() - sum(1).ln()
        }
        _ => 0.0,
    };
    (difference / noise_var + correction).clamp(-LLR_LIMIT, LLR_LIMIT)
}

fn check(reals: &[f32], gain: f32, noise_var: f32) -> Result<(), QamError> {
    if !gain.is_finite() || gain < 0.0 {
        return Err(QamError::Gain(gain));
    }
    if !noise_var.is_finite() || noise_var < 0.0 {
        return Err(QamError::NoiseVariance(noise_var));
    }
    if !reals.len().is_multiple_of(2) {
        return Err(QamError::OddLength(reals.len()));
    }
    match reals.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(QamError::NotFinite { index }),
        None => Ok(()),
    }
}
