//! What a media file is made into: features, or for a scheme that sends it whole the film at a low rate.

use features::{ExtractError, Extractors, Findings, pictures, sound};
use media::{Frame, Media};
use source_coding::SourceError;
use source_coding::film::{self, Rgb};
use std::sync::Arc;
use wire::Fault;
use wire::fault::ErrorCode;

/// Reads files for weights.
pub enum Reader {
    /// By the extractors that the weights were trained with.
    Features(Box<Extractors>),
    /// Into films; the extractors are in the receiver.
    Films,
}

/// What a file gave.
#[derive(Debug, Default)]
pub struct Read {
    /// What was found in it; nothing where it is a film.
    pub findings: Findings,
    /// As [`film::encode`] codes it.
    pub film: Option<Arc<[u8]>>,
}

impl Reader {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(&self, media: Result<Media, media::Error>) -> Result<Read, Fault> {
        let media = media.map_err(|error| fault_of(&error.into()))?;
        match self {
            Reader::Features(extractors) => {
                let findings = extractors.extract(&media).map_err(|error| fault_of(&error))?;
                Ok(Read { findings, film: None })
            }
            Reader::Films => {
                let film = film(&media).map_err(|Refused(fault)| fault)?;
                Ok(Read { film: Some(film.into()), ..Read::default() })
            }
        }
    }
}

struct Refused(Fault);

impl From<SourceError> for Refused {
    fn from(error: SourceError) -> Self {
        let code = match error {
            SourceError::FilmTooLong(_) => ErrorCode::TooLong,
            SourceError::EmptyFilm => ErrorCode::Empty,
            _ => ErrorCode::Unsupported,
        };
        Refused(Fault::new(code, "media", error.to_string()))
    }
}

impl From<media::Error> for Refused {
    fn from(error: media::Error) -> Self {
        Refused(fault_of(&error.into()))
    }
}

fn film(media: &Media) -> Result<Vec<u8>, Refused> {
    let heard = sound(media)?.map(|sound| sound.pcm).unwrap_or_default();
    let rgb = |frame: Result<Frame, media::Error>| -> Result<Rgb, Refused> {
        let Frame { width, height, rgb, .. } = frame?;
        Ok(Rgb { width, height, rgb })
    };
    film::encode(&heard, pictures(media)?.into_iter().flatten().map(rgb))
}

fn fault_of(error: &ExtractError) -> Fault {
    use media::Error;
    let code = match error {
        ExtractError::Nothing(_) | ExtractError::Media(Error::Empty) => ErrorCode::Empty,
        ExtractError::Sound(_) => ErrorCode::NotFinite,
        ExtractError::Media(
            Error::TooLarge { .. }
            | Error::TooLong { .. }
            | Error::FilmTooLong { .. }
            | Error::PictureTime { .. }
            | Error::TooManyPixels { .. }
            | Error::TooMany { .. }
            | Error::FfmpegTime { .. },
        ) => ErrorCode::TooLong,
        ExtractError::Media(Error::Unsupported(_) | Error::Fragmented(_)) => ErrorCode::Unsupported,
        ExtractError::Media(_) => ErrorCode::Malformed,
    };
    Fault::new(code, "media", error.to_string())
}
