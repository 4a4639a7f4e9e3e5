//! Forward error correction and soft demapping of 5G NR, and the error rates that codes of finite length can reach.
//!
//! Conventions: bits are `bool`; a log-likelihood ratio (LLR) is ln P(0)/P(1), so positive means 0; γ is Es/N0 per
//! complex symbol, linear. Clauses are those of 3GPP TS 38.211 and TS 38.212, release 15 and later.

#![forbid(unsafe_code)]

pub mod closed_form;
mod crc;
pub mod finite_length;
pub mod ldpc;
mod qam;

pub use crc::{Crc, CrcError};
pub use qam::{Demapping, LLR_LIMIT, Qam, QamError};
