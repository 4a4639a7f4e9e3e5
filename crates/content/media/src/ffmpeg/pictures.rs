//! Frames by ffmpeg, as PPM pictures one after the other: each tells its size.

use std::io::{BufRead, Read};
use std::path::Path;

use super::process::{NO_STREAM, Process};
use crate::source::Source;
use crate::video::Frame;
use crate::{Error, Limits};

/// Frames out of an ffmpeg process, in the order of their times.
pub struct Pictures {
    process: Process,
    rate_hz: f64,
    limits: Limits,
    given: u64,
    over: bool,
    /// The first frame, read at once: only then is it known that there are any.
    first: Option<Frame>,
}

impl Pictures {
    /// Starts to decode the first video track, and waits for its first frame.
    pub fn new(program: &Path, source: &Source, rate_hz: f64) -> Result<Self, Error> {
        let limits = source.limits();
        let seconds = format!("{}", limits.seconds + 1.0);
        // Rounding up gives each time the last picture due by then. The first is on from the start, however late it is.
        let filter = format!("fps=fps={rate_hz}:round=up:start_time=0");
        let select = ["-map", "0:v:0?", "-an", "-sn", "-dn", "-t", &seconds, "-vf", &filter];
        let output = ["-pix_fmt", "rgb24", "-c:v", "ppm", "-f", "image2pipe"];
        let process = Process::new(program, source, &[&select[..], &output].concat())?;
        let mut pictures = Self { process, rate_hz, limits: limits.clone(), given: 0, over: false, first: None };
        pictures.first = pictures.read().map_err(|error| match error {
            Error::Ffmpeg(said) if said.contains(NO_STREAM) => Error::NoVideo("ffmpeg finds none in it".into()),
            other => other,
        })?;
        if pictures.first.is_none() {
            return Err(Error::NoVideo("ffmpeg finds none in it".into()));
        }
        Ok(pictures)
    }

    fn read(&mut self) -> Result<Option<Frame>, Error> {
        let broken = |e: std::io::Error| Error::Ffmpeg(e.to_string());
        if self.process.out.fill_buf().map_err(broken)?.is_empty() {
            return self.process.finish().map(|()| None);
        }
        let time_s = self.given as f64 / self.rate_hz;
        if time_s >= self.limits.seconds {
            return Err(Error::VideoTooLong { limit: self.limits.seconds });
        }
        let mut fields = [0u64; 3];
        let kind = self.word()?;
        for field in &mut fields {
            *field = self.word()?.parse().unwrap_or(0);
        }
        let [width, height, depth] = fields;
        if kind != "P6" || depth != 255 || width == 0 || height == 0 {
            return Err(Error::Ffmpeg("its output is no PPM picture".into()));
        }
        if width.saturating_mul(height) > self.limits.pixels {
            return Err(Error::TooManyPixels { limit: self.limits.pixels, width, height });
        }
        let (width, height) = (width as usize, height as usize);
        let mut rgb = vec![0; 3 * width * height];
        if self.process.out.read_exact(&mut rgb).is_err() {
            self.process.finish()?;
            return Err(Error::Ffmpeg("its output ends within a picture".into()));
        }
        self.given += 1;
        Ok(Some(Frame { time_s, width, height, rgb }))
    }

    /// The next word of a PPM header, with the one space behind it.
    fn word(&mut self) -> Result<String, Error> {
        let mut word = String::new();
        for byte in self.process.out.by_ref().bytes().take(16) {
            let byte = byte.map_err(|e| Error::Ffmpeg(e.to_string()))?;
            if byte.is_ascii_whitespace() {
                break;
            }
            word.push(char::from(byte));
        }
        Ok(word)
    }
}

impl Iterator for Pictures {
    type Item = Result<Frame, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(first) = self.first.take() {
            return Some(Ok(first));
        }
        if self.over {
            return None;
        }
        let next = self.read().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}
