//! Source coding: what the conventional scheme sends of a clip, as bytes and back.
//!
//! [`Source`] quantises feature planes to 8 bits and codes them as H.264 pictures (cargo feature `video`) or
//! losslessly, and the transcript as compressed UTF-8; what a clip lacks is left out. [`video`] codes a video at a low
//! rate. The bytes have no protection of their own: the ranges and widths of the planes and the codec's settings are
//! known to both ends.

#![forbid(unsafe_code)]

mod container;
mod error;
#[cfg(feature = "video")]
mod h264;
#[cfg(feature = "video")]
mod picture;
mod ranges;
mod source;
pub mod video;

pub use error::{MAX_FRAMES, MAX_TRANSCRIPT, SourceError};
pub use ranges::{DEVIATIONS, Ranges};
pub use source::{Codec, Content, Source};
