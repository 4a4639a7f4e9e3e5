//! Sound out of WAV files and the log-mel spectrum of it.
//!
//! Data enters by [`Media`], which never reads or decodes past its [`Limits`], and leaves as [`Audio`]; [`LogMel`] turns
//! that into the input of a Whisper encoder.

#![forbid(unsafe_code)]

mod audio;
mod decode;
mod error;
mod limits;
mod media;
mod mel;

pub use audio::{Audio, RATE_HZ};
pub use error::Error;
pub use limits::Limits;
pub use media::Media;
pub use mel::{LogMel, MEL_BANDS, MEL_FRAMES, WINDOW_SAMPLES};
