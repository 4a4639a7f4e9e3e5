//! The complex number of channel coefficients, in single precision as the wire carries it.

use serde::{Deserialize, Serialize};

/// A complex number of two `f32`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Complex {
    /// Real (in-phase) part.
    pub re: f32,
    /// Imaginary (quadrature) part.
    pub im: f32,
}

impl Complex {
    /// 1 + 0j.
    pub const ONE: Complex = Complex { re: 1.0, im: 0.0 };

    /// The complex number `re` + `im`·j.
    pub const fn new(re: f32, im: f32) -> Self {
        Complex { re, im }
    }

    /// |z|² = re² + im², computed in `f64`: the squares are exact, only their sum is rounded.
    pub fn norm_sqr(self) -> f64 {
        let (re, im) = (f64::from(self.re), f64::from(self.im));
        re * re + im * im
    }

    /// Whether both parts are finite, that is neither NaN nor infinite.
    pub fn is_finite(self) -> bool {
        self.re.is_finite() && self.im.is_finite()
    }
}

/// Converts `f64` to `f32`. Values beyond the range of `f32` become its largest finite value of the same sign; NaN
/// stays.
pub(crate) fn saturate(value: f64) -> f32 {
    value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
}
