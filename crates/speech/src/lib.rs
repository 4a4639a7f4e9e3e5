//! A classical front end for speech: the columns of COVAREP (Degottex et al. 2014) that can be had from sound alone, 100
//! rows a second, written from the literature.
//!
//! Sound enters by [`Frontend::analyse`] and leaves as [`Features`]. Columns bear COVAREP's names and mean what its columns
//! mean, so that a model trained on those finds them; [`COLUMNS`] says which there are.
//!
//! Row t stands for the 10 ms around (t + ½)/100 s. Memory grows with the clip's length alone.

#![forbid(unsafe_code)]

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
pub use frontend::{COLUMNS, Frontend};

/// Sampling rate of the sound, in Hz.
pub const RATE_HZ: u32 = 16_000;
/// Samples from row to row: 10 ms.
pub const HOP: usize = 160;
