//! Equalisers with perfect channel state information, each with the variance of the noise that it leaves.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Complex, complex::saturate};

/// The floor of |h|² in zero forcing, which divides by max(|h|², floor). Below it the estimate is
/// x̂ = (|h|²/floor)·x + v, small but finite. Rayleigh fading falls below it in one burst of 10¹².
pub const ZF_FLOOR: f64 = 1e-12;

/// The rule by which a receiver with perfect channel state information equalises a burst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Equaliser {
    /// Minimum mean squared error: x̂ = h*·y / (|h|² + N0).
    #[default]
    #[serde(rename = "mmse")]
    Mmse,
    /// Zero forcing: x̂ = h*·y / max(|h|², [`ZF_FLOOR`]). Its noise power over Rayleigh fading has no finite mean.
    #[serde(rename = "zf")]
    ZeroForcing,
}

impl Equaliser {
    /// The LLR scale of this equaliser for a burst with `rho` = ρ. With x̂ = g·c + v for a codeword c, all codewords
    /// having the same energy, ln p(x̂ | c) = scale·⟨x̂, c⟩ + constant, where scale = 2g/E|v|²: 2/(1 − ρ) for MMSE and
    /// 2ρ/(1 − ρ) for zero forcing. It is capped at 10⁶, as it is infinite without noise.
    pub fn llr_scale(self, rho: f32) -> f64 {
        let rho = f64::from(rho);
        let factor = match self {
            Equaliser::Mmse => 2.0 / (1.0 - rho).max(1e-12),
            Equaliser::ZeroForcing => 2.0 * rho / (1.0 - rho).max(1e-12),
        };
        factor.min(1e6)
    }
}

/// The name, given here, is not that of an [`Equaliser`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown equaliser `{0}`, expected mmse or zf")]
pub struct UnknownEqualiser(String);

impl FromStr for Equaliser {
    type Err = UnknownEqualiser;

    fn from_str(text: &str) -> Result<Self, UnknownEqualiser> {
        match text {
            "mmse" => Ok(Equaliser::Mmse),
            "zf" => Ok(Equaliser::ZeroForcing),
            _ => Err(UnknownEqualiser(text.to_owned())),
        }
    }
}

impl fmt::Display for Equaliser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Equaliser::Mmse => "mmse",
            Equaliser::ZeroForcing => "zf",
        })
    }
}

/// One equalised burst, the input of the receiver's half of a scheme. The equalised symbols are x̂ = g·x + v: g = `rho`
/// with MMSE, g = 1 with zero forcing (for |h|² at least [`ZF_FLOOR`]).
#[derive(Clone, Debug, PartialEq)]
pub struct Equalised {
    /// The equalised symbols x̂, `[symbols, 2]` interleaved I/Q.
    pub reals: Vec<f32>,
    /// The noise variance E|v|² per complex symbol, half of it per real channel dimension: with MMSE N0·|h|²/(|h|² +
    /// N0)² = ρ(1 − ρ), with zero forcing N0/|h|² (N0·|h|²/floor² below [`ZF_FLOOR`]); 0 when noiseless. The total mean
    /// squared error of MMSE, which includes the scaling of unit-power x by ρ, is 1 − ρ.
    pub noise_var: f32,
    /// The reliability of the burst, ρ = |h|²/(|h|² + N0) ∈ [0, 1], the same for both equalisers; 1 when noiseless.
    pub rho: f32,
}

/// Why a burst cannot be equalised.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EqualiserError {
    /// A part of the channel coefficient, given here, is NaN or infinite.
    #[error("the channel coefficient must be finite, got {} + {}j", .0.re, .0.im)]
    Coefficient(Complex),
    /// The noise variance N0, given here, is negative, NaN or infinite.
    #[error("the noise variance must be finite and at least 0, got {0}")]
    NoiseVariance(f32),
    /// The number of received values, given here, is odd: the last real part has no imaginary part.
    #[error("symbols are pairs of I and Q, got {0} values")]
    OddLength(usize),
    /// A received value is NaN or infinite.
    #[error("received symbols must be finite, value {index} is not")]
    NotFinite {
        /// The index of the first such value among the interleaved I/Q values.
        index: usize,
    },
}

/// Equalises the received symbols y, `[symbols, 2]` interleaved I/Q, given the channel coefficient `h` and the noise
/// variance `n0` per complex symbol. It computes in `f64` with one rounding, and values beyond the range of `f32`
/// saturate, so the result is finite. With `n0` = 0 and `h` = 1 it is the identity bit for bit.
///
/// # Errors
/// If an input is not finite, `n0` is negative, or `received` has an odd number of values.
pub fn equalise(received: &[f32], h: Complex, n0: f32, equaliser: Equaliser) -> Result<Equalised, EqualiserError> {
    check(received, h, n0)?;
    if n0 == 0.0 && h == Complex::ONE {
        return Ok(Equalised { reals: received.to_vec(), noise_var: 0.0, rho: 1.0 });
    }
    let (rho, n0) = (rho(h, n0), f64::from(n0));
    let gain = h.norm_sqr();
    let divisor = match equaliser {
        Equaliser::Mmse => (gain + n0).max(f64::MIN_POSITIVE),
        Equaliser::ZeroForcing => gain.max(ZF_FLOOR),
    };
    let (h_re, h_im) = (f64::from(h.re), f64::from(h.im));
    let (y, _) = received.as_chunks::<2>();
    let reals = y.iter().flat_map(|y| {
        let [y_re, y_im] = y.map(f64::from);
        [saturate((h_re * y_re + h_im * y_im) / divisor), saturate((h_re * y_im - h_im * y_re) / divisor)]
    });
    Ok(Equalised { reals: reals.collect(), noise_var: saturate(n0 * (gain / divisor) / divisor), rho })
}

/// ρ = |h|²/(|h|² + N0) ∈ [0, 1], computed in `f64` and rounded to `f32`; 1 when `n0` is 0.
pub(crate) fn rho(h: Complex, n0: f32) -> f32 {
    let (gain, n0) = (h.norm_sqr(), f64::from(n0));
    if n0 == 0.0 { 1.0 } else { (gain / (gain + n0)) as f32 }
}

fn check(received: &[f32], h: Complex, n0: f32) -> Result<(), EqualiserError> {
    if !h.is_finite() {
        return Err(EqualiserError::Coefficient(h));
    }
    if !n0.is_finite() || n0 < 0.0 {
        return Err(EqualiserError::NoiseVariance(n0));
    }
    if !received.len().is_multiple_of(2) {
        return Err(EqualiserError::OddLength(received.len()));
    }
    match received.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(EqualiserError::NotFinite { index }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noiseless_is_the_identity_bit_for_bit() {
        let reals = vec![1.5, -0.0, 1e-40, f32::MAX];
        for equaliser in [Equaliser::Mmse, Equaliser::ZeroForcing] {
            let equalised = equalise(&reals, Complex::ONE, 0.0, equaliser).unwrap();
            let bits = |v: &[f32]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&equalised.reals), bits(&reals));
            assert_eq!((equalised.noise_var, equalised.rho), (0.0, 1.0));
        }
    }

    #[test]
    fn a_deep_fade_stays_finite() {
        let reals = [f32::MAX, f32::MIN, 1.0, -1.0];
        for h in [0.0, 1e-38, 1e-7, f32::MAX] {
            for n0 in [0.0, 1e-20, 1e20] {
                for equaliser in [Equaliser::Mmse, Equaliser::ZeroForcing] {
                    let e = equalise(&reals, Complex::new(h, -h), n0, equaliser).unwrap();
                    let finite = e.reals.iter().all(|v| v.is_finite());
                    assert!(finite && e.noise_var.is_finite() && (0.0..=1.0).contains(&e.rho), "h {h} n0 {n0}: {e:?}");
                }
            }
        }
    }

    #[test]
    fn values_from_the_wire_are_checked() {
        let ok = [0.0, 1.0];
        let mmse = Equaliser::Mmse;
        assert!(matches!(equalise(&ok, Complex::new(f32::NAN, 0.0), 1.0, mmse), Err(EqualiserError::Coefficient(_))));
        assert_eq!(equalise(&ok, Complex::ONE, -1.0, mmse), Err(EqualiserError::NoiseVariance(-1.0)));
        assert!(matches!(equalise(&ok, Complex::ONE, f32::NAN, mmse), Err(EqualiserError::NoiseVariance(_))));
        assert_eq!(equalise(&[1.0], Complex::ONE, 1.0, mmse), Err(EqualiserError::OddLength(1)));
        let nan = [0.0, f32::NAN];
        assert_eq!(equalise(&nan, Complex::ONE, 1.0, mmse), Err(EqualiserError::NotFinite { index: 1 }));
        assert!("MMSE2".parse::<Equaliser>().unwrap_err().to_string().contains("mmse or zf"));
    }
}
