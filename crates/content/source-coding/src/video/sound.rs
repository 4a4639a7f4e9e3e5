//! Sound as packets of Opus (RFC 6716).

use opus_pure::{Application, MAX_PACKET_BYTES, OpusDecoder, OpusEncoder};

use super::{SOUND_BPS, SOUND_HZ};
use crate::SourceError;

/// Samples of a packet: 60 ms.
const PACKET: usize = SOUND_HZ as usize * 60 / 1000;

fn encoder() -> Result<OpusEncoder, SourceError> {
    let mut encoder = OpusEncoder::new(SOUND_HZ as i32, 1, Application::Voip).map_err(failed)?;
    encoder.bitrate_bps = SOUND_BPS as i32;
    Ok(encoder)
}

fn failed(error: opus_pure::Error) -> SourceError {
    SourceError::Encoder(format!("Opus: {error}"))
}

/// How many packets so many samples take; the encoder's delay is sent along.
pub fn packets(samples: usize) -> Result<usize, SourceError> {
    Ok(if samples == 0 { 0 } else { (samples + encoder()?.lookahead()).div_ceil(PACKET) })
}

/// The packets of `pcm`, mono at [`SOUND_HZ`].
pub fn encode(pcm: &[f32]) -> Result<Vec<Vec<u8>>, SourceError> {
    let mut encoder = encoder()?;
    let mut packet = vec![0; MAX_PACKET_BYTES];
    let coded = (0..packets(pcm.len())?).map(|k| {
        let begin = (k * PACKET).min(pcm.len());
        let mut block = pcm[begin..(begin + PACKET).min(pcm.len())].to_vec();
        block.resize(PACKET, 0.0);
        let length = encoder.encode(&block, PACKET, &mut packet).map_err(failed)?;
        Ok(packet[..length].to_vec())
    });
    coded.collect()
}

/// So many samples of what the packets hold.
pub fn decode(packets: &[&[u8]], samples: usize) -> Result<Vec<f32>, SourceError> {
    let damaged = |error| SourceError::Damaged(format!("Opus: {error}"));
    let mut decoder = OpusDecoder::new(SOUND_HZ as i32, 1).map_err(damaged)?;
    let skipped = encoder()?.lookahead();
    let (mut pcm, mut block) = (Vec::with_capacity(packets.len() * PACKET), vec![0.0; PACKET]);
    for packet in packets {
        let got = decoder.decode(packet, PACKET, &mut block).map_err(damaged)?;
        if got != PACKET {
            return Err(SourceError::Damaged(format!("a packet of {got} samples, expected {PACKET}")));
        }
        pcm.extend(&block);
    }
    Ok(pcm.into_iter().skip(skipped).take(samples).collect())
}
