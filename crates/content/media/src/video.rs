//! Frames out of videos: H.264 in process with the feature `video`, all else by ffmpeg.

#[cfg(feature = "video")]
mod annexb;
mod frame;
#[cfg(feature = "video")]
mod h264;
#[cfg(feature = "video")]
mod rgb;
#[cfg(feature = "video")]
mod sps;
#[cfg(feature = "video")]
mod timing;

pub use frame::{FRAME_RATE_HZ, Frame};

use crate::Error;
use crate::ffmpeg::{self, Pictures};
use crate::mp4::{self, Codec, Kind};
use crate::source::Source;

/// Rates that are given, in Hz, the lower end not among them.
const RATES_HZ: (f64, f64) = (0.0, 120.0);

/// The frames of a video, by [`Media::frames`](crate::Media::frames). After an error there are no more.
pub struct Frames(Decoding);

enum Decoding {
    #[cfg(feature = "video")]
    InProcess(Box<h264::H264>),
    Ffmpeg(Box<Pictures>),
}

impl Iterator for Frames {
    type Item = Result<Frame, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            #[cfg(feature = "video")]
            Decoding::InProcess(frames) => frames.next(),
            Decoding::Ffmpeg(frames) => frames.next(),
        }
    }
}

/// Starts to decode a file, by ffmpeg if it cannot be done in process.
pub fn frames(source: &Source, rate_hz: f64) -> Result<Frames, Error> {
    if !(rate_hz > RATES_HZ.0 && rate_hz <= RATES_HZ.1) {
        return Err(Error::FrameRate(rate_hz));
    }
    in_process(source, rate_hz).map(Frames).or_else(|error| {
        let pictures = ffmpeg::instead(error, source.limits(), |ffmpeg| Pictures::new(ffmpeg, source, rate_hz))?;
        Ok(Frames(Decoding::Ffmpeg(Box::new(pictures))))
    })
}

fn in_process(source: &Source, rate_hz: f64) -> Result<Decoding, Error> {
    let (bytes, limits) = (source.bytes(), source.limits());
    if crate::wav::sniff(bytes) {
        return Err(Error::NoVideo("it is a WAV file".into()));
    }
    if !mp4::sniff(bytes) {
        return Err(Error::Unknown("it begins neither as WAV nor as MP4 does".into()));
    }
    let track = mp4::track(bytes, Kind::Picture)?.ok_or_else(|| Error::NoVideo("there is no such track".into()))?;
    if track.seconds() > limits.seconds {
        return Err(Error::VideoTooLong { limit: limits.seconds });
    }
    let pictures = track.samples.len() as u64;
    if pictures > limits.pictures {
        return Err(Error::TooMany { what: "pictures", limit: limits.pictures, got: pictures });
    }
    if pictures == 0 {
        return Err(Error::NoVideo("its track is empty".into()));
    }
    match &track.codec {
        #[cfg(feature = "video")]
        Codec::H264(avc) => {
            let avc = avc.clone();
            h264::H264::new(source, track, avc, rate_hz).map(|frames| Decoding::InProcess(Box::new(frames)))
        }
        #[cfg(not(feature = "video"))]
        Codec::H264(_) => {
            let _ = rate_hz;
            Err(Error::Unsupported("H.264, by a build without the feature video".into()))
        }
        Codec::Other(name) => Err(Error::Unsupported(format!("pictures in {name}"))),
        Codec::Aac(_) | Codec::Mpeg => Err(Error::Damaged("a track of pictures coded as sound".into())),
    }
}
