//! Complex baseband symbols of one burst.

use crate::complex::saturate;

/// Added to the mean power of a burst before the burst is normalised by it, so that a burst of zeros stays finite.
pub const POWER_EPSILON: f64 = 1e-12;

/// The complex symbols of one burst as real channel dimensions, `[symbols, 2]`: element 2k is the real (I) and 2k+1 the
/// imaginary (Q) part of symbol k. There is at least one symbol, and all values are finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Symbols(Vec<f32>);

/// Why values or bytes do not make the [`Symbols`] of a burst.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SymbolsError {
    /// There is no value, but a burst has at least one symbol.
    #[error("a burst needs at least one symbol, got none")]
    Empty,
    /// The number of values, given here, is odd: the last real part has no imaginary part.
    #[error("symbols are pairs of I and Q, got {0} values")]
    OddLength(usize),
    /// A value is NaN or infinite.
    #[error("symbols must be finite, value {index} is not")]
    NotFinite {
        /// The index of the first such value among the interleaved I/Q values.
        index: usize,
    },
    /// The number of bytes, given here, is no multiple of the 8 bytes of a symbol.
    #[error("a symbol takes 8 bytes, got {0} bytes")]
    RaggedBytes(usize),
}

impl Symbols {
    /// Makes the symbols of a burst from interleaved I/Q values, `[symbols, 2]`.
    ///
    /// # Errors
    /// If `reals` is empty, of odd length, or holds NaN or infinity.
    pub fn new(reals: Vec<f32>) -> Result<Self, SymbolsError> {
        if reals.is_empty() {
            return Err(SymbolsError::Empty);
        }
        if !reals.len().is_multiple_of(2) {
            return Err(SymbolsError::OddLength(reals.len()));
        }
        match reals.iter().position(|v| !v.is_finite()) {
            Some(index) => Err(SymbolsError::NotFinite { index }),
            None => Ok(Symbols(reals)),
        }
    }

    /// Makes the symbols of a burst from interleaved I/Q values that the caller knows to be pairs of finite values.
    pub(crate) fn from_finite(reals: Vec<f32>) -> Self {
        debug_assert!(reals.iter().all(|v| v.is_finite()) && reals.len().is_multiple_of(2));
        Symbols(reals)
    }

    /// The number of complex symbols, which is the number of complex channel uses; at least 1.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.0.len() / 2
    }

    /// The interleaved I/Q values, `[symbols, 2]`: twice [`Symbols::len`] real channel dimensions.
    pub fn reals(&self) -> &[f32] {
        &self.0
    }

    /// The interleaved I/Q values, `[symbols, 2]`, by value.
    pub fn into_reals(self) -> Vec<f32> {
        self.0
    }

    /// The mean power of the burst: the mean of |x|² over its complex symbols x.
    pub fn mean_power(&self) -> f64 {
        mean_power(&self.0)
    }

    /// Scales the burst to mean power 1: x / √(P + [`POWER_EPSILON`]) with P its mean power. A burst of zeros stays
    /// zero.
    pub fn normalise(mut self) -> Self {
        let scale = 1.0 / (self.mean_power() + POWER_EPSILON).sqrt();
        for value in &mut self.0 {
            *value = saturate(f64::from(*value) * scale);
        }
        self
    }

    /// Serialises the burst as little-endian `f32`, for each symbol I, then Q: 8 bytes a symbol.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|v| v.to_le_bytes()).collect()
    }

    /// Reads a burst from the bytes of [`Symbols::to_le_bytes`]: little-endian `f32`, I then Q, 8 bytes a symbol.
    ///
    /// # Errors
    /// If the bytes are not a positive multiple of 8, or a value is NaN or infinite.
    pub fn from_le_bytes(bytes: &[u8]) -> Result<Self, SymbolsError> {
        if !bytes.len().is_multiple_of(8) {
            return Err(SymbolsError::RaggedBytes(bytes.len()));
        }
        let (values, _) = bytes.as_chunks::<4>();
        Symbols::new(values.iter().map(|b| f32::from_le_bytes(*b)).collect())
    }
}

/// The mean of |x|² over complex symbols x given as interleaved I/Q, `[symbols, 2]`, summed in `f64`. There must be at
/// least one symbol.
pub(crate) fn mean_power(reals: &[f32]) -> f64 {
    let sum: f64 = reals.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    sum / (reals.len() / 2) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalisation_gives_unit_power_whatever_the_scale() {
        for scale in [1e-3f32, 1.0, 7.0, 1e30] {
            let reals: Vec<f32> = (0..50).map(|k| scale * ((k * 37 % 19) as f32 - 8.5)).collect();
            let power = Symbols::new(reals).unwrap().normalise().mean_power();
            assert!((power - 1.0).abs() < 1e-6, "scale {scale}: {power}");
        }
    }

    #[test]
    fn a_zero_vector_stays_finite() {
        let zeros = Symbols::new(vec![0.0; 50]).unwrap().normalise();
        assert!(zeros.reals().iter().all(|v| *v == 0.0));
    }

    #[test]
    fn bytes_round_trip_bit_for_bit() {
        let symbols = Symbols::new(vec![1.5, -0.0, f32::MIN_POSITIVE, f32::MAX]).unwrap();
        let bytes = symbols.to_le_bytes();
        assert_eq!(bytes.len(), 16);
        assert_eq!(&bytes[..4], &1.5f32.to_le_bytes());
        let back = Symbols::from_le_bytes(&bytes).unwrap();
        let bits = |s: &Symbols| s.reals().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(&symbols));
    }

    #[test]
    fn what_is_no_burst_is_refused() {
        assert_eq!(Symbols::new(vec![]), Err(SymbolsError::Empty));
        assert_eq!(Symbols::new(vec![1.0; 3]), Err(SymbolsError::OddLength(3)));
        assert_eq!(Symbols::new(vec![0.0, f32::NAN]), Err(SymbolsError::NotFinite { index: 1 }));
        assert_eq!(Symbols::from_le_bytes(&[0; 12]), Err(SymbolsError::RaggedBytes(12)));
        assert_eq!(Symbols::from_le_bytes(&[]), Err(SymbolsError::Empty));
        let inf = [f32::INFINITY.to_le_bytes(), 0f32.to_le_bytes()].concat();
        assert_eq!(Symbols::from_le_bytes(&inf), Err(SymbolsError::NotFinite { index: 0 }));
    }
}
