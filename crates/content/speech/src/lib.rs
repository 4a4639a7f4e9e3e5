//! A classical front end for speech: the columns of COVAREP (Degottex et al. 2014) that can be had from sound alone, 100
//! rows a second, written from the literature.
//!
//! Sound enters by [`Frontend::analyse`] and leaves as [`Features`]. Columns bear COVAREP's names and mean what its columns
//! mean, so that a model trained on those finds them; [`COLUMNS`] says which there are. The columns of the glottal source (NAQ,
//! QOQ, H1H2, PSP, MDQ, peakSlope, Rd, creak) and of harmonic phase (HMPDM, HMPDD) are not among them.
//!
//! Row t stands for the 10 ms around (t + ½)/100 s. Memory grows with the clip's length alone.

#![forbid(unsafe_code)]

mod cepstrum;
mod energy;
mod error;
mod features;
mod frontend;
mod lpc;
mod pitch;
mod residual;
mod srh;

pub use error::Error;
pub use features::Features;
pub use frontend::{COLUMNS, CONVENTION, Frontend, WIDTH};

/// Sampling rate of the sound, in Hz.
pub const RATE_HZ: u32 = 16_000;
/// Samples from row to row: 10 ms.
pub const HOP: usize = 160;
