//! Transport blocks of 5G NR: from bytes to symbols and back, and link adaptation, the choice of a modulation and
//! coding scheme (MCS).
//!
//! ```text
//! bytes ─Link::send→ symbols ─Link::pass→ received bursts ─Link::receive→ bytes
//! ```
//!
//! [`Link`] is the NR chain for one block: CRC, [`Segmentation`], LDPC, rate matching and QAM, with one h for all
//! symbols or a new h after a fixed number of symbols ([`Coherence`]). [`Planner`] is link adaptation: it selects the
//! [`Mcs`] by block error rates that were measured with the NR chain ([`bler`]) and mapped to fading
//! ([`LinkToSystem`]).
//!
//! Both ends know the MCS and the size of the payload; no header crosses the channel. The receiver knows every h and
//! N0. The transmitter, when it selects an MCS, knows the SNR and the distribution of the fading, but not h.
//!
//! Conventions are those of [`fec`]: bits are `bool`, a log-likelihood ratio is ln P(0)/P(1), γ is Es/N0 per complex
//! symbol.

#![forbid(unsafe_code)]

pub mod bler;
mod chain;
mod error;
mod link_adaptation;
mod link_to_system;
mod mcs;
mod rate_limit;
mod rate_matching;
mod segmentation;
mod transport;

pub use chain::{Coherence, Link, LinkError};
pub use error::TransportError;
pub use link_adaptation::{Plan, Planner, PlannerError, TOLERANCE};
pub use link_to_system::{Fading, LinkToSystem};
pub use mcs::{Mcs, McsError};
pub use rate_limit::MAX_CODE_RATE;
pub use segmentation::Segmentation;
pub use transport::Transport;
