//! Which part of a track is played, and when (ISO/IEC 14496-12, section 8.6.6).

use super::boxes::find;
use super::reader::Reader;
use crate::Error;

/// Edits that a list may have.
const MOST_EDITS: usize = 1024;

/// One stretch of a track, after some time of nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Edit {
    /// Seconds before it.
    pub empty_s: f64,
    /// Where it begins by the track's clock, in ticks of the track.
    pub start: i64,
    /// Seconds that it lasts; without a bound if the list gives none.
    pub seconds: Option<f64>,
}

/// Reads a track's edit list; none if it has none.
///
/// # Errors
///
/// [`Error::Unsupported`] for more than one stretch, or one not played at its own pace.
pub fn edit(trak: &[u8], ticks_per_s: u32) -> Result<Option<Edit>, Error> {
    let Some(elst) = find(trak, b"edts")?.map(|edts| find(edts, b"elst")).transpose()?.flatten() else {
        return Ok(None);
    };
    let mut elst = Reader::new(*b"elst", elst);
    let version = elst.version()?;
    let count = elst.count(if version == 1 { 20 } else { 12 })?;
    if count > MOST_EDITS {
        return Err(Error::TooMany { what: "edits", limit: MOST_EDITS as u64, got: count as u64 });
    }
    let (mut edit, mut found) = (Edit::default(), false);
    for _ in 0..count {
        let seconds = elst.u32_or_64(version)? as f64 / f64::from(ticks_per_s);
        let start = if version == 1 { elst.u64()? as i64 } else { i64::from(elst.u32()? as i32) };
        let pace = elst.u32()?;
        if start < 0 && !found {
            edit.empty_s += seconds;
        } else if start >= 0 && found {
            return Err(Error::Unsupported("an edit list of more than one stretch".into()));
        } else if start >= 0 {
            if pace != 0x1_0000 {
                return Err(Error::Unsupported("an edit list that changes the pace".into()));
            }
            (edit.start, edit.seconds, found) = (start, (seconds > 0.0).then_some(seconds), true);
        }
    }
    Ok(found.then_some(edit))
}
