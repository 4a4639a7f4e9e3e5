//! Where a track's samples lie and when they are due (ISO/IEC 14496-12, sections 8.6 and 8.7).

use super::boxes::{find, need};
use super::reader::Reader;
use crate::Error;

/// Samples that a track may have: ten minutes at 1,700 a second.
const MOST_SAMPLES: usize = 1 << 20;

/// One sample: a picture, or a packet of sound. Times are in ticks of the track.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Its place in the file.
    pub offset: u64,
    /// Its length in bytes.
    pub size: u32,
    /// When it is decoded, from the track's start.
    pub decoded: i64,
    /// When it is shown, by the track's own clock.
    pub shown: i64,
    /// How long it lasts.
    pub ticks: u32,
    /// Whether decoding can start here.
    pub sync: bool,
}

/// All samples, in the order of decoding, each within the file of `length` bytes.
pub fn samples(stbl: &[u8], length: u64) -> Result<Vec<Sample>, Error> {
    let mut samples = sizes(stbl)?;
    times(stbl, &mut samples)?;
    if let Some(ctts) = find(stbl, b"ctts")? {
        offsets(Reader::new(*b"ctts", ctts), &mut samples)?;
    }
    match find(stbl, b"stss")? {
        Some(stss) => syncs(Reader::new(*b"stss", stss), &mut samples)?,
        None => samples.iter_mut().for_each(|s| s.sync = true),
    }
    places(stbl, &mut samples)?;
    let end = samples.iter().map(|s| s.offset.saturating_add(u64::from(s.size))).max().unwrap_or(0);
    if end > length {
        return Err(Error::CutOff { expected: end, found: length });
    }
    // Else a few bytes could be decoded a million times over.
    let together: u64 = samples.iter().map(|s| u64::from(s.size)).sum();
    if together > length {
        let why = format!("the samples of a track have {together} bytes together, the file {length}");
        return Err(Error::Damaged(why));
    }
    Ok(samples)
}

fn sizes(stbl: &[u8]) -> Result<Vec<Sample>, Error> {
    let mut stsz = need(stbl, b"stsz")?;
    stsz.version()?;
    let every = stsz.u32()?;
    // With one size for all, no table bounds the count.
    let count = if every == 0 { stsz.count(4)? } else { stsz.u32()? as usize };
    if count > MOST_SAMPLES {
        return Err(Error::TooMany { what: "samples", limit: MOST_SAMPLES as u64, got: count as u64 });
    }
    let size = |stsz: &mut Reader| if every == 0 { stsz.u32() } else { Ok(every) };
    (0..count).map(|_| Ok(Sample { size: size(&mut stsz)?, ..Sample::default() })).collect()
}

fn times(stbl: &[u8], samples: &mut [Sample]) -> Result<(), Error> {
    let mut stts = need(stbl, b"stts")?;
    stts.version()?;
    let (mut now, mut left) = (0i64, samples.iter_mut());
    for _ in 0..stts.count(8)? {
        let (run, ticks) = (stts.u32()? as usize, stts.u32()?);
        for sample in left.by_ref().take(run) {
            (sample.decoded, sample.shown, sample.ticks) = (now, now, ticks);
            now += i64::from(ticks);
        }
    }
    match left.len() {
        0 => Ok(()),
        n => Err(Error::Damaged(format!("box stts leaves {n} samples without a time"))),
    }
}

fn offsets(mut ctts: Reader, samples: &mut [Sample]) -> Result<(), Error> {
    ctts.version()?;
    let mut left = samples.iter_mut();
    for _ in 0..ctts.count(8)? {
        // Signed in version 1; writers of version 0 mean the same.
        let (run, offset) = (ctts.u32()? as usize, ctts.u32()? as i32);
        left.by_ref().take(run).for_each(|s| s.shown += i64::from(offset));
    }
    Ok(())
}

fn syncs(mut stss: Reader, samples: &mut [Sample]) -> Result<(), Error> {
    stss.version()?;
    for _ in 0..stss.count(4)? {
        let n = stss.u32()? as usize;
        let sample = n.checked_sub(1).and_then(|n| samples.get_mut(n));
        sample.ok_or_else(|| Error::Damaged(format!("box stss names sample {n}, which there is not")))?.sync = true;
    }
    Ok(())
}

/// Offsets of the chunks, from `stco` or `co64`.
fn chunks(stbl: &[u8]) -> Result<Vec<u64>, Error> {
    if let Some(stco) = find(stbl, b"stco")? {
        let mut stco = Reader::new(*b"stco", stco);
        stco.version()?;
        let count = few(stco.count(4)?)?;
        return (0..count).map(|_| stco.u32().map(u64::from)).collect();
    }
    let mut co64 = need(stbl, b"co64")?;
    co64.version()?;
    let count = few(co64.count(8)?)?;
    (0..count).map(|_| co64.u64()).collect()
}

/// A count of chunks: there is no use for more than samples.
fn few(count: usize) -> Result<usize, Error> {
    if count > MOST_SAMPLES {
        return Err(Error::TooMany { what: "chunks", limit: MOST_SAMPLES as u64, got: count as u64 });
    }
    Ok(count)
}

fn places(stbl: &[u8], samples: &mut [Sample]) -> Result<(), Error> {
    let chunks = chunks(stbl)?;
    let mut stsc = need(stbl, b"stsc")?;
    stsc.version()?;
    let mut left = samples.iter_mut();
    let entries = stsc.count(12)?;
    let mut next = if entries > 0 { stsc.u32()? as usize } else { 0 };
    for entry in 0..entries {
        let (first, run) = (next, stsc.u32()? as usize);
        stsc.u32()?;
        next = if entry + 1 < entries { stsc.u32()? as usize } else { chunks.len() + 1 };
        let chunks = first.checked_sub(1).and_then(|first| chunks.get(first..next.checked_sub(1)?));
        let chunks = chunks.ok_or_else(|| Error::Damaged(format!("box stsc goes from chunk {first} to {next}")))?;
        for &chunk in chunks {
            let mut offset = chunk;
            for sample in left.by_ref().take(run) {
                sample.offset = offset;
                offset = offset.saturating_add(u64::from(sample.size));
            }
        }
    }
    match left.len() {
        0 => Ok(()),
        n => Err(Error::Damaged(format!("box stsc leaves {n} samples without a place"))),
    }
}
