//! The bytes of a clip: which parts there are, how long each is, and the parts.
//!
//! Byte 0 has bit m for a plane of the modality with index m, bit 3 for a transcript and bit 4 for a video. Each plane
//! follows as its number of frames (2 bytes, little-endian), its length in bytes (4), and so many bytes; the video as
//! its length (4) and so many bytes; the transcript is all the rest.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::error::SourceError;

const TRANSCRIPT: u8 = 1 << 3;
const VIDEO: u8 = 1 << 4;

/// A coded plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodedPlane {
    pub frames: u16,
    pub bytes: Vec<u8>,
}

/// Coded parts of a clip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// By `Modality::index`.
    pub planes: [Option<CodedPlane>; 3],
    /// A coded video.
    pub video: Option<Vec<u8>>,
    /// Compressed.
    pub transcript: Option<Vec<u8>>,
}

impl Parts {
    pub fn write(&self) -> Vec<u8> {
        let flag = |(index, plane): (usize, &Option<CodedPlane>)| u8::from(plane.is_some()) << index;
        let flags: u8 = self.planes.iter().enumerate().map(flag).sum();
        let others = [(&self.transcript, TRANSCRIPT), (&self.video, VIDEO)];
        let others = others.into_iter().filter(|(part, _)| part.is_some()).map(|(_, flag)| flag).sum::<u8>();
        let mut bytes = vec![flags | others];
        for plane in self.planes.iter().flatten() {
            bytes.extend(plane.frames.to_le_bytes());
            bytes.extend((plane.bytes.len() as u32).to_le_bytes());
            bytes.extend(&plane.bytes);
        }
        if let Some(video) = &self.video {
            bytes.extend((video.len() as u32).to_le_bytes());
            bytes.extend(video);
        }
        bytes.extend(self.transcript.iter().flatten());
        bytes
    }

    pub fn read(bytes: &[u8]) -> Result<Parts, SourceError> {
        let damaged = |what: String| SourceError::Damaged(what);
        let (&flags, mut rest) = bytes.split_first().ok_or_else(|| damaged("a clip of no bytes".into()))?;
        if flags >= VIDEO << 1 {
            return Err(damaged(format!("expected flags below 32, got {flags}")));
        }
        let mut parts = Parts::default();
        for (index, plane) in parts.planes.iter_mut().enumerate() {
            if flags >> index & 1 == 0 {
                continue;
            }
            let whole = rest.split_at_checked(6).and_then(|(head, behind)| {
                let length = u32::from_le_bytes([head[2], head[3], head[4], head[5]]);
                let (own, behind) = behind.split_at_checked(usize::try_from(length).ok()?)?;
                Some((u16::from_le_bytes([head[0], head[1]]), own, behind))
            });
            let Some((frames, own, behind)) = whole else {
                return Err(damaged(format!("plane {index} is longer than the {} bytes left", rest.len())));
            };
            *plane = Some(CodedPlane { frames, bytes: own.to_vec() });
            rest = behind;
        }
        if flags & VIDEO != 0 {
            let whole = rest.split_first_chunk::<4>().and_then(|(length, behind)| {
                behind.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
            });
            let Some((own, behind)) = whole else {
                return Err(damaged(format!("a video longer than the {} bytes left", rest.len())));
            };
            parts.video = Some(own.to_vec());
            rest = behind;
        }
        if flags & TRANSCRIPT != 0 {
            parts.transcript = Some(rest.to_vec());
        } else if !rest.is_empty() {
            return Err(damaged(format!("{} bytes behind the last part", rest.len())));
        }
        Ok(parts)
    }
}

/// Bytes as raw DEFLATE (RFC 1951).
pub fn deflate(bytes: &[u8]) -> Result<Vec<u8>, SourceError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    let failed = |error: std::io::Error| SourceError::Encoder(error.to_string());
    encoder.write_all(bytes).map_err(failed)?;
    encoder.finish().map_err(failed)
}

/// The inverse of [`deflate`], of at most `limit` bytes.
pub fn inflate(bytes: &[u8], limit: usize) -> Result<Vec<u8>, SourceError> {
    let mut out = Vec::new();
    let mut decoder = DeflateDecoder::new(bytes).take(limit as u64 + 1);
    decoder.read_to_end(&mut out).map_err(|error| SourceError::Damaged(format!("compressed bytes: {error}")))?;
    match out.len() <= limit {
        true => Ok(out),
        false => Err(SourceError::Damaged(format!("compressed bytes of more than {limit}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_and_every_cut_is_noticed_or_shortens_the_text() {
        let plane = |frames, length| Some(CodedPlane { frames, bytes: vec![7; length] });
        let parts = Parts { planes: [None, plane(3, 20), plane(900, 0)], video: None, transcript: Some(vec![1, 2, 3]) };
        let bytes = parts.write();
        assert_eq!(bytes.len(), 1 + 6 + 20 + 6 + 3);
        assert_eq!(Parts::read(&bytes).unwrap(), parts);
        for length in 0..33 {
            assert!(Parts::read(&bytes[..length]).is_err(), "{length}");
        }
        assert_eq!(Parts::read(&Parts::default().write()).unwrap(), Parts::default());
        assert!(Parts::read(&[0, 1]).unwrap_err().to_string().contains("1 bytes behind"));
        let video = Parts { video: Some(vec![4; 9]), ..parts };
        assert_eq!(Parts::read(&video.write()).unwrap(), video);
        assert!(Parts::read(&[VIDEO, 1, 0, 0, 0]).unwrap_err().to_string().contains("a video longer than the 4 bytes"));
        assert!(Parts::read(&[32]).unwrap_err().to_string().contains("got 32"));
        assert!(Parts::read(&[1, 0, 0, 255, 255, 255, 255, 0]).is_err());
    }

    #[test]
    fn inflation_is_bounded() {
        let bomb = deflate(&vec![0; 1 << 20]).unwrap();
        assert!(bomb.len() < 2000 && inflate(&bomb, 1 << 20).unwrap().len() == 1 << 20);
        assert!(inflate(&bomb, 1000).unwrap_err().to_string().contains("more than 1000"));
        assert!(inflate(&[0xff; 40], 1000).is_err());
    }
}
