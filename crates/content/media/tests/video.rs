//! Frames of real videos against ffmpeg's, and videos that lie.
#![cfg(feature = "video")]

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

/// Grey levels that each colour of each pixel may be off from ffmpeg's, as it comes by default: its quick conversion is
/// a level off the equations on average.
const LEVELS: u8 = 3;
/// The same where ffmpeg is told to convert exactly.
const EXACT: u8 = 1;
/// Share of them that may be off by more in videos with B pictures: OpenH264 picks another strength for a few of their
/// edges than the standard does (cisco/openh264#3269), and so is off by a few levels along them.
const ODD_EDGES: f64 = 1e-5;

/// Holds all frames against ffmpeg's, which picks them by its own filter from pictures `late` ticks later than it has
/// them, and converts them by default or exactly.
fn agrees(test: &str, path: &Path, rate_hz: f64, late: u32, b_pictures: bool) {
    let got = frames(path, rate_hz);
    let pick = format!("setpts=PTS+{late},fps={rate_hz}:round=up:start_time=0");
    let exact = format!("{pick},scale=flags=accurate_rnd+full_chroma_int+neighbor");
    for (kind, filter, allowed) in [("default", &pick, LEVELS), ("exact", &exact, EXACT)] {
        let arguments =
            ["-i", path.to_str().unwrap(), "-an", "-vf", filter, "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1"];
        let Some(want) = common::ffmpeg(test, &arguments) else { return };
        let pixels = got[0].rgb.len();
        assert_eq!(got.len(), want.len() / pixels, "{} at {rate_hz} Hz", path.display());
        assert_eq!(want.len() % pixels, 0);
        let (mut worst, mut worst_mean, mut beyond) = (0, 0.0f64, 0);
        for (k, (got, want)) in got.iter().zip(want.chunks_exact(pixels)).enumerate() {
            assert!((got.time_s - k as f64 / rate_hz).abs() < 1e-9);
            assert_eq!(got.rgb.len(), 3 * got.width * got.height);
            // The picture that ffmpeg drops.
            if late > 0 && k == 0 {
                continue;
            }
            let far = got.rgb.iter().zip(want).map(|(&a, &b)| a.abs_diff(b));
            worst_mean = worst_mean.max(far.clone().map(f64::from).sum::<f64>() / pixels as f64);
            beyond += far.clone().filter(|&d| d > LEVELS).count();
            worst = worst.max(far.max().unwrap_or(0));
        }
        let (name, n) = (path.file_stem().unwrap().to_string_lossy(), got.len());
        let share = beyond as f64 / want.len() as f64;
        let what = format!("{name}: {n} frames at {rate_hz} Hz, {kind}: mean {worst_mean:.3}, largest {worst}");
        println!("{what}, {share:.1e} above {LEVELS}");
        assert!(if b_pictures { share <= ODD_EDGES && worst <= 8 } else { worst <= allowed }, "{what}: {share}");
    }
}

#[test]
fn real_videos_agree_with_ffmpeg() {
    let test = "real_films_agree_with_ffmpeg";
    let Some(shared) = common::shared(test) else { return };
    // The edit list of no-face starts within a picture, 168 ticks before the next. ffmpeg drops that picture and moves
    // the next to the start; by the standard it is on for as long, and all keep their distance to the sound.
    for (name, rate_hz, late) in [("talking-face", 5.0, 0), ("no-face", 7.3, 168), ("mp3-in-mp4", 30.0, 0)] {
        agrees(test, &shared.join(format!("media/{name}.mp4")), rate_hz, late, true);
    }
}

/// Colours, sizes and orders of pictures that the real videos do not have.
#[test]
fn videos_made_for_it_agree_with_ffmpeg() {
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
        agrees(test, &path, 5.0, 0, name == "709");
        agrees(test, &path, 25.0, 0, name == "709");
    }
}

/// A quarter turn by the track's matrix; ffmpeg turns the picture as well.
#[test]
fn a_video_on_its_side_is_turned() {
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
    agrees(test, &path, 5.0, 0, true);
}

#[test]
fn rates_that_are_none_are_named() {
    let media = Media::from_bytes(common::Video::default().bytes(), &alone()).unwrap();
    for rate_hz in [0.0, -1.0, 121.0, f64::NAN] {
        assert!(matches!(media.frames(rate_hz), Err(Error::FrameRate(_))), "{rate_hz}");
    }
    assert!(matches!(media.frames(5.0), Err(Error::NoVideo(_))));
}

#[test]
fn limits_are_named() {
    let Some(shared) = common::shared("limits_are_named") else { return };
    let video = std::fs::read(shared.join("media/mp3-in-mp4.mp4")).unwrap();
    let error = failure(video.clone(), &Limits { pixels: 640 * 300, ..alone() });
    assert_eq!(error.to_string(), "pictures of 640 × 368 have more than 192000 pixels, the limit");
    let error = failure(video.clone(), &Limits { seconds: 2.0, ..alone() });
    assert!(matches!(error, Error::VideoTooLong { limit: 2.0 }), "{error}");
    let error = failure(video.clone(), &Limits { pictures: 71, ..alone() });
    assert!(matches!(error, Error::TooMany { what: "pictures", limit: 71, got: 72 }), "{error}");
    let error = failure(video.clone(), &Limits { all_pixels: 1_000_000, ..alone() });
    assert!(matches!(error, Error::TooMany { what: "pixels in all pictures", .. }), "{error}");
    let error = failure(video.clone(), &Limits { picture_seconds: 0.0, ..alone() });
    assert!(matches!(error, Error::PictureTime { limit: 0.0 }), "{error}");
    let error = failure(video[..100_000].to_vec(), &alone());
    assert!(matches!(error, Error::CutOff { found: 100_000, .. }), "{error}");
}

/// Sequence parameter sets that announce 65,536 × 65,536 pixels, in the header or in a sample.
#[test]
fn a_huge_picture_is_not_decoded() {
    let Some(shared) = common::shared("a_huge_picture_is_not_decoded") else { return };
    let video = std::fs::read(shared.join("media/mp3-in-mp4.mp4")).unwrap();
    let huge = common::sps(4_096, 4_096);
    let avcc = video.windows(4).position(|w| w == b"avcC").unwrap() + 4;
    let mut header = video.clone();
    // The set in avcC is 26 bytes long, more than ours.
    let slot = avcc + 8;
    assert!(huge.len() <= 26, "{}", huge.len());
    header[slot..slot + huge.len()].copy_from_slice(&huge);
    let error = failure(header, &alone());
    assert!(matches!(error, Error::TooManyPixels { width: 65_536, height: 65_536, .. }), "{error}");
    let mut sample = video;
    let data = sample.windows(4).position(|w| w == b"mdat").unwrap() + 4;
    sample[data..data + 4].copy_from_slice(&(huge.len() as u32).to_be_bytes());
    sample[data + 4..data + 4 + huge.len()].copy_from_slice(&huge);
    let error = failure(sample, &alone());
    assert!(matches!(error, Error::TooManyPixels { width: 65_536, height: 65_536, .. }), "{error}");
}

/// Bytes changed at random in the boxes: frames or an error, never a panic.
#[test]
fn damaged_videos_do_not_panic() {
    let Some(shared) = common::shared("damaged_films_do_not_panic") else { return };
    let video = std::fs::read(shared.join("media/mp3-in-mp4.mp4")).unwrap();
    let moov = video.windows(4).position(|w| w == b"moov").unwrap();
    let mut dice = Dice(0xF11D_5EED_0000_0001);
    let mut failed = 0;
    for round in 0..2_000 {
        let mut bytes = video.clone();
        for _ in 0..=dice.below(4) {
            let at = moov + dice.below(video.len() - moov);
            bytes[at] = dice.below(256) as u8;
        }
        if round % 10 == 0 {
            bytes.truncate(1 + dice.below(video.len()));
        }
        let media = Media::from_bytes(bytes, &alone()).unwrap();
        // Decoding is for the codec to survive; here one frame is enough.
        let first = media.frames(1.0).and_then(|mut f| f.next().transpose());
        failed += usize::from(first.is_err());
    }
    assert!(failed > 300, "{failed} rounds did damage");
}
