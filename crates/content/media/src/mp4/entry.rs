//! What a track is coded in: sample entries (ISO/IEC 14496-12, 14496-14 and 14496-15).

use super::boxes::{find, need};
use super::reader::Reader;
use crate::Error;

/// Codec of a track.
#[derive(Clone, Debug, PartialEq)]
pub enum Codec {
    /// H.264, with what `avcC` says.
    H264(Avc),
    /// AAC, with its AudioSpecificConfig.
    Aac(Vec<u8>),
    /// MPEG-1 or MPEG-2 audio, of the layer that its packets say.
    Mpeg,
    /// Another, by name.
    Other(String),
}

/// How H.264 lies in its samples (ISO/IEC 14496-15, section 5.3.3.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Avc {
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub length_bytes: usize,
    /// Sequence and picture parameter sets, without start codes.
    pub parameter_sets: Vec<Vec<u8>>,
}

/// Reads the first sample entry of `stsd`.
pub fn codec(stbl: &[u8]) -> Result<Codec, Error> {
    let mut stsd = need(stbl, b"stsd")?;
    stsd.version()?;
    if stsd.count(8)? == 0 {
        return Err(Error::Damaged("box stsd is empty".into()));
    }
    let size = stsd.u32()? as usize;
    let kind = stsd.u32()?.to_be_bytes();
    let Some(body) = size.checked_sub(8) else {
        return Err(Error::Damaged(format!("a sample entry of {size} bytes")));
    };
    let mut entry = Reader::new(kind, stsd.take(body)?);
    match &kind {
        b"avc1" | b"avc3" => avc(&mut entry).map(Codec::H264),
        b"mp4a" => mp4a(&mut entry),
        b".mp3" | b"mp3 " => Ok(Codec::Mpeg),
        other => Ok(Codec::Other(other.escape_ascii().to_string())),
    }
}

/// Bytes that all parameter sets of a track may have together. They go before every picture at which decoding can start.
const MOST_SET_BYTES: usize = 1 << 14;

fn avc(entry: &mut Reader) -> Result<Avc, Error> {
    entry.take(78)?;
    let mut avcc = need(entry.rest(), b"avcC")?;
    avcc.take(4)?;
    let length_bytes = usize::from(avcc.u8()? & 3) + 1;
    if length_bytes == 3 {
        return Err(Error::Damaged("avcC: NAL units with lengths of 3 bytes".into()));
    }
    let mut parameter_sets = Vec::new();
    for mask in [31, 255] {
        for _ in 0..avcc.u8()? & mask {
            let length = avcc.u16()?;
            parameter_sets.push(avcc.take(usize::from(length))?.to_vec());
        }
    }
    let got = parameter_sets.iter().map(Vec::len).sum::<usize>();
    if got > MOST_SET_BYTES {
        let limit = MOST_SET_BYTES as u64;
        return Err(Error::TooMany { what: "bytes of parameter sets", limit, got: got as u64 });
    }
    Ok(Avc { length_bytes, parameter_sets })
}

fn mp4a(entry: &mut Reader) -> Result<Codec, Error> {
    entry.take(8)?;
    let version = entry.u16()?;
    entry.take(18)?;
    // QuickTime's longer entries.
    entry.take(match version {
        0 => 0,
        1 => 16,
        2 => 36,
        v => return Err(Error::Damaged(format!("a sound sample entry of version {v}"))),
    })?;
    let boxes = entry.rest();
    let esds = match find(boxes, b"esds")? {
        Some(esds) => Some(esds),
        None => find(boxes, b"wave")?.map(|wave| find(wave, b"esds")).transpose()?.flatten(),
    };
    let esds = esds.ok_or_else(|| Error::Damaged("box esds is missing".into()))?;
    let mut reader = Reader::new(*b"esds", esds);
    reader.version()?;
    let mut stream = descriptor(&mut reader, 3)?;
    stream.u16()?;
    let flags = stream.u8()?;
    if flags & 0x80 != 0 {
        stream.u16()?;
    }
    if flags & 0x40 != 0 {
        let url = stream.u8()?;
        stream.take(usize::from(url))?;
    }
    if flags & 0x20 != 0 {
        stream.u16()?;
    }
    let mut config = descriptor(&mut stream, 4)?;
    let object = config.u8()?;
    config.take(12)?;
    match object {
        0x40 | 0x66..=0x68 => Ok(Codec::Aac(descriptor(&mut config, 5)?.rest().to_vec())),
        0x69 | 0x6B => Ok(Codec::Mpeg),
        other => Ok(Codec::Other(format!("mp4a with object type {other:#04x}"))),
    }
}

/// The next descriptor, which must have the tag (ISO/IEC 14496-1, section 8.3.3).
fn descriptor<'a>(reader: &mut Reader<'a>, tag: u8) -> Result<Reader<'a>, Error> {
    let found = reader.u8()?;
    if found != tag {
        return Err(Error::Damaged(format!("box esds: expected descriptor {tag}, got {found}")));
    }
    let mut length = 0;
    for _ in 0..4 {
        let byte = reader.u8()?;
        length = length << 7 | usize::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Ok(Reader::new(*b"esds", reader.take(length)?))
}
