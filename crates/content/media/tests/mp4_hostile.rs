//! MP4 files that lie: each ends in an error that says what is wrong, and none in a panic.

mod common;

use common::{Dice, Video, alone, wrap};
use latentlink_media::{Error, Media};

fn error(bytes: Vec<u8>) -> Error {
    Media::from_bytes(bytes, &alone()).and_then(|m| m.audio()).unwrap_err()
}

#[test]
fn a_fragmented_file_is_named() {
    let bytes = [wrap(b"ftyp", &[b"iso5\0\0\0\0"]), wrap(b"moof", &[]), Video::default().moov(0)].concat();
    let error = error(bytes);
    assert!(matches!(error, Error::Fragmented(_)) && error.to_string().contains("moof"), "{error}");
}

#[test]
fn a_file_cut_off_is_named() {
    let whole = Video::default().bytes();
    // Within mdat, within moov.
    for n in [60, whole.len() - 10] {
        let error = error(whole[..n].to_vec());
        assert!(matches!(error, Error::CutOff { found, .. } if found == n as u64), "{error}");
    }
    // The tables point past the end.
    let error = error(Video { announced: 1_000, ..Video::default() }.bytes());
    assert!(matches!(error, Error::CutOff { expected: 6_024, .. }), "{error}");
}

#[test]
fn an_hour_runs_into_the_limit() {
    let packets = 3_600 * 16_000 / 1_024;
    let error = error(Video { announced: packets, held: packets as usize, ..Video::default() }.bytes());
    assert!(matches!(error, Error::TooLong { limit: 600.0 }), "{error}");
}

/// A count without a table behind it, and packets that all lie in the same bytes.
#[test]
fn a_bomb_of_samples_is_not_allocated() {
    let error = error(Video { announced: u32::MAX / 1_024, packet: 1, ..Video::default() }.bytes());
    assert!(matches!(error, Error::TooMany { what: "samples", .. }), "{error}");
}

#[test]
fn tables_too_short_are_named() {
    for kind in [b"stsd", b"stts", b"stsc", b"stco"] {
        let mut bytes = Video::default().bytes();
        let at = bytes.windows(4).position(|w| w == kind).unwrap();
        bytes[at + 8..at + 12].fill(0xFF);
        let error = error(bytes);
        assert!(error.to_string().contains("announces 4294967295 entries"), "{error}");
    }
}

#[test]
fn a_box_larger_than_its_parent_is_named() {
    let mut bytes = Video::default().bytes();
    let at = bytes.windows(4).position(|w| w == b"mdia").unwrap();
    bytes[at - 4..at].fill(0x7F);
    let error = error(bytes);
    assert!(matches!(&error, Error::Damaged(why) if why.contains("box mdia ends")), "{error}");
}

#[test]
fn a_clock_that_stands_is_named() {
    let mut bytes = Video::default().bytes();
    let at = bytes.windows(4).position(|w| w == b"mdhd").unwrap();
    bytes[at + 16..at + 20].fill(0);
    assert!(error(bytes).to_string().contains("0 ticks a second"));
}

#[test]
fn an_unknown_codec_is_named() {
    let error = error(Video { entry: *b"Opus", ..Video::default() }.bytes());
    assert!(matches!(&error, Error::Unsupported(what) if what.contains("Opus")), "{error}");
}

#[test]
fn no_moov_and_no_track_are_named() {
    let ftyp = wrap(b"ftyp", &[b"isom\0\0\0\0"]);
    assert!(error(ftyp.clone()).to_string().contains("moov is missing"));
    let video = Video::default().bytes();
    let at = video.windows(4).position(|w| w == b"soun").unwrap();
    let mut other = video;
    other[at..at + 4].copy_from_slice(b"text");
    assert!(matches!(error(other), Error::NoAudio(_)));
}

/// Bytes changed, cut and doubled at random: an answer or an error, never a panic.
#[test]
fn damaged_files_do_not_panic() {
    let video = Video { edits: vec![(500, -1), (400, 1_024)], ..Video::default() }.bytes();
    let mut dice = Dice(0x5EED_1234_5678_9ABC);
    let mut failed = 0;
    for round in 0..6_000 {
        let mut bytes = video.clone();
        for _ in 0..=dice.below(4) {
            let at = dice.below(bytes.len());
            bytes[at] = match dice.below(4) {
                0 => 0,
                1 => 0xFF,
                2 => bytes[at] ^ 1 << dice.below(8),
                _ => dice.below(256) as u8,
            };
        }
        if round % 3 == 0 {
            bytes.truncate(1 + dice.below(bytes.len()));
        }
        if let Ok(media) = Media::from_bytes(bytes, &alone()) {
            failed += usize::from(media.audio().is_err());
        }
    }
    assert!(failed > 2_000, "{failed} rounds did damage");
}
