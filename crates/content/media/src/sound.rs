//! Sound of MP4 files: our own packets to symphonia's decoders, then the edit list.

use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_MP2, CODEC_ID_MP3};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as Symphonia;
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use crate::mono::Mono;
use crate::mp4::{self, Codec, Kind, Sample, Track};
use crate::{Audio, Error, Limits};

/// Decodes the first sound track.
pub fn audio(bytes: &[u8], limits: &Limits) -> Result<Audio, Error> {
    let track = mp4::track(bytes, Kind::Sound)?.ok_or_else(|| Error::NoAudio("there is no sound track".into()))?;
    if track.seconds() > limits.seconds {
        return Err(Error::TooLong { limit: limits.seconds });
    }
    let mut decoder = decoder(&track, bytes)?;
    let played = played(&track);
    let audio = packets(bytes, played, decoder.as_mut(), limits)?;
    let audio = edited(audio, &track, played.first().map_or(0, |s| s.shown));
    if audio.pcm.is_empty() {
        return Err(Error::NoAudio("its edit list leaves nothing of it".into()));
    }
    Ok(audio)
}

fn decoder(track: &Track, bytes: &[u8]) -> Result<Box<dyn AudioDecoder>, Error> {
    // Files call any layer of MPEG audio MP3; bits 17 and 18 of a packet tell (ISO/IEC 11172-3, section 2.4.2.3).
    let second = track.samples.first().and_then(|s| bytes.get(s.offset as usize + 1));
    let layer_two = second.is_some_and(|b| b >> 1 & 3 == 2);
    let mut parameters = AudioCodecParameters::new();
    match &track.codec {
        Codec::Aac(config) => {
            parameters.for_codec(CODEC_ID_AAC).with_extra_data(config.clone().into_boxed_slice());
        }
        Codec::Mpeg => {
            parameters.for_codec(if layer_two { CODEC_ID_MP2 } else { CODEC_ID_MP3 });
        }
        Codec::Other(name) => return Err(Error::Unsupported(format!("sound in {name}"))),
        Codec::H264(_) => return Err(Error::Damaged("a sound track coded as pictures".into())),
    }
    symphonia::default::get_codecs()
        .make_audio_decoder(&parameters, &AudioDecoderOptions::default())
        .map_err(|e| Error::Unsupported(format!("sound in this kind of AAC or MPEG audio ({e})")))
}

/// Packets that begin before the edit ends. The last is played whole, as ffmpeg plays it: the list's own clock is coarse.
fn played(track: &Track) -> &[Sample] {
    let Some((start, seconds)) = track.edit.and_then(|e| Some((e.start, e.seconds?))) else { return &track.samples };
    let end = start as f64 + seconds * f64::from(track.ticks_per_s);
    &track.samples[..track.samples.partition_point(|s| (s.decoded as f64) < end)]
}

/// Decodes the packets one after the other. One that does not decode is silent for as long as it lasts, so that what follows
/// is not early.
fn packets(bytes: &[u8], samples: &[Sample], decoder: &mut dyn AudioDecoder, limits: &Limits) -> Result<Audio, Error> {
    let mut mono = Mono::new(limits.seconds);
    let (mut interleaved, mut lost, mut length) = (Vec::new(), 0usize, 0usize);
    for sample in samples {
        let data = &bytes[sample.offset as usize..][..sample.size as usize];
        let packet = Packet::new(0, Timestamp::from(sample.decoded), Duration::from(sample.ticks), data);
        match decoder.decode(&packet) {
            Ok(buffer) => {
                interleaved.resize(buffer.samples_interleaved(), 0.0);
                buffer.copy_to_slice_interleaved(&mut interleaved);
                let (channels, rate_hz) = (buffer.spec().channels().count(), buffer.spec().rate());
                length = interleaved.len() / channels.max(1);
                // Packets lost before the rate was known.
                let silent = std::mem::take(&mut lost);
                for _ in 0..silent {
                    mono.extend(&vec![0.0; length], 1, rate_hz)?;
                }
                mono.extend(&interleaved, channels, rate_hz)?;
            }
            Err(Symphonia::DecodeError(_) | Symphonia::IoError(_)) => match mono.rate_hz() {
                Some(rate_hz) => mono.extend(&vec![0.0; length], 1, rate_hz)?,
                None => lost += 1,
            },
            Err(Symphonia::Unsupported(what)) => return Err(Error::Unsupported(format!("sound with {what}"))),
            Err(e) => return Err(Error::Damaged(e.to_string())),
        }
    }
    mono.finish().ok_or_else(|| Error::NoAudio("no packet of it decodes".into()))
}

/// The stretch of the edit list, with silence for the time before it.
fn edited(audio: Audio, track: &Track, first: i64) -> Audio {
    let Some(edit) = track.edit else { return audio };
    let Audio { mut pcm, rate_hz } = audio;
    let ticks = edit.start.saturating_sub(first).max(0) as f64;
    let skipped = (ticks * f64::from(rate_hz) / f64::from(track.ticks_per_s)).round() as usize;
    pcm.drain(..skipped.min(pcm.len()));
    let silent = (edit.empty_s * f64::from(rate_hz)).round() as usize;
    pcm.splice(..0, std::iter::repeat_n(0.0, silent));
    Audio { pcm, rate_hz }
}
