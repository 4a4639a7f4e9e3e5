//! Complex baseband symbols of one burst.

use crate::complex::saturate;

/// Added to a burst's power before dividing by it, so that a zero vector stays finite.
pub const POWER_EPSILON: f64 = 1e-12;

/// The symbols of one burst, `[symbols, 2]`: element 2k is the real (I) and 2k+1 the imaginary (Q) part of symbol k.
/// Never empty, all values finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Symbols(Vec<f32>);

/// Values or bytes that are no symbols.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SymbolsError {
    /// No symbol at all.
    #[error("a burst needs at least one symbol, got none")]
    Empty,
    /// A real part without an imaginary one.
    #[error("symbols are pairs of I and Q, got {0} values")]
    OddLength(usize),
    /// NaN or infinity.
    #[error("symbols must be finite, value {index} is not")]
    NotFinite {
        /// Position among the reals.
        index: usize,
    },
    /// Not 8 bytes a symbol.
    #[error("a symbol takes 8 bytes, got {0} bytes")]
    RaggedBytes(usize),
}

impl Symbols {
    /// From interleaved I/Q.
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

    /// From reals known to be pairs of finite values.
    pub(crate) fn from_finite(reals: Vec<f32>) -> Self {
        debug_assert!(reals.iter().all(|v| v.is_finite()) && reals.len().is_multiple_of(2));
        Symbols(reals)
    }

    /// Number of complex symbols, at least 1.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.0.len() / 2
    }

    /// Interleaved I/Q, twice [`Symbols::len`] values.
    pub fn reals(&self) -> &[f32] {
        &self.0
    }

    /// Interleaved I/Q by value.
    pub fn into_reals(self) -> Vec<f32> {
        self.0
    }

    /// Mean |x|² over the burst.
    pub fn mean_power(&self) -> f64 {
        mean_power(&self.0)
    }

    /// Scales the burst to mean |x|² = 1: x / √(P + [`POWER_EPSILON`]) with P the mean power. Zeros stay zeros.
    pub fn normalise(mut self) -> Self {
        let scale = 1.0 / (self.mean_power() + POWER_EPSILON).sqrt();
        for value in &mut self.0 {
            *value = saturate(f64::from(*value) * scale);
        }
        self
    }

    /// Little-endian `f32`, I then Q, 8 bytes a symbol.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|v| v.to_le_bytes()).collect()
    }

    /// The inverse of [`Symbols::to_le_bytes`].
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

/// Mean |x|² of interleaved I/Q, summed in f64; not empty.
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
