//! A complex number, as it travels on the wire.

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

    /// From both parts.
    pub const fn new(re: f32, im: f32) -> Self {
        Complex { re, im }
    }

    /// |z|², exact but for one rounding.
    pub fn norm_sqr(self) -> f64 {
        let (re, im) = (f64::from(self.re), f64::from(self.im));
        re * re + im * im
    }

    /// Whether neither part is NaN or infinite.
    pub fn is_finite(self) -> bool {
        self.re.is_finite() && self.im.is_finite()
    }
}

/// `f64` to `f32`, the largest finite values standing for what lies beyond them.
pub(crate) fn saturate(value: f64) -> f32 {
    value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
}
