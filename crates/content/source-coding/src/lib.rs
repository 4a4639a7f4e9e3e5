//! The conventional link to compare with: source coding, channel coding and modulation, each on its own.
//!
//! ```text
//! Content ─Source::encode→ bytes ─Link::send→ symbols ─Link::pass→ bursts ─Link::receive→ bytes ─Source::decode→ Content
//! ```
//!
//! [`Source`] quantises feature planes to 8 bits and codes them as H.264 pictures (cargo feature `h264`) or losslessly,
//! and the transcript as compressed UTF-8; what a clip lacks is left out. [`Link`] is CRC, 5G NR LDPC and QAM of [`fec`] over
//! the channel of [`phy`], with one h for all or a new one every so many symbols. A clip is one transport block: it
//! arrives whole or not at all, and then the receiver has nothing to answer from.
//!
//! Decoding every block of every draw of a sweep would take days. [`Planner`] has the probability that a clip arrives from
//! measured tables, draws from it by key, and picks the MCS.
//!
//! What the two ends are taken to know, all of it in favour of this link: both, the MCS, the size of the payload, the
//! ranges and widths of the planes and the codec's settings, so no header crosses the channel; the receiver, every h and
//! N0; the transmitter, when it picks an MCS, the SNR and the law of the fading, but not h.

#![forbid(unsafe_code)]

mod container;
pub mod film;
#[cfg(feature = "h264")]
mod h264;
mod link;
#[cfg(feature = "h264")]
mod picture;
mod planner;
mod ranges;
mod source;

pub use link::{Coherence, Link, LinkError};
pub use planner::{Plan, Planner, PlannerError, TOLERANCE};
pub use ranges::{DEVIATIONS, Ranges};
pub use source::{Codec, Content, MAX_FRAMES, MAX_TRANSCRIPT, Source, SourceError};
