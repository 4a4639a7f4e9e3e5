//! The ISO base media file format (ISO/IEC 14496-12), as far as whole MP4 and MOV files need it.
//!
//! The path through the boxes is fixed, so nothing recurses; each length is held against its parent and each count against
//! the bytes that are there before anything is allocated.

mod boxes;
mod edit;
mod entry;
mod reader;
mod table;

use boxes::{Boxes, find, need};
use reader::Reader;

pub use edit::Edit;
#[cfg(feature = "video")]
pub use entry::Avc;
pub use entry::Codec;
pub use table::Sample;

use crate::Error;

/// Tracks that are looked at.
const MOST_TRACKS: usize = 32;

/// What a track carries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Sound,
    Picture,
}

/// One track.
#[derive(Debug)]
pub struct Track {
    pub codec: Codec,
    pub ticks_per_s: u32,
    pub edit: Option<Edit>,
    /// In the order of decoding.
    pub samples: Vec<Sample>,
    /// Clockwise turns by 90° that the picture wants.
    #[cfg_attr(not(feature = "video"), allow(dead_code))]
    pub turns: u8,
}

impl Track {
    /// Length of what is played in seconds, the time before it included.
    pub fn seconds(&self) -> f64 {
        let edit = self.edit.unwrap_or_default();
        let end = self.samples.iter().map(|s| s.shown.saturating_add(i64::from(s.ticks))).max().unwrap_or(0);
        let held = (end.saturating_sub(edit.start)).max(0) as f64 / f64::from(self.ticks_per_s);
        edit.empty_s + edit.seconds.map_or(held, |s| s.min(held))
    }
}

/// Whether bytes begin as a file of this family does.
pub fn sniff(bytes: &[u8]) -> bool {
    let known = [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"moof"];
    bytes.get(4..8).is_some_and(|kind| known.iter().any(|k| kind == *k))
}

/// The first track of a kind.
///
/// # Errors
///
/// [`Error::Fragmented`], [`Error::CutOff`], [`Error::Damaged`], [`Error::TooMany`] and [`Error::Unsupported`].
pub fn track(bytes: &[u8], kind: Kind) -> Result<Option<Track>, Error> {
    let mut moov = None;
    for node in Boxes::of_file(bytes) {
        let node = node?;
        match &node.kind {
            b"moof" => return Err(Error::Fragmented("a moof box".into())),
            b"moov" if moov.is_none() => moov = Some(node.body),
            _ => {}
        }
    }
    let moov = moov.ok_or_else(|| Error::Damaged("box moov is missing".into()))?;
    if find(moov, b"mvex")?.is_some() {
        return Err(Error::Fragmented("an mvex box".into()));
    }
    let movie_ticks_per_s = clock(need(moov, b"mvhd")?)?;
    let mut traks = 0;
    for node in Boxes::within(moov) {
        let node = node?;
        if node.kind != *b"trak" {
            continue;
        }
        traks += 1;
        if traks > MOST_TRACKS {
            return Err(Error::TooMany { what: "tracks", limit: MOST_TRACKS as u64, got: traks as u64 });
        }
        if handler(node.body)? == Some(kind) {
            return read(node.body, movie_ticks_per_s, bytes.len() as u64).map(Some);
        }
    }
    Ok(None)
}

fn handler(trak: &[u8]) -> Result<Option<Kind>, Error> {
    let mut hdlr = need(need(trak, b"mdia")?.rest(), b"hdlr")?;
    hdlr.take(8)?;
    Ok(match &hdlr.u32()?.to_be_bytes() {
        b"soun" => Some(Kind::Sound),
        b"vide" => Some(Kind::Picture),
        _ => None,
    })
}

fn read(trak: &[u8], movie_ticks_per_s: u32, length: u64) -> Result<Track, Error> {
    let mdia = need(trak, b"mdia")?.rest();
    let minf = need(mdia, b"minf")?.rest();
    let stbl = need(minf, b"stbl")?.rest();
    Ok(Track {
        codec: entry::codec(stbl)?,
        ticks_per_s: clock(need(mdia, b"mdhd")?)?,
        edit: edit::edit(trak, movie_ticks_per_s)?,
        samples: table::samples(stbl, length)?,
        turns: turns(need(trak, b"tkhd")?)?,
    })
}

/// Ticks a second, from `mvhd` or `mdhd`.
fn clock(mut header: Reader) -> Result<u32, Error> {
    let version = header.version()?;
    header.take(if version == 1 { 16 } else { 8 })?;
    match header.u32()? {
        0 => Err(Error::Damaged("a clock of 0 ticks a second".into())),
        ticks => Ok(ticks),
    }
}

/// Turns from the matrix of `tkhd`; mirrored and skewed pictures are taken as they are.
fn turns(mut tkhd: Reader) -> Result<u8, Error> {
    let version = tkhd.version()?;
    tkhd.take(if version == 1 { 48 } else { 36 })?;
    let (a, b, _) = (tkhd.u32()? as i32, tkhd.u32()? as i32, tkhd.u32()?);
    let (c, d) = (tkhd.u32()? as i32, tkhd.u32()? as i32);
    Ok(match (a.signum(), b.signum(), c.signum(), d.signum()) {
        (0, 1, -1, 0) => 1,
        (-1, 0, 0, -1) => 2,
        (0, -1, 1, 0) => 3,
        _ => 0,
    })
}
