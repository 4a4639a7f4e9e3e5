//! Turns received videos into features, by the extractors that the weights were trained with.

use corpus::Sequence;
use features::{ExtractError, Extractors};
use media::{Audio, Frame};
use schemes::scheme::{InputError, InputErrorKind, VideoReader};
use source_coding::SourceError;
use source_coding::video::{self, PICTURE_HZ, Rgb, SOUND_HZ};

/// The extractors of a receiver whose scheme sends whole videos.
pub struct Videos(pub Extractors);

impl VideoReader for Videos {
    fn read(&self, video: &[u8]) -> Result<[Option<Sequence>; 3], InputError> {
        let video = video::decode(video).map_err(|error| {
            let lacks = error == SourceError::NoCodec;
            InputError::new(if lacks { InputErrorKind::Unsupported } else { InputErrorKind::Damaged }, "video", error)
        })?;
        let sound = Some(video.sound).filter(|sound| !sound.is_empty());
        let sound = sound.map(|pcm| Audio { pcm, rate_hz: SOUND_HZ });
        let frames = video.pictures.enumerate().map(frame);
        let found = self.0.extract_from(|| Ok(sound), || Ok(Some(frames)));
        let found = found.map_err(|error| {
            let kind = match error {
                ExtractError::Nothing(_) => InputErrorKind::Empty,
                ExtractError::Media(_) | ExtractError::Sound(_) => InputErrorKind::Damaged,
            };
            InputError::new(kind, "video", error)
        });
        Ok(found?.features)
    }
}

fn frame((at, picture): (usize, Result<Rgb, SourceError>)) -> Result<Frame, media::Error> {
    let Rgb { width, height, rgb } = picture.map_err(|error| media::Error::Damaged(error.to_string()))?;
    Ok(Frame { time_s: at as f64 / f64::from(PICTURE_HZ), width, height, rgb })
}
