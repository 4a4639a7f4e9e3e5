//! Gray-mapped QPSK, 16-QAM and 64-QAM (TS 38.211, 5.1.3 to 5.1.5) with hard and soft decisions.
//!
//! The bits of a symbol at even places choose the level on the real axis, those at odd places the level on the
//! imaginary axis, by the same rule. So each axis is a Gray-mapped amplitude of half the bits, and decisions are made
//! axis by axis.

use phy::{Equalised, Equaliser, Symbols};

/// The largest magnitude of a log-likelihood ratio from the demapper, to which the ratios of noiseless bits are
/// clamped.
pub const LLR_LIMIT: f64 = 1e3;

/// A Gray-mapped square constellation of unit mean energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Qam {
    /// QPSK: two bits a symbol (TS 38.211, 5.1.3).
    Qpsk,
    /// 16-QAM: four bits a symbol (TS 38.211, 5.1.4).
    Qam16,
    /// 64-QAM: six bits a symbol (TS 38.211, 5.1.5).
    Qam64,
}

/// How the soft demapper combines the likelihoods of the points that have the same value of a bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Demapping {
    /// Exact: the logarithm of the sum of the likelihoods of all these points.
    #[default]
    Exact,
    /// The max-log approximation: the logarithm of the largest of these likelihoods alone.
    MaxLog,
}

/// Why bits cannot be mapped to symbols, or symbols to bits.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum QamError {
    /// There are no bits to modulate, or they do not make whole symbols.
    #[error("{modulation:?} takes at least one symbol and {} bits a symbol, got {bits} bits", .modulation.bits_per_symbol())]
    RaggedBits {
        /// The constellation.
        modulation: Qam,
        /// The number of bits given.
        bits: usize,
    },
    /// The number of received values, given here, is odd: the last real part has no imaginary part.
    #[error("symbols are pairs of I and Q, got {0} values")]
    OddLength(usize),
    /// A received value is NaN or infinite.
    #[error("received symbols must be finite, value {index} is not")]
    NotFinite {
        /// The index of the first such value among the interleaved I/Q values.
        index: usize,
    },
    /// The gain g of the equalised symbols, given here, is negative, NaN or infinite.
    #[error("the gain of equalised symbols must be finite and at least 0, got {0}")]
    Gain(f32),
    /// The noise variance E|v|² per complex symbol, given here, is negative, NaN or infinite.
    #[error("the noise variance must be finite and at least 0, got {0}")]
    NoiseVariance(f32),
}

impl Qam {
    /// All constellations, smallest first.
    pub const ALL: [Qam; 3] = [Qam::Qpsk, Qam::Qam16, Qam::Qam64];

    /// The number of bits in one complex symbol, Q_m: 2, 4 or 6.
    pub fn bits_per_symbol(self) -> usize {
        2 * self.axis_bits()
    }

    /// The number of bits on one axis of a symbol, Q_m/2: 1, 2 or 3.
    fn axis_bits(self) -> usize {
        match self {
            Qam::Qpsk => 1,
            Qam::Qam16 => 2,
            Qam::Qam64 => 3,
        }
    }

    /// The amplitudes of one axis, `[2^(Q_m/2)]` (TS 38.211, 5.1.3 to 5.1.5). The bits b₀, b₂, b₄ of a symbol (or b₁,
    /// b₃, b₅) as a binary number, the first most significant, are the index of their amplitude. The mean square is ½.
    pub fn levels(self) -> Vec<f64> {
        let width = self.axis_bits();
        let mean_square = f64::from((1 << (2 * width)) - 1) / 3.0;
        let scale = (2.0 * mean_square).sqrt().recip();
        (0..1usize << width).map(|word| scale * f64::from(odd_level(word, width))).collect()
    }

    /// Maps bits to complex symbols, [`Qam::bits_per_symbol`] bits a symbol (TS 38.211, 5.1.3 to 5.1.5).
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

    /// Hard decisions, [`Qam::bits_per_symbol`] bits a symbol: the bits of the constellation points nearest to x̂/g,
    /// for the equalised symbols `reals` = x̂, `[symbols, 2]` interleaved I/Q, and their gain g.
    ///
    /// # Errors
    /// If `reals` are not pairs of finite values, or `gain` is negative or not finite.
    pub fn demodulate(self, reals: &[f32], gain: f32) -> Result<Vec<bool>, QamError> {
        check(reals, gain, 0.0)?;
        let levels: Vec<f64> = self.levels().iter().map(|level| level * f64::from(gain)).collect();
        let words = reals.iter().map(|&value| nearest(&levels, f64::from(value)));
        Ok(self.interleave(words, |word, shift| word >> shift & 1 == 1))
    }

    /// Soft decisions: the log-likelihood ratios, [`Qam::bits_per_symbol`] a symbol, of equalised symbols x̂ = g·x + v.
    /// `reals` is x̂, `[symbols, 2]` interleaved I/Q, `gain` is g, and `noise_var` is E|v|² per complex symbol of the
    /// circular Gaussian v. For the points x of the constellation, which are equally likely a priori,
    ///
    /// L = ln Σ_{x: b=0} exp(−|x̂ − g·x|²/E|v|²) − ln Σ_{x: b=1} exp(−|x̂ − g·x|²/E|v|²),
    ///
    /// clamped to ±[`LLR_LIMIT`]. Without noise a ratio is ±[`LLR_LIMIT`], or 0 between two equally near points.
    ///
    /// # Errors
    /// If `reals` are not pairs of finite values, or `gain` or `noise_var` is negative or not finite.
    pub fn demap(self, reals: &[f32], gain: f32, noise_var: f32, rule: Demapping) -> Result<Vec<f64>, QamError> {
        check(reals, gain, noise_var)?;
        let levels: Vec<f64> = self.levels().iter().map(|level| level * f64::from(gain)).collect();
        let noise_var = f64::from(noise_var);
        let values = reals.iter().map(|&value| f64::from(value));
        Ok(self.interleave(values, |value, shift| axis_llr(&levels, value, shift, noise_var, rule)))
    }

    /// The log-likelihood ratios of a burst that [`phy::equalise`] returned, by [`Qam::demap`] with the gain g = ρ
    /// after `Equaliser::Mmse`, or g = 1 after `Equaliser::ZeroForcing` (which holds for |h|² at least
    /// [`phy::ZF_FLOOR`]).
    ///
    /// # Errors
    /// If the equalised values are not pairs of finite values, or their noise variance is negative or not finite.
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

    /// Applies `of` to each axis value and the shift of each of its bits, and returns the results in the order of the
    /// bits of the symbols. `axes` alternates between the real and the imaginary axis.
    fn interleave<A: Copy, B>(self, axes: impl Iterator<Item = A>, of: impl Fn(A, usize) -> B) -> Vec<B> {
        let axes: Vec<A> = axes.collect();
        let pairs = axes.as_chunks::<2>().0.iter();
        pairs.flat_map(|pair| (0..self.axis_bits()).rev().flat_map(|shift| pair.map(|axis| of(axis, shift)))).collect()
    }
}

/// The odd integer level of the `width` bits of one axis, `word`, by the recursion of TS 38.211, 5.1:
/// level(b₀ b₁ …) = (1 − 2b₀)·(2^(width−1) − level(b₁ …)), and ±1 for one bit.
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

/// The log-likelihood ratio of the bit at `shift` of an axis that received `value`. The noise variance on the axis is
/// half of `noise_var`, so the exponent −d²/(2·noise_var/2) of a distance d has `noise_var` as its denominator.
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
