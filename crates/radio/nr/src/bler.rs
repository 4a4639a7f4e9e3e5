//! Block error rates of single code blocks over AWGN, measured with the real chain and looked up.
//!
//! A rate is interpolated in Q⁻¹ of itself: linearly in the SNR in dB, and between block sizes linearly in √K′, for by the
//! normal approximation Q⁻¹(ε) = (C − R)·√n/√V is close to linear in both.

mod measure;
mod table;

pub use measure::{Grid, Stop, block_transport, measure_curve, measure_point};
pub use table::{BLOCK_BITS, Curve, Point, Table, TableError};
