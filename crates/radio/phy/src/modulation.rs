//! Gray-mapped modulation with hard decisions: QPSK and 16-QAM of 3GPP TS 38.211, and BPSK on the real axis.

use crate::Symbols;

/// A Gray-mapped constellation of unit mean power, demodulated by hard decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Modulation {
    /// BPSK: one bit a symbol, with points ±1.
    Bpsk,
    /// QPSK: two bits a symbol, with points (±1 ± j)/√2.
    Qpsk,
    /// 16-QAM: four bits a symbol, with points (±1 or ±3, ±j or ±3j)/√10.
    Qam16,
}

impl Modulation {
    /// The number of bits in one complex symbol: 1, 2 or 4.
    pub fn bits_per_symbol(self) -> usize {
        match self {
            Modulation::Bpsk => 1,
            Modulation::Qpsk => 2,
            Modulation::Qam16 => 4,
        }
    }

    /// Maps bits to complex symbols, [`Modulation::bits_per_symbol`] bits a symbol.
    ///
    /// # Panics
    /// If `bits` is empty or does not make whole symbols.
    pub fn modulate(self, bits: &[bool]) -> Symbols {
        let width = self.bits_per_symbol();
        assert!(!bits.is_empty() && bits.len().is_multiple_of(width), "{} bits for {self:?}", bits.len());
        let sign = |bit: bool| if bit { -1.0 } else { 1.0 };
        // Of the two bits of a 16-QAM axis, `inner` selects the level 1 or 3 and `outer` its sign.
        let level = |outer: bool, inner: bool| sign(outer) * (2.0 - sign(inner)) * 0.1f32.sqrt();
        let reals = bits.chunks_exact(width).flat_map(|b| match self {
            Modulation::Bpsk => [sign(b[0]), 0.0],
            Modulation::Qpsk => [sign(b[0]) * 0.5f32.sqrt(), sign(b[1]) * 0.5f32.sqrt()],
            Modulation::Qam16 => [level(b[0], b[2]), level(b[1], b[3])],
        });
        Symbols::from_finite(reals.collect())
    }

    /// The bits of the constellation points nearest to the equalised symbols `reals`, `[symbols, 2]` interleaved I/Q.
    /// They must be unbiased, as after zero forcing: MMSE scales the levels of 16-QAM down.
    pub fn demodulate(self, reals: &[f32]) -> Vec<bool> {
        let threshold = 2.0 * 0.1f32.sqrt();
        let (symbols, _) = reals.as_chunks::<2>();
        let mut bits = Vec::with_capacity(symbols.len() * self.bits_per_symbol());
        for &[i, q] in symbols {
            match self {
                Modulation::Bpsk => bits.push(i < 0.0),
                Modulation::Qpsk => bits.extend([i < 0.0, q < 0.0]),
                Modulation::Qam16 => bits.extend([i < 0.0, q < 0.0, i.abs() > threshold, q.abs() > threshold]),
            }
        }
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constellations_have_unit_power_gray_neighbours_and_invert() {
        for modulation in [Modulation::Bpsk, Modulation::Qpsk, Modulation::Qam16] {
            let width = modulation.bits_per_symbol();
            let words: Vec<Vec<bool>> =
                (0..1usize << width).map(|w| (0..width).map(|b| w >> b & 1 == 1).collect()).collect();
            let symbols = modulation.modulate(&words.concat());
            assert!((symbols.mean_power() - 1.0).abs() < 1e-6);
            assert_eq!(modulation.demodulate(symbols.reals()), words.concat());
            let (points, _) = symbols.reals().as_chunks::<2>();
            let distance = |a: &[f32; 2], b: &[f32; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
            let least = points[1..].iter().map(|p| distance(p, &points[0])).fold(f32::MAX, f32::min);
            for (a, p) in points.iter().enumerate() {
                for (b, q) in points.iter().enumerate().filter(|&(b, _)| b != a) {
                    if distance(p, q) < 1.01 * least {
                        let differing = words[a].iter().zip(&words[b]).filter(|(x, y)| x != y).count();
                        assert_eq!(differing, 1, "{modulation:?} {a} {b}");
                    }
                }
            }
        }
    }
}
