//! Sound of WAV files by symphonia, in process.

use std::io::{Cursor, ErrorKind};

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as Symphonia;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

use crate::source::Source;
use crate::{Audio, Error, Limits};

/// Rates that are taken, in Hz.
const RATES_HZ: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// Whether bytes begin as a WAV file does.
pub fn sniff(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF") && bytes.get(8..12).is_some_and(|kind| kind == b"WAVE")
}

/// Decodes the first sound track of a file.
pub fn audio(source: Source, limits: &Limits) -> Result<Audio, Error> {
    let stream = MediaSourceStream::new(Box::new(Cursor::new(source)), Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|e| Error::Unknown(e.to_string()))?;
    let track =
        format.default_track(TrackType::Audio).ok_or_else(|| Error::NoAudio("there is no sound track".into()))?;
    let (id, announced) = (track.id, track.num_frames);
    let parameters = track.codec_params.as_ref().and_then(|p| p.audio());
    let parameters = parameters.ok_or_else(|| Error::NoAudio("its codec is not known".into()))?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|e| Error::Unsupported(format!("a WAV file whose codec is not PCM ({e})")))?;
    let mut mono = Mono::new(limits.seconds);
    let cut_off = packets(format.as_mut(), id, decoder.as_mut(), &mut mono)?;
    let found = mono.audio.as_ref().map_or(0, |a| a.pcm.len() as u64);
    match announced {
        Some(announced) if cut_off || found < announced => Err(Error::Truncated { announced, found }),
        _ => mono.audio.ok_or_else(|| Error::NoAudio("no packet of it decodes".into())),
    }
}

/// Decodes packet after packet; true if the file ended within one. A packet that does not decode is left out, as players do.
fn packets(
    format: &mut dyn FormatReader,
    id: u32,
    decoder: &mut dyn AudioDecoder,
    mono: &mut Mono,
) -> Result<bool, Error> {
    let mut samples = Vec::new();
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => return Ok(false),
            Err(Symphonia::IoError(e)) if e.kind() == ErrorKind::UnexpectedEof => return Ok(true),
            Err(e) => return Err(Error::Damaged(e.to_string())),
        };
        if packet.track_id != id {
            continue;
        }
        match decoder.decode(&packet) {
            Ok(buffer) => {
                samples.resize(buffer.samples_interleaved(), 0.0);
                buffer.copy_to_slice_interleaved(&mut samples);
                mono.extend(&samples, buffer.spec().channels().count(), buffer.spec().rate())?;
            }
            Err(Symphonia::DecodeError(_)) => {}
            Err(e) => return Err(Error::Damaged(e.to_string())),
        }
    }
}

/// What was decoded so far, folded to one channel.
pub(crate) struct Mono {
    audio: Option<Audio>,
    limit: f64,
}

impl Mono {
    pub(crate) fn new(limit: f64) -> Self {
        Self { audio: None, limit }
    }

    /// The rate, once something is known of it.
    pub(crate) fn rate_hz(&self) -> Option<u32> {
        self.audio.as_ref().map(|a| a.rate_hz)
    }

    pub(crate) fn finish(self) -> Option<Audio> {
        self.audio
    }

    /// # Errors
    ///
    /// [`Error::Rate`], [`Error::Damaged`] if the rate changes, and [`Error::TooLong`].
    pub(crate) fn extend(&mut self, interleaved: &[f32], channels: usize, rate_hz: u32) -> Result<(), Error> {
        if !RATES_HZ.contains(&rate_hz) {
            return Err(Error::Rate(rate_hz));
        }
        let audio = self.audio.get_or_insert(Audio { pcm: Vec::new(), rate_hz });
        if audio.rate_hz != rate_hz {
            return Err(Error::Damaged(format!("the rate changes from {} to {rate_hz} Hz", audio.rate_hz)));
        }
        let channels = channels.max(1);
        audio.pcm.extend(interleaved.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32));
        if audio.seconds() > self.limit {
            return Err(Error::TooLong { limit: self.limit });
        }
        Ok(())
    }
}
