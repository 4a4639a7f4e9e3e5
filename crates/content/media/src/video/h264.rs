//! H.264 by OpenH264, picture by picture.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

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

/// Frames out of one track, in the order of their times. Pictures leave the decoder in the order of showing, so the
/// n-th of them is the n-th by time; should one go missing, the video ends in an error rather than in shifted frames.
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
    ready: VecDeque<Ready>,
    over: bool,
    spent: Duration,
}

/// A picture that is wanted. It is given once for each time that it is on, and kept once: a still may be on for
/// minutes.
struct Ready {
    place: usize,
    frame: Frame,
}

impl H264 {
    /// Checks a track against the limits, sets up a decoder and decodes the first frame.
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
        let mut video =
            Self { source, track, avc, decoder, colours, next: 0, left: 0, wanted, ready, over, spent: Duration::ZERO };
        // Parameter sets may come with the pictures, and only then is it known whether they can be decoded here.
        while !video.wanted.is_empty() && video.ready.is_empty() && !video.over {
            video.step()?;
        }
        Ok(video)
    }

    /// One sample with start codes, the parameter sets before it where decoding can start.
    fn annexb(&mut self) -> Result<Vec<u8>, Error> {
        let sample = &self.track.samples[self.next];
        // Level limits hold a coded picture to 1.6 bytes a pixel (ITU-T H.264, section A.3.1).
        let limit = self.source.limits().pixels.saturating_mul(2).saturating_add(1 << 16);
        if u64::from(sample.size) > limit {
            return Err(Error::TooMany { what: "bytes in one picture", limit, got: u64::from(sample.size) });
        }
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
            if nal.is_empty() {
                continue;
            }
            if let Some(sps) = checked(nal, self.track.samples.len() as u64, self.source.limits())? {
                self.colours = Colours::new(sps.weights, sps.full_range);
            }
            stream.extend(START);
            stream.extend(nal);
        }
        Ok(stream)
    }

    /// Decodes a sample within the time that is left.
    fn step(&mut self) -> Result<(), Error> {
        let begin = Instant::now();
        self.decode()?;
        self.spent += begin.elapsed();
        let limit = self.source.limits().picture_seconds;
        if self.spent.as_secs_f64() > limit {
            return Err(Error::PictureTime { limit });
        }
        Ok(())
    }

    /// Decodes a sample, or flushes the decoder after the last.
    fn decode(&mut self) -> Result<(), Error> {
        let damaged = |e| Error::Damaged(format!("picture data: {e}"));
        if self.next < self.track.samples.len() {
            let stream = self.annexb()?;
            self.next += 1;
            if let Some(picture) = self.decoder.decode(&stream).map_err(damaged)? {
                let wanted = is_wanted(&self.wanted, self.left);
                self.ready.extend(taken(
                    &picture,
                    self.left,
                    wanted,
                    self.colours,
                    self.track.turns,
                    self.source.limits(),
                )?);
                self.left += 1;
            }
            return Ok(());
        }
        for picture in self.decoder.flush_remaining().map_err(damaged)? {
            let wanted = is_wanted(&self.wanted, self.left);
            self.ready.extend(taken(
                &picture,
                self.left,
                wanted,
                self.colours,
                self.track.turns,
                self.source.limits(),
            )?);
            self.left += 1;
        }
        self.over = true;
        Ok(())
    }

    /// The next frame, decoded as far as that takes; none after the last.
    fn frame(&mut self) -> Result<Option<Frame>, Error> {
        loop {
            let Some(&Wanted { time_s, picture }) = self.wanted.front() else { return Ok(None) };
            let next =
                if self.ready.front().is_some_and(|r| r.place == picture) { self.ready.pop_front() } else { None };
            if let Some(ready) = next {
                self.wanted.pop_front();
                let frame = Frame { time_s, ..ready.frame };
                if self.wanted.front().is_some_and(|w| w.picture == picture) {
                    self.ready.push_front(Ready { place: picture, frame: frame.clone() });
                }
                return Ok(Some(frame));
            }
            if self.over {
                let (got, of) = (self.left, self.track.samples.len());
                return Err(Error::Damaged(format!("{of} samples of H.264 decode to {got} pictures")));
            }
            self.step()?;
        }
    }
}

impl Iterator for H264 {
    type Item = Result<Frame, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.frame().transpose();
        if matches!(next, Some(Err(_))) {
            self.wanted.clear();
        }
        next
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

/// Whether a frame of the picture at a place in the order of showing is still to be given.
fn is_wanted(wanted: &VecDeque<Wanted>, place: usize) -> bool {
    wanted.binary_search_by_key(&place, |w| w.picture).is_ok()
}

/// Converts a picture if it is wanted.
fn taken(
    picture: &DecodedYUV,
    place: usize,
    wanted: bool,
    colours: Colours,
    turns: u8,
    limits: &Limits,
) -> Result<Option<Ready>, Error> {
    if !wanted {
        return Ok(None);
    }
    let (width, height) = picture.dimensions();
    if width as u64 * height as u64 > limits.pixels {
        return Err(Error::TooManyPixels { limit: limits.pixels, width: width as u64, height: height as u64 });
    }
    let (y, u, v) = picture.strides();
    let planes = Planes { width, height, planes: [picture.y(), picture.u(), picture.v()], strides: [y, u, v] };
    let (width, height, rgb) = turned(width, height, colours.rgb(&planes), turns);
    Ok(Some(Ready { place, frame: Frame { time_s: 0.0, width, height, rgb } }))
}
