//! Files that lie: each ends in an error that says what is wrong, within its limits.

mod common;

use std::time::{Duration, Instant};

use common::{Dice, Video, alone, words, wrap};
use latentlink_media::{Error, Limits, Media};

/// Far more than any of these files takes, and far less than what they announce would.
const PATIENCE: Duration = Duration::from_secs(20);

/// A WAV file of 16-bit mono silence whose header announces `announced` samples and which holds `held`.
fn wav(rate_hz: u32, announced: u32, held: usize) -> Vec<u8> {
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + 2 * announced).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(rate_hz.to_le_bytes());
    wav.extend((2 * rate_hz).to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend((2 * announced).to_le_bytes());
    wav.resize(wav.len() + 2 * held, 0);
    wav
}

fn error(bytes: Vec<u8>, limits: &Limits) -> Error {
    Media::from_bytes(bytes, limits).and_then(|m| m.audio()).unwrap_err()
}

/// Asks for all that a file may have; what is wrong with its sound and with its pictures.
fn all(bytes: Vec<u8>) -> [Option<Error>; 2] {
    let begin = Instant::now();
    let media = match Media::from_bytes(bytes, &alone()) {
        Ok(media) => media,
        Err(error) => return [Some(error), None],
    };
    let frames = media.frames(5.0).map_or_else(Some, |mut frames| frames.find_map(Result::err));
    let errors = [media.audio().err(), frames];
    assert!(begin.elapsed() < PATIENCE, "{:?} for {errors:?}", begin.elapsed());
    for error in errors.iter().flatten() {
        assert!(error.to_string().len() > 10, "{error}");
    }
    errors
}

#[test]
fn a_whole_file_decodes() {
    let audio = Media::from_bytes(wav(16_000, 16_000, 16_000), &Limits::default()).unwrap().audio().unwrap();
    assert_eq!((audio.pcm.len(), audio.rate_hz), (16_000, 16_000));
}

#[test]
fn an_empty_file_is_named() {
    assert!(matches!(error(Vec::new(), &Limits::default()), Error::Empty));
}

#[test]
fn a_file_cut_off_is_named() {
    let error = error(wav(16_000, 64_000, 20_000), &Limits::default());
    assert!(matches!(error, Error::Truncated { announced: 64_000, .. }), "{error}");
}

#[test]
fn an_hour_runs_into_the_limit() {
    let hour = 3_600 * 8_000;
    let error = error(wav(8_000, hour, hour as usize), &Limits::default());
    assert_eq!(error.to_string(), "the sound is longer than 600 s, the limit");
}

#[test]
fn a_large_file_is_not_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.wav");
    std::fs::File::create(&file).unwrap().set_len(1 << 40).unwrap();
    let error = Media::open(&file, &Limits { bytes: 1 << 20, ..Limits::default() }).unwrap_err();
    assert_eq!(error.to_string(), "the file has more than 1048576 bytes, the limit");
}

#[test]
fn text_by_the_name_of_a_video_is_named() {
    let error = error(b"clip,label\n".repeat(1_000), &Limits::default());
    assert!(matches!(error, Error::Unknown(_)), "{error}");
}

#[test]
fn an_absurd_rate_is_named() {
    for rate_hz in [1, 3_000_000] {
        let error = error(wav(rate_hz, 1_000, 1_000), &Limits::default());
        assert!(matches!(error, Error::Rate(r) if r == rate_hz), "{error}");
    }
}

/// A header that leaves the length open, as writers into pipes do.
#[test]
fn a_wav_of_unknown_length_is_read_to_its_end() {
    let mut bytes = wav(16_000, 8_000, 8_000);
    bytes[4..8].fill(0xFF);
    bytes[40..44].fill(0xFF);
    assert_eq!(Media::from_bytes(bytes, &alone()).unwrap().audio().unwrap().pcm.len(), 8_000);
}

#[test]
fn an_hour_that_is_only_announced_is_named_at_once() {
    let error = error(wav(16_000, 3_600 * 16_000, 10), &alone());
    assert_eq!(error.to_string(), "the sound is longer than 600 s, the limit");
}

#[test]
fn a_wav_cut_anywhere_is_an_error_that_says_so() {
    let whole = wav(16_000, 4_000, 4_000);
    for n in (0..64).chain((64..whole.len()).step_by(97)) {
        let error = error(whole[..n].to_vec(), &alone());
        assert!(error.to_string().len() > 10, "{n}: {error}");
        let known = match error {
            Error::Empty | Error::Unknown(_) => n < 12,
            Error::NoAudio(_) | Error::CutOff { .. } => n < 44,
            Error::Truncated { announced: 4_000, found } => n >= 44 && found == (n as u64 - 44) / 2,
            _ => false,
        };
        assert!(known, "{n}: {error}");
    }
}

#[test]
fn a_video_cut_anywhere_is_an_error_that_says_so() {
    for whole in [Video::default().bytes(), Video::default().tables_first()] {
        assert!(all(whole.clone())[0].is_none());
        for n in 0..whole.len() {
            let error = error(whole[..n].to_vec(), &alone());
            let known = match error {
                Error::Empty | Error::Unknown(_) => n < 8,
                // A whole first box and no tables.
                Error::Damaged(ref why) => why.contains("moov is missing"),
                Error::CutOff { .. } => true,
                _ => false,
            };
            assert!(known, "{n}: {error}");
        }
    }
}

#[test]
fn a_wrong_extension_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("sound.mp4", wav(16_000, 16_384, 16_384)), ("film.wav", Video::default().bytes())] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(Media::open(&path, &alone()).unwrap().audio().unwrap().pcm.len(), 16_384, "{name}");
    }
    let sound = Media::open(folder.path().join("sound.mp4"), &alone()).unwrap();
    assert_eq!(sound.frames(5.0).err().unwrap().to_string(), "no pictures that can be decoded: it is a WAV file");
}

#[test]
fn sizes_that_wrap_are_named() {
    let ftyp = wrap(b"ftyp", &[b"isom\0\0\0\0"]);
    for size in [0, 7, 15, u64::MAX, u64::MAX - 7, 1 << 63, (1 << 32) + 8] {
        let long = [&words(&[1]), &b"moov"[..], &size.to_be_bytes()].concat();
        let outer = error([&ftyp[..], &long, &[0; 64]].concat(), &alone());
        assert!(matches!(outer, Error::CutOff { .. } | Error::Damaged(_)), "{size}: {outer}");
        let inner = error([&ftyp[..], &wrap(b"moov", &[&long, &[0; 64]])].concat(), &alone());
        assert!(matches!(inner, Error::Damaged(_)), "{size}: {inner}");
    }
    // Offsets of 64 bits at the end of all numbers.
    let mut bytes = Video::default().bytes();
    let at = bytes.windows(4).position(|w| w == b"stco").unwrap();
    bytes[at + 8..at + 12].fill(0xFF);
    assert!(all(bytes)[0].is_some());
}

/// Boxes within boxes, as deep as a file can hold them.
#[test]
fn depth_costs_nothing() {
    let mut bytes = Vec::new();
    for level in 0..100_000u32 {
        bytes.extend((8 * (100_000 - level)).to_be_bytes());
        bytes.extend(b"moov");
    }
    assert!(matches!(all(bytes)[0], Some(Error::Damaged(_))));
}

/// Packets whose times say that they last no time: what they decode to counts.
#[test]
fn packets_that_expand_run_into_the_limit() {
    let packets = 700 * 16_000 / 1_024;
    let video = Video { announced: packets, held: packets as usize, ticks: 1, ..Video::default() };
    let error = error(video.bytes(), &alone());
    assert!(matches!(error, Error::TooLong { limit: 600.0 }), "{error}");
}

/// A thousand samples that are all the same bytes.
#[test]
fn samples_that_share_their_bytes_are_named() {
    let mut bytes = Video { announced: 1_000, held: 16, packet: 6, ..Video::default() }.bytes();
    let stsc = bytes.windows(4).position(|w| w == b"stsc").unwrap();
    // One sample a chunk, and a chunk for each, all at the same place.
    bytes[stsc + 16..stsc + 20].copy_from_slice(&1u32.to_be_bytes());
    let stco = bytes.windows(4).position(|w| w == b"stco").unwrap();
    let chunk: [u8; 4] = bytes[stco + 12..stco + 16].try_into().unwrap();
    bytes.truncate(stco + 8);
    bytes.extend(1_000u32.to_be_bytes());
    bytes.extend(chunk.repeat(1_000));
    let grown = 4 * 999;
    for kind in [b"stco", b"stbl", b"minf", b"mdia", b"trak", b"moov"] {
        let at = bytes.windows(4).position(|w| w == kind).unwrap() - 4;
        let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) + grown;
        bytes[at..at + 4].copy_from_slice(&size.to_be_bytes());
    }
    let error = error(bytes, &alone());
    assert!(error.to_string().contains("the samples of a track have 6000 bytes together"), "{error}");
}

#[cfg(feature = "video")]
#[test]
fn a_huge_picture_is_refused_by_its_header() {
    for (columns, rows) in [(1_024, 1_024), (65_536, 1), (1, 65_536), (4_096, 4_096)] {
        let video = Video { sps: Some(common::sps(columns, rows)), ..Video::default() };
        let media = Media::from_bytes(video.bytes(), &Limits { pixels: 1 << 16, ..alone() }).unwrap();
        let error = media.frames(5.0).err().unwrap();
        let (width, height) = (16 * u64::from(columns), 16 * u64::from(rows));
        let want = format!("pictures of {width} × {height} have more than 65536 pixels, the limit");
        assert_eq!(error.to_string(), want);
    }
}

/// Bytes of a sound changed, cut and doubled at random: an answer or an error, never a panic.
#[test]
fn damaged_sounds_do_not_panic() {
    let whole = wav(16_000, 500, 500);
    let mut dice = Dice(0x0DD5_EED0_0000_0077);
    let mut failed = 0;
    for round in 0..6_000 {
        let mut bytes = whole.clone();
        for _ in 0..=dice.below(4) {
            // Mostly the header.
            let at = if dice.below(4) > 0 { dice.below(48) } else { dice.below(bytes.len()) };
            bytes[at] = match dice.below(4) {
                0 => 0,
                1 => 0xFF,
                2 => bytes[at] ^ 1 << dice.below(8),
                _ => dice.below(256) as u8,
            };
        }
        if round % 5 == 0 {
            bytes.truncate(1 + dice.below(bytes.len()));
        }
        if round % 7 == 0 {
            let (from, to) = (dice.below(bytes.len()), dice.below(bytes.len()));
            let part = bytes[from.min(to)..from.max(to)].to_vec();
            bytes.extend(part);
        }
        failed += usize::from(all(bytes)[0].is_some());
    }
    println!("{failed} of 6000 damaged files are errors");
    assert!(failed > 1_500, "{failed} rounds did damage");
}
