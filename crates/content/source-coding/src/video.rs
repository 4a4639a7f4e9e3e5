//! A video at a low rate: what a conventional link sends of somebody speaking.
//!
//! Sound is Opus at [`SOUND_BPS`]. Pictures are H.264 at [`PICTURE_BPS`], [`PICTURE_HZ`] of them a second and at most
//! [`LARGEST`] pixels wide and high, which is what the front ends of the receiver look at. Both need the cargo feature
//! `video`.
//!
//! The bytes: samples (4, little-endian), width and height (2 each), pictures (4); then each packet of sound behind its
//! length (2), each picture's slices behind theirs (4). Parameter sets follow from the size, so they do not cross.

#[cfg(not(feature = "video"))]
mod no_sound;
#[cfg(feature = "video")]
mod pictures;
mod reader;
mod scale;
#[cfg(feature = "video")]
mod sound;

use crate::SourceError;
#[cfg(not(feature = "video"))]
use no_sound as sound;
use reader::Reader;

/// Bits a second of sound.
pub const SOUND_BPS: u32 = 12_000;
/// Bits a second of pictures.
pub const PICTURE_BPS: u32 = 24_000;
/// Pictures a second.
pub const PICTURE_HZ: u32 = 5;
/// Samples a second of the sound.
pub const SOUND_HZ: u32 = 16_000;
/// The longer side of a picture that is sent, in pixels.
pub const LARGEST: usize = 320;
/// The longest video, in seconds.
const MAX_SECONDS: u32 = 600;

/// A picture, `[height, width, 3]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgb {
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
    /// Red, green and blue.
    pub rgb: Vec<u8>,
}

/// A video as it was received.
pub struct Video {
    /// Mono at [`SOUND_HZ`]; empty if there is none.
    pub sound: Vec<f32>,
    /// Its pictures, [`PICTURE_HZ`] a second, decoded as they are asked for.
    pub pictures: Box<dyn Iterator<Item = Result<Rgb, SourceError>> + Send>,
}

/// Codes a video: `sound` mono at [`SOUND_HZ`], empty if there is none, and `pictures` at [`PICTURE_HZ`].
///
/// # Errors
/// If a picture is an error, the video is too long or has neither, or this build lacks the codecs (feature `video`).
pub fn encode<E: From<SourceError>>(
    sound: &[f32],
    mut pictures: impl Iterator<Item = Result<Rgb, E>>,
) -> Result<Vec<u8>, E> {
    let long = |length: u64, rate: u32| length > u64::from(MAX_SECONDS * rate);
    if long(sound.len() as u64, SOUND_HZ) {
        return Err(SourceError::VideoTooLong(MAX_SECONDS).into());
    }
    let first = pictures.next().transpose()?;
    if sound.is_empty() && first.is_none() {
        return Err(SourceError::EmptyVideo.into());
    }
    let coded = match first {
        Some(first) => coded_pictures(first, pictures)?,
        None => Coded::default(),
    };
    if long(coded.slices.len() as u64, PICTURE_HZ) {
        return Err(SourceError::VideoTooLong(MAX_SECONDS).into());
    }
    let mut bytes = Vec::new();
    bytes.extend((sound.len() as u32).to_le_bytes());
    bytes.extend((coded.width as u16).to_le_bytes());
    bytes.extend((coded.height as u16).to_le_bytes());
    bytes.extend((coded.slices.len() as u32).to_le_bytes());
    for packet in sound::encode(sound)? {
        bytes.extend((packet.len() as u16).to_le_bytes());
        bytes.extend(packet);
    }
    for slices in coded.slices {
        bytes.extend((slices.len() as u32).to_le_bytes());
        bytes.extend(slices);
    }
    Ok(bytes)
}

/// Coded pictures.
#[derive(Default)]
struct Coded {
    width: usize,
    height: usize,
    slices: Vec<Vec<u8>>,
}

#[cfg(feature = "video")]
fn coded_pictures<E: From<SourceError>>(first: Rgb, others: impl Iterator<Item = Result<Rgb, E>>) -> Result<Coded, E> {
    let (width, height) = scale::target(&first);
    let mut encoder = pictures::Encoder::new(width, height)?;
    let mut slices = vec![encoder.encode(&scale::scaled(&first, width, height))?];
    for picture in others.take((MAX_SECONDS * PICTURE_HZ) as usize) {
        slices.push(encoder.encode(&scale::scaled(&picture?, width, height))?);
    }
    Ok(Coded { width, height, slices })
}

#[cfg(not(feature = "video"))]
fn coded_pictures<E: From<SourceError>>(_: Rgb, _: impl Iterator<Item = Result<Rgb, E>>) -> Result<Coded, E> {
    Err(SourceError::NoCodec.into())
}

/// The video of received bytes. A picture that is none shows when it is asked for.
///
/// # Errors
/// [`SourceError::Damaged`] if they are not what [`encode`] makes; nothing they hold takes more memory than a video.
pub fn decode(bytes: &[u8]) -> Result<Video, SourceError> {
    let mut reader = Reader::new(bytes);
    let (samples, width, height, count) = (reader.u32()?, reader.u16()?, reader.u16()?, reader.u32()?);
    if samples > MAX_SECONDS * SOUND_HZ || count > MAX_SECONDS * PICTURE_HZ {
        return Err(SourceError::Damaged(format!("a video of {samples} samples and {count} pictures")));
    }
    let packets = (0..sound::packets(samples as usize)?).map(|_| {
        let length = reader.u16()?;
        reader.take(usize::from(length))
    });
    let packets = packets.collect::<Result<Vec<_>, _>>()?;
    let sound = sound::decode(&packets, samples as usize)?;
    let slices = (0..count).map(|_| {
        let length = reader.u32()?;
        Ok(reader.take(length as usize)?.to_vec())
    });
    let slices = slices.collect::<Result<Vec<Vec<u8>>, SourceError>>()?;
    reader.end()?;
    Ok(Video { sound, pictures: decoded_pictures(usize::from(width), usize::from(height), slices)? })
}

type Decoded = Box<dyn Iterator<Item = Result<Rgb, SourceError>> + Send>;

fn decoded_pictures(width: usize, height: usize, slices: Vec<Vec<u8>>) -> Result<Decoded, SourceError> {
    if slices.is_empty() {
        return Ok(Box::new(std::iter::empty()));
    }
    let side = |length: usize| (scale::SMALLEST..=LARGEST).contains(&length) && length.is_multiple_of(2);
    if !side(width) || !side(height) {
        return Err(SourceError::Damaged(format!("pictures of {width} × {height}")));
    }
    open(width, height, slices)
}

#[cfg(feature = "video")]
fn open(width: usize, height: usize, slices: Vec<Vec<u8>>) -> Result<Decoded, SourceError> {
    let mut decoder = pictures::Decoder::new(width, height)?;
    Ok(Box::new(slices.into_iter().map(move |slices| decoder.decode(&slices))))
}

#[cfg(not(feature = "video"))]
fn open(_: usize, _: usize, _: Vec<Vec<u8>>) -> Result<Decoded, SourceError> {
    Err(SourceError::NoCodec)
}
