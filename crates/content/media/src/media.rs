use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::source::Source;
use crate::video::{self, Frames};
use crate::{Audio, Error, Limits, ffmpeg, mp4, sound, wav};

/// How names of media files end, in small letters.
pub const EXTENSIONS: [&str; 15] =
    ["wav", "mp4", "m4v", "m4a", "mov", "mp3", "aac", "flac", "ogg", "opus", "webm", "mkv", "avi", "mpg", "3gp"];

/// Whether a file is called as media files are. What is in it is told by its content alone.
#[must_use]
pub fn has_media_name(path: &Path) -> bool {
    let extension = path.extension().and_then(std::ffi::OsStr::to_str);
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()))
}

/// A media file in memory, no larger than its limits allow. Its sound and its frames can be asked for in any order,
/// from any thread and more than once; a clone is the same bytes.
#[derive(Clone, Debug)]
pub struct Media(Source);

impl Media {
    /// Reads a file, at most one byte past the limit.
    ///
    /// # Errors
    ///
    /// [`Error::Read`], [`Error::Empty`] and [`Error::TooLarge`].
    pub fn open(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, Error> {
        let path = path.as_ref();
        let read = |source| Error::Read { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(read)?;
        file.take(limits.bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(read)?;
        Self::from_bytes(bytes, limits)
    }

    /// Takes a file that is in memory already, without a copy. What it is called does not matter: the kind is told by
    /// content.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] and [`Error::TooLarge`].
    pub fn from_bytes(bytes: Vec<u8>, limits: &Limits) -> Result<Self, Error> {
        if bytes.is_empty() {
            return Err(Error::Empty);
        }
        if bytes.len() as u64 > limits.bytes {
            return Err(Error::TooLarge { limit: limits.bytes });
        }
        Ok(Self(Source::new(bytes, limits)))
    }

    /// Decodes the first sound track to mono (the mean of its channels) at the rate it has. The kind is found by
    /// content, never by name: WAV with PCM, and MP4 or MOV with AAC-LC or MPEG audio, whose edit list is honoured; all
    /// else by ffmpeg if it is on PATH.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`], [`Error::NoAudio`], [`Error::Unsupported`], [`Error::Fragmented`], [`Error::Truncated`],
    /// [`Error::CutOff`], [`Error::TooLong`], [`Error::TooMany`], [`Error::Rate`], [`Error::Damaged`],
    /// [`Error::Ffmpeg`], [`Error::FfmpegTime`].
    pub fn audio(&self) -> Result<Audio, Error> {
        self.audio_in_process()
            .or_else(|error| ffmpeg::instead(error, self.0.limits(), |program| ffmpeg::audio(program, &self.0)))
    }

    fn audio_in_process(&self) -> Result<Audio, Error> {
        let (bytes, limits) = (self.0.bytes(), self.0.limits());
        if mp4::sniff(bytes) {
            sound::audio(bytes, limits)
        } else if wav::sniff(bytes) {
            wav::audio(bytes, limits)
        } else {
            Err(Error::Unknown("it begins neither as WAV nor as MP4 does".into()))
        }
    }

    /// The frames shown at 0, 1/`rate_hz`, 2/`rate_hz` … seconds, decoded as they are asked for. MP4 or MOV with H.264
    /// is decoded in process with the feature `video`, its edit list and rotation honoured; all else by ffmpeg if it is
    /// on PATH. [`FRAME_RATE_HZ`](crate::FRAME_RATE_HZ) is the rate of the visual front ends.
    ///
    /// # Errors
    ///
    /// [`Error::FrameRate`] for a rate of 0 or less or above 120; [`Error::Unknown`], [`Error::NoVideo`],
    /// [`Error::Unsupported`], [`Error::Fragmented`], [`Error::CutOff`], [`Error::VideoTooLong`],
    /// [`Error::PictureTime`], [`Error::TooManyPixels`], [`Error::TooMany`], [`Error::Damaged`], [`Error::Ffmpeg`],
    /// [`Error::FfmpegTime`], at once or in place of a frame.
    pub fn frames(&self, rate_hz: f64) -> Result<Frames, Error> {
        video::frames(&self.0, rate_hz)
    }
}
