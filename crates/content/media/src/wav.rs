//! Sound of WAV files: our own chunks and packets to symphonia's decoders of PCM. Its own reader of chunks multiplies numbers
//! of the file before it looks at them.

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_PCM_ALAW, CODEC_ID_PCM_F32LE, CODEC_ID_PCM_F64LE, CODEC_ID_PCM_MULAW, CODEC_ID_PCM_S16LE,
    CODEC_ID_PCM_S24LE, CODEC_ID_PCM_S32LE, CODEC_ID_PCM_U8,
};
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters, AudioDecoderOptions};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use crate::mono::{Mono, RATES_HZ};
use crate::{Audio, Error, Limits};

/// Channels that a file may have.
const MOST_CHANNELS: u16 = 64;
/// Samples a channel that are decoded at a time.
const PACKET: usize = 4_096;
/// A length that is not known, of a file that was written into a pipe.
const OPEN: u32 = u32::MAX;

/// Whether bytes begin as a WAV file does.
pub fn sniff(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF") && bytes.get(8..12).is_some_and(|kind| kind == b"WAVE")
}

/// What the chunk `fmt ` says.
struct Format {
    codec: AudioCodecId,
    channels: u16,
    rate_hz: u32,
    /// Bytes of one sample of all channels.
    block: usize,
}

/// Decodes a file.
pub fn audio(bytes: &[u8], limits: &Limits) -> Result<Audio, Error> {
    let (format, data, announced) = parts(bytes)?;
    let found = (data.len() / format.block) as u64;
    if announced.unwrap_or(found) as f64 / f64::from(format.rate_hz) > limits.seconds {
        return Err(Error::TooLong { limit: limits.seconds });
    }
    if let Some(announced) = announced.filter(|&a| found < a) {
        return Err(Error::Truncated { announced, found });
    }
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(format.codec).with_sample_rate(format.rate_hz);
    parameters.with_channels(Channels::Discrete(format.channels)).with_max_frames_per_packet(PACKET as u64);
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(&parameters, &AudioDecoderOptions::default())
        .map_err(|e| Error::Unsupported(format!("this kind of PCM ({e})")))?;
    let (mut mono, mut samples) = (Mono::new(limits.seconds), Vec::new());
    let whole = &data[..found as usize * format.block];
    for packet in whole.chunks(PACKET * format.block) {
        let length = (packet.len() / format.block) as u64;
        let packet = Packet::new(0, Timestamp::from(0), Duration::from(length), packet);
        let buffer = decoder.decode(&packet).map_err(|e| Error::Damaged(e.to_string()))?;
        samples.resize(buffer.samples_interleaved(), 0.0);
        buffer.copy_to_slice_interleaved(&mut samples);
        mono.extend(&samples, usize::from(format.channels), format.rate_hz)?;
    }
    mono.finish().ok_or_else(|| Error::NoAudio("its data chunk is empty".into()))
}

/// The format, the bytes of the sound that are there, and the samples a channel that are announced unless that is left open.
fn parts(bytes: &[u8]) -> Result<(Format, &[u8], Option<u64>), Error> {
    let (mut at, mut format) = (12, None);
    while let Some(header) = bytes.get(at..at + 8) {
        let size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
        let body = &bytes[at + 8..];
        if &header[..4] == b"data" {
            let format: Format = format.ok_or_else(|| Error::Damaged("no chunk fmt before the sound".into()))?;
            let announced = (size != OPEN).then_some(u64::from(size) / format.block as u64);
            return Ok((format, &body[..body.len().min(size as usize)], announced));
        }
        let Some(body) = body.get(..size as usize) else {
            let expected = (at + 8) as u64 + u64::from(size);
            return Err(Error::CutOff { expected, found: bytes.len() as u64 });
        };
        if &header[..4] == b"fmt " && format.is_none() {
            format = Some(read(body)?);
        }
        at += 8 + (size as usize).next_multiple_of(2);
    }
    Err(Error::NoAudio("the file ends before any data chunk".into()))
}

/// Reads the body of `fmt ` (WAVEFORMATEX and WAVEFORMATEXTENSIBLE).
fn read(body: &[u8]) -> Result<Format, Error> {
    let u16_at = |n: usize| {
        let field = body.get(n..n + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
        field.ok_or_else(|| Error::Damaged(format!("chunk fmt has {} bytes, too few", body.len())))
    };
    let rate_hz = u32::from(u16_at(4)?) | u32::from(u16_at(6)?) << 16;
    let (mut kind, channels, bits) = (u16_at(0)?, u16_at(2)?, u16_at(14)?);
    if kind == 0xFFFE {
        // The kind opens the identifier of the extension.
        kind = u16_at(24)?;
    }
    let codec = match (kind, bits) {
        (1, 8) => CODEC_ID_PCM_U8,
        (1, 16) => CODEC_ID_PCM_S16LE,
        (1, 24) => CODEC_ID_PCM_S24LE,
        (1, 32) => CODEC_ID_PCM_S32LE,
        (3, 32) => CODEC_ID_PCM_F32LE,
        (3, 64) => CODEC_ID_PCM_F64LE,
        (6, 8) => CODEC_ID_PCM_ALAW,
        (7, 8) => CODEC_ID_PCM_MULAW,
        _ => return Err(Error::Unsupported(format!("a WAV file of kind {kind:#06x} with {bits} bits a sample"))),
    };
    if channels == 0 {
        return Err(Error::Damaged("chunk fmt has no channels".into()));
    }
    if channels > MOST_CHANNELS {
        return Err(Error::TooMany { what: "channels", limit: u64::from(MOST_CHANNELS), got: u64::from(channels) });
    }
    if !RATES_HZ.contains(&rate_hz) {
        return Err(Error::Rate(rate_hz));
    }
    Ok(Format { codec, channels, rate_hz, block: usize::from(channels) * usize::from(bits / 8) })
}
