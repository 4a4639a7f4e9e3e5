//! Forward error correction and soft demapping, as 5G NR has them, for a conventional link to compare with.
//!
//! A payload goes [`Transport::encode`] → channel → [`Qam::demap`] → [`Transport::decode`], at an [`Mcs`].
//!
//! Conventions: bits are `bool`; a log-likelihood ratio is ln P(0)/P(1), so positive means 0; γ is Es/N0 per complex
//! symbol, linear. Clauses are those of 3GPP TS 38.211 and TS 38.212, release 15 and later.

#![forbid(unsafe_code)]

pub mod bler;
pub mod closed_form;
mod crc;
pub mod finite_length;
pub mod ldpc;
mod link_to_system;
mod mcs;
mod qam;
mod rate_matching;
mod segmentation;
mod transport;

pub use crc::{Crc, CrcError};
pub use link_to_system::{Fading, LinkToSystem};
pub use mcs::{Mcs, McsError};
pub use qam::{Demapping, LLR_LIMIT, Qam, QamError};
pub use segmentation::Segmentation;
pub use transport::{MAX_CODE_RATE, Transport, TransportError};
