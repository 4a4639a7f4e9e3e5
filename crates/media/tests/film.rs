//! Frames of real films against ffmpeg's, and films that lie.
#![cfg(feature = "h264")]

mod common;

use std::path::Path;

use common::{Dice, alone};
use latentlink_media::{Error, FRAME_RATE_HZ, Frame, Limits, Media};

fn frames(path: impl AsRef<Path>, rate_hz: f64) -> Vec<Frame> {
    let media = Media::open(path, &alone()).unwrap();
    media.frames(rate_hz).unwrap().collect::<Result<_, _>>().unwrap()
}

fn failure(bytes: Vec<u8>, limits: &Limits) -> Error {
    let media = Media::from_bytes(bytes, limits).unwrap();
    let first = match media.frames(FRAME_RATE_HZ) {
        Ok(mut frames) => frames.find_map(Result::err),
        Err(error) => Some(error),
    };
    first.expect("an error")
}

/// Holds all frames against ffmpeg's, which picks them by its own filter from pictures `late` ticks later than it has them.
/// Its conversion is set to the exact one: by default it is off by a level or so everywhere.
fn agrees(test: &str, path: &Path, rate_hz: f64, late: u32) {
    let filter = format!(
        "setpts=PTS+{late},fps={rate_hz}:round=up:start_time=0,scale=flags=accurate_rnd+full_chroma_int+neighbor"
    );
    let arguments =
        ["-i", path.to_str().unwrap(), "-an", "-vf", &filter, "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1"];
    let Some(want) = common::ffmpeg(test, &arguments) else { return };
    let got = frames(path, rate_hz);
    let pixels = got[0].rgb.len();
    assert_eq!(got.len(), want.len() / pixels, "{} at {rate_hz} Hz", path.display());
    assert_eq!(want.len() % pixels, 0);
    let (mut worst, mut worst_mean) = (0, 0.0f64);
    for (k, (got, want)) in got.iter().zip(want.chunks_exact(pixels)).enumerate() {
        assert!((got.time_s - k as f64 / rate_hz).abs() < 1e-9);
        // The picture that ffmpeg drops.
        if late > 0 && k == 0 {
            continue;
        }
        assert_eq!(got.rgb.len(), 3 * got.width * got.height);
        let far = got.rgb.iter().zip(want).map(|(&a, &b)| u64::from(a.abs_diff(b)));
        let mean = far.clone().sum::<u64>() as f64 / pixels as f64;
        worst_mean = worst_mean.max(mean);
        worst = worst.max(far.max().unwrap_or(0));
    }
    println!("{} at {rate_hz} Hz: mean difference up to {worst_mean:.3}, largest {worst}", path.display());
    assert!(worst_mean <= 0.1 && worst <= 8, "{}: mean {worst_mean}, largest {worst}", path.display());
}

#[test]
fn real_films_agree_with_ffmpeg() {
    let test = "real_films_agree_with_ffmpeg";
    let Some(shared) = common::shared(test) else { return };
    // The edit list of no-face starts within a picture, 168 ticks before the next. ffmpeg drops that picture and moves the
    // next to the start; by the standard it is on for as long, and all keep their distance to the sound.
    for (name, rate_hz, late) in [("talking-face", 5.0, 0), ("no-face", 7.3, 168), ("mp3-in-mp4", 30.0, 0)] {
        agrees(test, &shared.join(format!("media/{name}.mp4")), rate_hz, late);
    }
}

/// Colours, sizes and orders of pictures that the real films do not have.
#[test]
fn films_made_for_it_agree_with_ffmpeg() {
    let test = "films_made_for_it_agree_with_ffmpeg";
    let folder = tempfile::tempdir().unwrap();
    let bt709 = ["-vf", "scale=out_color_matrix=bt709", "-colorspace", "bt709", "-bf", "3", "-g", "7"];
    let full = ["-vf", "scale=out_range=full", "-color_range", "pc", "-pix_fmt", "yuvj420p", "-bf", "0"];
    for (name, size, options) in [("709", "322x182", &bt709[..]), ("full", "128x96", &full)] {
        let path = folder.path().join(format!("{name}.mp4"));
        let source = format!("testsrc2=size={size}:rate=25:duration=3");
        let head = ["-f", "lavfi", "-i", &source, "-c:v", "libx264", "-pix_fmt", "yuv420p"];
        let made = common::ffmpeg(test, &[&head[..], options, &[path.to_str().unwrap()]].concat());
        if made.is_none() {
            return;
        }
        agrees(test, &path, 5.0, 0);
        agrees(test, &path, 25.0, 0);
    }
}

/// A quarter turn by the track's matrix; ffmpeg turns the picture as well.
#[test]
fn a_film_on_its_side_is_turned() {
    let test = "a_film_on_its_side_is_turned";
    let Some(shared) = common::shared(test) else { return };
    let mut bytes = std::fs::read(shared.join("media/mp3-in-mp4.mp4")).unwrap();
    let at = bytes.windows(4).position(|w| w == b"tkhd").unwrap() + 4 + 40;
    let matrix = [0i32, 1 << 16, 0, -(1 << 16), 0, 0, 360 << 16, 0, 1 << 30];
    bytes[at..at + 36].copy_from_slice(&matrix.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<_>>());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("turned.mp4");
    std::fs::write(&path, bytes).unwrap();
    let first = &frames(&path, 1.0)[0];
    assert_eq!((first.width, first.height), (360, 640));
    agrees(test, &path, 5.0, 0);
}

#[test]
fn rates_that_are_none_are_named() {
    let media = Media::from_bytes(common::Film::default().bytes(), &alone()).unwrap();
    for rate_hz in [0.0, -1.0, 121.0, f64::NAN] {
        assert!(matches!(media.frames(rate_hz), Err(Error::FrameRate(_))), "{rate_hz}");
    }
    assert!(matches!(media.frames(5.0), Err(Error::NoVideo(_))));
}

#[test]
fn limits_are_named() {
    let Some(shared) = common::shared("limits_are_named") else { return };
    let film = std::fs::read(shared.join("media/mp3-in-mp4.mp4")).unwrap();
    let error = failure(film.clone(), &Limits { pixels: 640 * 300, ..alone() });
    assert_eq!(error.to_string(), "pictures of 640 × 368 have more than 192000 pixels, the limit");
    let error = failure(film.clone(), &Limits { seconds: 2.0, ..alone() });
    assert!(matches!(error, Error::FilmTooLong { limit: 2.0 }), "{error}");
    let error = failure(film.clone(), &Limits { pictures: 71, ..alone() });
    assert!(matches!(error, Error::TooMany { what: "pictures", limit: 71, got: 72 }), "{error}");
    let error = failure(film.clone(), &Limits { all_pixels: 1_000_000, ..alone() });
    assert!(matches!(error, Error::TooMany { what: "pixels in all pictures", .. }), "{error}");
    let error = failure(film[..100_000].to_vec(), &alone());
    assert!(matches!(error, Error::CutOff { found: 100_000, .. }), "{error}");
}

/// Sequence parameter sets that announce 65,536 × 65,536 pixels, in the header or in a sample.
#[test]
fn a_huge_picture_is_not_decoded() {
    let Some(shared) = common::shared("a_huge_picture_is_not_decoded") else { return };
    let film = std::fs::read(shared.join("media/mp3-in-mp4.mp4")).unwrap();
    // Baseline profile; identifier 0, frame numbers of 4 bits, order of kind 2, one reference, no gaps, then both sizes as
    // 4,095 + 1 macroblocks: eleven zeros, a one after twelve, and so on.
    let size = "000000000000".to_owned() + "1" + "000000000000";
    let bits = "1".to_owned() + "1" + "011" + "010" + "0" + &size + &size + "1" + "1" + "0" + "0" + "1";
    let mut huge = vec![0x67, 66, 0, 30];
    let padded = bits.clone() + &"0".repeat((8 - bits.len() % 8) % 8);
    for byte in padded.as_bytes().chunks(8) {
        huge.push(byte.iter().fold(0, |n, b| n << 1 | (b - b'0')));
        // Emulation prevention.
        if huge.ends_with(&[0, 0]) {
            huge.push(3);
        }
    }
    let avcc = film.windows(4).position(|w| w == b"avcC").unwrap() + 4;
    let mut header = film.clone();
    // The set in avcC is 26 bytes long, more than ours.
    let slot = avcc + 8;
    assert!(huge.len() <= 26, "{}", huge.len());
    header[slot..slot + huge.len()].copy_from_slice(&huge);
    let error = failure(header, &alone());
    assert!(matches!(error, Error::TooManyPixels { width: 65_536, height: 65_536, .. }), "{error}");
    let mut sample = film;
    let data = sample.windows(4).position(|w| w == b"mdat").unwrap() + 4;
    sample[data..data + 4].copy_from_slice(&(huge.len() as u32).to_be_bytes());
    sample[data + 4..data + 4 + huge.len()].copy_from_slice(&huge);
    let error = failure(sample, &alone());
    assert!(matches!(error, Error::TooManyPixels { width: 65_536, height: 65_536, .. }), "{error}");
}

/// Bytes changed at random in the boxes: frames or an error, never a panic.
#[test]
fn damaged_films_do_not_panic() {
    let Some(shared) = common::shared("damaged_films_do_not_panic") else { return };
    let film = std::fs::read(shared.join("media/mp3-in-mp4.mp4")).unwrap();
    let moov = film.windows(4).position(|w| w == b"moov").unwrap();
    let mut dice = Dice(0xF11D_5EED_0000_0001);
    let mut failed = 0;
    for round in 0..2_000 {
        let mut bytes = film.clone();
        for _ in 0..=dice.below(4) {
            let at = moov + dice.below(film.len() - moov);
            bytes[at] = dice.below(256) as u8;
        }
        if round % 10 == 0 {
            bytes.truncate(1 + dice.below(film.len()));
        }
        let media = Media::from_bytes(bytes, &alone()).unwrap();
        // Decoding is for the codec to survive; here one frame is enough.
        let first = media.frames(1.0).and_then(|mut f| f.next().transpose());
        failed += usize::from(first.is_err());
    }
    assert!(failed > 300, "{failed} rounds did damage");
}
