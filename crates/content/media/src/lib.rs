//! Sound and pictures out of media files and the log-mel spectrum of the sound.
//!
//! Data enters by [`Media`], a path or bytes, which never reads or decodes past its [`Limits`], and leaves as [`Audio`] and [`Frame`]s; [`LogMel`] turns sound into the input of a Whisper encoder. Decoding
//! blocks: in an async service it belongs on a thread for that, and [`Media`] and [`Frames`] may be sent there.

#![forbid(unsafe_code)]

mod audio;
mod error;
mod ffmpeg;
mod limits;
mod media;
mod mel;
mod mono;
mod mp4;
mod sound;
mod source;
mod video;
mod wav;

pub use audio::{Audio, RATE_HZ};
pub use error::Error;
pub use limits::Limits;
pub use media::{EXTENSIONS, Media, has_media_name};
pub use mel::{LogMel, MEL_BANDS, MEL_FRAMES, WINDOW_SAMPLES};
pub use video::{FRAME_RATE_HZ, Frame, Frames};
