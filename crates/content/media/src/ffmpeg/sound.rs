//! Sound by ffmpeg, as an AU stream: it tells rate and channels and may be of unknown length.

use std::io::Read;
use std::path::Path;

use super::process::{NO_STREAM, Process};
use crate::mono::Mono;
use crate::source::Source;
use crate::{Audio, Error};

/// Bytes of an AU header that are read.
const HEADER: usize = 24;
/// AU's name for 32-bit floats.
const FLOAT: u32 = 6;

/// Decodes the first sound track.
pub fn audio(program: &Path, source: &Source) -> Result<Audio, Error> {
    let limits = source.limits();
    // A little past the limit, so that it is seen to be passed.
    let seconds = format!("{}", limits.seconds + 1.0);
    let arguments = ["-map", "0:a:0?", "-vn", "-sn", "-dn", "-t", &seconds, "-c:a", "pcm_f32be", "-f", "au"];
    let mut process = Process::new(program, source, &arguments)?;
    let mut mono = Mono::new(limits.seconds);
    let read = stream(&mut process.out, &mut mono)?;
    process.finish().map_err(|error| match error {
        Error::Ffmpeg(said) if said.contains(NO_STREAM) => Error::NoAudio("ffmpeg finds none in it".into()),
        other => other,
    })?;
    match mono.finish() {
        Some(audio) if read => Ok(audio),
        _ => Err(Error::NoAudio("ffmpeg finds none in it".into())),
    }
}

/// Reads the stream to its end; false if there was not even a header.
fn stream(out: &mut impl Read, mono: &mut Mono) -> Result<bool, Error> {
    let mut header = [0; HEADER];
    if out.read_exact(&mut header).is_err() {
        return Ok(false);
    }
    let field = |n: usize| u32::from_be_bytes([header[n], header[n + 1], header[n + 2], header[n + 3]]);
    let (start, kind, rate_hz, channels) = (field(4), field(12), field(16), field(20) as usize);
    if &header[..4] != b".snd" || kind != FLOAT || !(1..=64).contains(&channels) || start > 1 << 16 {
        return Err(Error::Ffmpeg("its output is no AU stream of floats".into()));
    }
    let told = u64::from(start).saturating_sub(HEADER as u64);
    std::io::copy(&mut out.take(told), &mut std::io::sink()).map_err(|e| Error::Ffmpeg(e.to_string()))?;
    let mut block = vec![0; 4 * channels * 4_096];
    loop {
        let n = fill(out, &mut block).map_err(|e| Error::Ffmpeg(e.to_string()))?;
        let samples = block[..n].chunks_exact(4).map(|b| f32::from_be_bytes([b[0], b[1], b[2], b[3]]));
        let samples: Vec<f32> = samples.collect();
        if !samples.is_empty() {
            mono.extend(&samples, channels, rate_hz)?;
        }
        if n < block.len() {
            return Ok(true);
        }
    }
}

/// Reads until the buffer is full or the stream ends.
fn fill(out: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match out.read(&mut buffer[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}
