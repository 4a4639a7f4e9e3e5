//! Reads media files: into features or, for a scheme that sends whole videos, into a video coded at a low rate.

use features::{ExtractError, Extractors, Findings, pictures, sound};
use media::{Frame, Media};
use source_coding::SourceError;
use source_coding::video::{self, Rgb};
use std::sync::Arc;
use wire::Fault;
use wire::fault::ErrorCode;

/// How media files are read for the weights being served.
pub enum Reader {
    /// Into features, by the extractors that the weights were trained with.
    Features(Box<Extractors>),
    /// Into coded videos, for a scheme that sends whole videos; the extractors are in the receiver.
    Videos,
}

/// The result of reading a media file.
#[derive(Debug, Default)]
pub struct Read {
    /// The features and the media analysis of the file; empty if `video` is `Some`.
    pub findings: Findings,
    /// The video as coded by [`video::encode`]; `None` unless the scheme sends whole videos.
    pub video: Option<Arc<[u8]>>,
}

impl Read {
    /// The features and media analysis of the file; `None` if the video is sent whole and the receiver extracts the
    /// features.
    pub fn found(&self) -> Option<&Findings> {
        self.video.is_none().then_some(&self.findings)
    }
}

/// Why a media file cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Unreadable {
    /// The fault for the clip's outcome.
    pub fault: Fault,
    /// Whether reading the same file may succeed another time: it took too long, or something other than the file
    /// failed.
    pub transient: bool,
}

/// A reader of media files.
pub trait ReadMedia: Send + Sync {
    /// Reads a media file, which may already have failed to open.
    ///
    /// # Errors
    /// Fails if the file cannot be read; says why.
    fn read(&self, media: Result<Media, media::Error>) -> Result<Read, Unreadable>;
}

impl ReadMedia for Reader {
    fn read(&self, media: Result<Media, media::Error>) -> Result<Read, Unreadable> {
        let media = media?;
        match self {
            Reader::Features(extractors) => {
                let findings = extractors.extract(&media).map_err(|error| unreadable(&error))?;
                Ok(Read { findings, video: None })
            }
            Reader::Videos => Ok(Read { video: Some(video(&media)?.into()), ..Read::default() }),
        }
    }
}

impl From<SourceError> for Unreadable {
    fn from(error: SourceError) -> Self {
        let code = match error {
            SourceError::VideoTooLong(_) => ErrorCode::TooLong,
            SourceError::EmptyVideo => ErrorCode::Empty,
            _ => ErrorCode::Unsupported,
        };
        Unreadable { fault: Fault::new(code, "media", error.to_string()), transient: false }
    }
}

impl From<media::Error> for Unreadable {
    fn from(error: media::Error) -> Self {
        unreadable(&error.into())
    }
}

fn video(media: &Media) -> Result<Vec<u8>, Unreadable> {
    let heard = sound(media)?.map(|sound| sound.pcm).unwrap_or_default();
    let rgb = |frame: Result<Frame, media::Error>| -> Result<Rgb, Unreadable> {
        let Frame { width, height, rgb, .. } = frame?;
        Ok(Rgb { width, height, rgb })
    };
    video::encode(&heard, pictures(media)?.into_iter().flatten().map(rgb))
}

fn unreadable(error: &ExtractError) -> Unreadable {
    use media::Error;
    let code = match error {
        ExtractError::Nothing(_) | ExtractError::Media(Error::Empty) => ErrorCode::Empty,
        ExtractError::Sound(_) => ErrorCode::NotFinite,
        ExtractError::Media(
            Error::TooLarge { .. }
            | Error::TooLong { .. }
            | Error::VideoTooLong { .. }
            | Error::PictureTime { .. }
            | Error::TooManyPixels { .. }
            | Error::TooMany { .. }
            | Error::FfmpegTime { .. },
        ) => ErrorCode::TooLong,
        ExtractError::Media(Error::Unsupported(_) | Error::Fragmented(_)) => ErrorCode::Unsupported,
        ExtractError::Media(_) => ErrorCode::Malformed,
    };
    // At another time the machine may have less load, or more memory, processes and files available.
    let transient = matches!(
        error,
        ExtractError::Media(
            Error::Read { .. } | Error::Ffmpeg(_) | Error::FfmpegTime { .. } | Error::PictureTime { .. }
        )
    );
    Unreadable { fault: Fault::new(code, "media", error.to_string()), transient }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hangs_on_the_moment_is_told_from_what_is_wrong_with_the_file() {
        let reader = Reader::Videos;
        let read = |error| reader.read(Err(error)).unwrap_err();
        for error in [media::Error::FfmpegTime { limit: 60.0 }, media::Error::PictureTime { limit: 60.0 }] {
            let unreadable = read(error);
            assert!(unreadable.transient && unreadable.fault.code == ErrorCode::TooLong, "{unreadable:?}");
        }
        assert!(read(media::Error::Ffmpeg("no more processes".into())).transient);
        for error in [media::Error::Empty, media::Error::TooLarge { limit: 1 }, media::Error::Unknown("text".into())] {
            assert!(!read(error).transient);
        }
    }

    #[test]
    fn nothing_is_claimed_of_a_video_that_nobody_has_looked_into() {
        assert_eq!(Read::default().found().map(|found| found.faces.len()), Some(0));
        let whole = Read { video: Some([0u8; 4].into()), ..Read::default() };
        assert!(whole.found().is_none());
    }
}
