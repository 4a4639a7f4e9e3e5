//! H.264 by OpenH264, picture by picture.

use std::collections::VecDeque;

use openh264::OpenH264API;
use openh264::decoder::{DecodedYUV, Decoder, DecoderConfig, Flush};
use openh264::formats::YUVSource;

use super::annexb::{START, nals};
use super::frame::Frame;
use super::rgb::{Colours, Planes, turned};
use super::sps::{Sps, sps};
use super::timing::{Wanted, wanted};
use crate::mp4::{Avc, Track};
use crate::source::Source;
use crate::{Error, Limits};

/// Frames out of one track, in the order of their times. Pictures leave the decoder in the order of showing, so the n-th of
/// them is the n-th by time; should one go missing, the film ends in an error rather than in shifted frames.
pub struct H264 {
    source: Source,
    track: Track,
    avc: Avc,
    decoder: Decoder,
    colours: Colours,
    /// Next sample to decode.
    next: usize,
    /// Pictures that have left the decoder.
    left: usize,
    wanted: VecDeque<Wanted>,
    ready: VecDeque<Frame>,
    over: bool,
}

impl H264 {
    /// Checks a track against the limits and sets up a decoder.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`], [`Error::TooManyPixels`], [`Error::TooMany`] and [`Error::Damaged`].
    pub fn new(source: &Source, track: Track, avc: Avc, rate_hz: f64) -> Result<Self, Error> {
        let mut first = None;
        for set in &avc.parameter_sets {
            if let Some(found) = checked(set, track.samples.len() as u64, source.limits())? {
                first.get_or_insert(found);
            }
        }
        let colours = first.map_or(Colours::new((0.299, 0.114), false), |s| Colours::new(s.weights, s.full_range));
        let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
        let decoder = Decoder::with_api_config(OpenH264API::from_source(), config);
        let decoder = decoder.map_err(|e| Error::Damaged(format!("OpenH264 does not start: {e}")))?;
        let wanted = wanted(&track, rate_hz).into();
        let (ready, over) = (VecDeque::new(), false);
        let source = source.clone();
        Ok(Self { source, track, avc, decoder, colours, next: 0, left: 0, wanted, ready, over })
    }

    /// One sample with start codes, the parameter sets before it where decoding can start.
    fn annexb(&mut self) -> Result<Vec<u8>, Error> {
        let sample = &self.track.samples[self.next];
        let data = &self.source.bytes()[sample.offset as usize..][..sample.size as usize];
        let mut stream = Vec::with_capacity(data.len() + 256);
        if sample.sync {
            for set in &self.avc.parameter_sets {
                stream.extend(START);
                stream.extend(set);
            }
        }
        for nal in nals(data, self.avc.length_bytes) {
            let nal = nal?;
            if let Some(sps) = checked(nal, self.track.samples.len() as u64, self.source.limits())? {
                self.colours = Colours::new(sps.weights, sps.full_range);
            }
            stream.extend(START);
            stream.extend(nal);
        }
        Ok(stream)
    }

    /// Decodes a sample, or flushes the decoder after the last.
    fn step(&mut self) -> Result<(), Error> {
        let damaged = |e| Error::Damaged(format!("picture data: {e}"));
        if self.next < self.track.samples.len() {
            let stream = self.annexb()?;
            self.next += 1;
            let (colours, turns, wanted) = (self.colours, self.track.turns, &mut self.wanted);
            if let Some(picture) = self.decoder.decode(&stream).map_err(damaged)? {
                take(&picture, self.left, colours, turns, wanted, &mut self.ready, self.source.limits())?;
                self.left += 1;
            }
            return Ok(());
        }
        for picture in self.decoder.flush_remaining().map_err(damaged)? {
            let (turns, wanted) = (self.track.turns, &mut self.wanted);
            take(&picture, self.left, self.colours, turns, wanted, &mut self.ready, self.source.limits())?;
            self.left += 1;
        }
        self.over = true;
        if self.wanted.is_empty() {
            return Ok(());
        }
        let (got, of) = (self.left, self.track.samples.len());
        Err(Error::Damaged(format!("{of} samples of H.264 decode to {got} pictures")))
    }
}

impl Iterator for H264 {
    type Item = Result<Frame, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some(Ok(frame));
            }
            if self.over || self.wanted.is_empty() {
                return None;
            }
            if let Err(error) = self.step() {
                self.over = true;
                self.ready.clear();
                return Some(Err(error));
            }
        }
    }
}

/// A NAL unit, if it is a sequence parameter set, held against the limits.
fn checked(nal: &[u8], pictures: u64, limits: &Limits) -> Result<Option<Sps>, Error> {
    if nal.first().is_none_or(|header| header & 31 != 7) {
        return Ok(None);
    }
    let sps = sps(nal)?;
    let Sps { width, height, .. } = sps;
    if width.saturating_mul(height) > limits.pixels {
        return Err(Error::TooManyPixels { limit: limits.pixels, width, height });
    }
    let all = (width * height).saturating_mul(pictures);
    if all > limits.all_pixels {
        return Err(Error::TooMany { what: "pixels in all pictures", limit: limits.all_pixels, got: all });
    }
    if !sps.plain {
        return Err(Error::Unsupported("H.264 that is interlaced, or not of 8 bits with colours at 4:2:0".into()));
    }
    Ok(Some(sps))
}

/// Converts the picture if frames of it are wanted.
fn take(
    picture: &DecodedYUV,
    place: usize,
    colours: Colours,
    turns: u8,
    wanted: &mut VecDeque<Wanted>,
    ready: &mut VecDeque<Frame>,
    limits: &Limits,
) -> Result<(), Error> {
    if wanted.front().is_none_or(|w| w.picture != place) {
        return Ok(());
    }
    let (width, height) = picture.dimensions();
    if width as u64 * height as u64 > limits.pixels {
        return Err(Error::TooManyPixels { limit: limits.pixels, width: width as u64, height: height as u64 });
    }
    let (y, u, v) = picture.strides();
    let planes = Planes { width, height, planes: [picture.y(), picture.u(), picture.v()], strides: [y, u, v] };
    let (width, height, rgb) = turned(width, height, colours.rgb(&planes), turns);
    while let Some(&Wanted { time_s, picture }) = wanted.front() {
        if picture != place {
            break;
        }
        wanted.pop_front();
        ready.push_back(Frame { time_s, width, height, rgb: rgb.clone() });
    }
    Ok(())
}
