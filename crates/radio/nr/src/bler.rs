//! Block error rates (BLER) of single code blocks over AWGN: measuring them with the NR chain, and looking them up.
//!
//! Lookup interpolates Q⁻¹ of the block error rate ε: linearly in the SNR in dB, and between block sizes linearly in
//! √K′. By the normal approximation, Q⁻¹(ε) = (C − R)·√n/√V is close to linear in both.

mod measure;
mod table;

pub use measure::{Grid, Stop, block_transport, measure_curve, measure_point};
pub use table::{BLOCK_BITS, Curve, Point, Table, TableError};
