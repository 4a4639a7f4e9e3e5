//! Pictures as H.264 by OpenH264, each after the last.

use openh264::OpenH264API;
use openh264::decoder::{DecoderConfig, Flush};
use openh264::encoder::{BitRate, EncoderConfig, FrameRate, RateControlMode};
use openh264::formats::{RgbSliceU8, YUVBuffer, YUVSource};
use openh264::{Timestamp, decoder, encoder};

use super::{PICTURE_BPS, PICTURE_HZ, Rgb};
use crate::SourceError;
use crate::h264::{is_set, kinds, units_of};

/// A slice of a picture that others are not needed for, and of one that they are (ITU-T H.264, table 7-1).
const SLICES: [u8; 2] = [5, 1];

fn failed(error: openh264::Error) -> SourceError {
    SourceError::Encoder(format!("OpenH264: {error}"))
}

fn damaged(error: openh264::Error) -> SourceError {
    SourceError::Damaged(format!("H.264: {error}"))
}

fn start() -> Result<encoder::Encoder, SourceError> {
    let config = EncoderConfig::new()
        .rate_control_mode(RateControlMode::Bitrate)
        .bitrate(BitRate::from_bps(PICTURE_BPS))
        .max_frame_rate(FrameRate::from_hz(PICTURE_HZ as f32))
        .scene_change_detect(false)
        .num_threads(1);
    encoder::Encoder::with_api_config(OpenH264API::from_source(), config).map_err(failed)
}

/// Codes pictures of one size.
pub struct Encoder {
    encoder: encoder::Encoder,
    width: usize,
    height: usize,
    coded: u64,
}

impl Encoder {
    pub fn new(width: usize, height: usize) -> Result<Self, SourceError> {
        Ok(Encoder { encoder: start()?, width, height, coded: 0 })
    }

    /// The slices of the next picture as a byte stream (annex B), without parameter sets; nothing where the rate leaves
    /// none for it, and the last one stays on.
    pub fn encode(&mut self, picture: &Rgb) -> Result<Vec<u8>, SourceError> {
        Ok(self.units(picture)?.into_iter().filter(|unit| !is_set(unit)).flatten().collect())
    }

    fn units(&mut self, picture: &Rgb) -> Result<Vec<Vec<u8>>, SourceError> {
        let source = YUVBuffer::from_rgb8_source(RgbSliceU8::new(&picture.rgb, (self.width, self.height)));
        let time = Timestamp::from_millis(self.coded * 1000 / u64::from(PICTURE_HZ));
        self.coded += 1;
        Ok(units_of(&self.encoder.encode_at(&source, time).map_err(failed)?))
    }
}

/// Decodes pictures of one size.
pub struct Decoder {
    decoder: decoder::Decoder,
    /// Parameter sets, until the first picture.
    sets: Vec<u8>,
    last: Option<Rgb>,
    width: usize,
    height: usize,
}

impl Decoder {
    pub fn new(width: usize, height: usize) -> Result<Self, SourceError> {
        let blank = Rgb { width, height, rgb: vec![128; 3 * width * height] };
        let units = Encoder::new(width, height)?.units(&blank)?;
        let sets = units.into_iter().filter(|unit| is_set(unit)).flatten().collect();
        let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
        let decoder = decoder::Decoder::with_api_config(OpenH264API::from_source(), config).map_err(damaged)?;
        Ok(Decoder { decoder, sets, last: None, width, height })
    }

    /// The picture of the next slices. There are no pictures that wait for later ones.
    pub fn decode(&mut self, slices: &[u8]) -> Result<Rgb, SourceError> {
        let none = || SourceError::Damaged("H.264 that is no picture".into());
        if slices.is_empty() {
            return self.last.clone().ok_or_else(none);
        }
        if let Some(kind) = kinds(slices).find(|kind| !SLICES.contains(kind)) {
            return Err(SourceError::Damaged(format!("expected slices alone, got a NAL unit of type {kind}")));
        }
        let mut stream = std::mem::take(&mut self.sets);
        stream.extend(slices);
        let picture = self.decoder.decode(&stream).map_err(damaged)?.ok_or_else(none)?;
        if picture.dimensions() != (self.width, self.height) {
            return Err(none());
        }
        let mut rgb = vec![0; picture.rgb8_len()];
        picture.write_rgb8(&mut rgb);
        let picture = Rgb { width: self.width, height: self.height, rgb };
        self.last = Some(picture.clone());
        Ok(picture)
    }
}
