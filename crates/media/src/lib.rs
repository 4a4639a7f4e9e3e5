//! Sound and pictures out of media files and the log-mel spectrum of the sound.
//!
//! Data enters by [`Media`], which never reads or decodes past its [`Limits`], and leaves as [`Audio`] and [`Frame`]s;
//! [`LogMel`] turns sound into the input of a Whisper encoder.

#![forbid(unsafe_code)]

mod audio;
mod decode;
mod error;
mod ffmpeg;
mod limits;
mod media;
mod mel;
mod mp4;
mod sound;
mod video;

pub use audio::{Audio, RATE_HZ};
pub use error::Error;
pub use limits::Limits;
pub use media::Media;
pub use mel::{LogMel, MEL_BANDS, MEL_FRAMES, WINDOW_SAMPLES};
pub use video::{FRAME_RATE_HZ, Frame, Frames};
