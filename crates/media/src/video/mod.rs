//! Frames out of films: H.264 in process with the feature `h264`, all else by ffmpeg.

#[cfg(feature = "h264")]
mod annexb;
mod frame;
#[cfg(feature = "h264")]
mod h264;
#[cfg(feature = "h264")]
mod rgb;
#[cfg(feature = "h264")]
mod sps;
#[cfg(feature = "h264")]
mod timing;

pub use frame::{FRAME_RATE_HZ, Frame};

use crate::ffmpeg::{self, Pictures};
use crate::mp4::{self, Codec, Kind};
use crate::{Error, Limits};

/// Rates that are given, in Hz, the lower end not among them.
const RATES_HZ: (f64, f64) = (0.0, 120.0);

/// The frames of a film, by [`Media::frames`](crate::Media::frames). After an error there are no more.
pub struct Frames<'a>(Source<'a>);

enum Source<'a> {
    #[cfg(feature = "h264")]
    InProcess(Box<h264::H264<'a>>),
    Ffmpeg(Box<Pictures>, std::marker::PhantomData<&'a ()>),
}

impl Iterator for Frames<'_> {
    type Item = Result<Frame, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            #[cfg(feature = "h264")]
            Source::InProcess(frames) => frames.next(),
            Source::Ffmpeg(frames, _) => frames.next(),
        }
    }
}

/// Starts to decode a file, by ffmpeg if it cannot be done in process.
pub fn frames<'a>(bytes: &'a [u8], rate_hz: f64, limits: &'a Limits) -> Result<Frames<'a>, Error> {
    if !(rate_hz > RATES_HZ.0 && rate_hz <= RATES_HZ.1) {
        return Err(Error::FrameRate(rate_hz));
    }
    in_process(bytes, rate_hz, limits).map(Frames).or_else(|error| {
        let pictures = ffmpeg::instead(error, limits, |ffmpeg| Pictures::new(ffmpeg, bytes, rate_hz, limits))?;
        Ok(Frames(Source::Ffmpeg(Box::new(pictures), std::marker::PhantomData)))
    })
}

fn in_process<'a>(bytes: &'a [u8], rate_hz: f64, limits: &'a Limits) -> Result<Source<'a>, Error> {
    if crate::decode::sniff(bytes) {
        return Err(Error::NoVideo("it is a WAV file".into()));
    }
    if !mp4::sniff(bytes) {
        return Err(Error::Unknown("it begins neither as WAV nor as MP4 does".into()));
    }
    let track = mp4::track(bytes, Kind::Picture)?.ok_or_else(|| Error::NoVideo("there is no such track".into()))?;
    if track.seconds() > limits.seconds {
        return Err(Error::FilmTooLong { limit: limits.seconds });
    }
    let pictures = track.samples.len() as u64;
    if pictures > limits.pictures {
        return Err(Error::TooMany { what: "pictures", limit: limits.pictures, got: pictures });
    }
    if pictures == 0 {
        return Err(Error::NoVideo("its track is empty".into()));
    }
    match &track.codec {
        #[cfg(feature = "h264")]
        Codec::H264(avc) => {
            let avc = avc.clone();
            h264::H264::new(bytes, track, avc, rate_hz, limits).map(|frames| Source::InProcess(Box::new(frames)))
        }
        #[cfg(not(feature = "h264"))]
        Codec::H264(_) => {
            let _ = rate_hz;
            Err(Error::Unsupported("H.264, by a build without the feature h264".into()))
        }
        Codec::Other(name) => Err(Error::Unsupported(format!("pictures in {name}"))),
        Codec::Aac(_) | Codec::Mpeg => Err(Error::Damaged("a track of pictures coded as sound".into())),
    }
}
