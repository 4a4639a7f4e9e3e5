//! What an ffmpeg program decodes in our stead, within the same limits.

mod common;

use common::alone;
use latentlink_media::{Error, Limits, Media};

/// A film of three seconds in a container that is not decoded in process; none if there is no ffmpeg.
fn matroska(test: &str) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.mkv");
    let pictures = "testsrc2=size=160x120:rate=25:duration=3";
    let sound = "sine=frequency=440:sample_rate=16000:duration=3";
    let inputs = ["-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", sound];
    let codecs = ["-c:v", "ffv1", "-c:a", "pcm_s16le", path.to_str().unwrap()];
    common::ffmpeg(test, &[&inputs[..], &codecs].concat())?;
    Some(std::fs::read(path).unwrap())
}

#[test]
fn another_container_gives_sound_and_frames() {
    let Some(film) = matroska("another_container_gives_sound_and_frames") else { return };
    let media = Media::from_bytes(film, &Limits::default()).unwrap();
    let audio = media.audio().unwrap();
    assert_eq!((audio.rate_hz, audio.pcm.len()), (16_000, 48_000));
    let step = std::f64::consts::TAU * 440.0 / 16_000.0;
    let worst = audio.pcm.iter().enumerate().map(|(n, x)| (f64::from(*x) - 0.125 * (step * n as f64).sin()).abs());
    assert!(worst.fold(0.0, f64::max) < 1e-3);
    let frames: Vec<_> = media.frames(5.0).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(frames.len(), 15);
    assert!(frames.iter().all(|f| (f.width, f.height, f.rgb.len()) == (160, 120, 160 * 120 * 3)));
    assert!((frames[14].time_s - 2.8).abs() < 1e-9);
}

#[test]
fn limits_hold_for_it_too() {
    let Some(film) = matroska("limits_hold_for_it_too") else { return };
    let short = Media::from_bytes(film.clone(), &Limits { seconds: 1.0, ..Limits::default() }).unwrap();
    assert!(matches!(short.audio(), Err(Error::TooLong { limit: 1.0 })));
    let error = short.frames(5.0).unwrap().find_map(Result::err).unwrap();
    assert!(matches!(error, Error::FilmTooLong { limit: 1.0 }), "{error}");
    let hasty = Media::from_bytes(film.clone(), &Limits { ffmpeg_seconds: 1e-6, ..Limits::default() }).unwrap();
    assert!(matches!(hasty.audio(), Err(Error::FfmpegTime { .. })));
    let small = Media::from_bytes(film, &Limits { pixels: 1_000, ..Limits::default() }).unwrap();
    assert!(small.frames(5.0).is_err());
}

#[test]
fn without_it_the_error_says_what_would_help() {
    let media = Media::from_bytes(b"\x1A\x45\xDF\xA3matroska".to_vec(), &alone()).unwrap();
    for error in [media.audio().unwrap_err(), media.frames(5.0).err().unwrap()] {
        assert!(matches!(error, Error::Unknown(_)), "{error}");
        assert!(error.to_string().contains("are decoded in process; with ffmpeg on PATH more would be"), "{error}");
    }
}

/// A playlist that names a file of this machine: ffmpeg must not open what it points to.
#[test]
fn a_playlist_opens_no_other_file() {
    let Some(film) = matroska("a_playlist_opens_no_other_file") else { return };
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.mkv");
    std::fs::write(&secret, film).unwrap();
    let secret = secret.display();
    let hls = format!("#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{secret}\n#EXT-X-ENDLIST\n");
    for text in [hls, format!("ffconcat version 1.0\nfile '{secret}'\n")] {
        let media = Media::from_bytes(text.into_bytes(), &Limits::default()).unwrap();
        assert!(matches!(media.audio(), Err(Error::Unknown(_))));
        assert!(matches!(media.frames(5.0), Err(Error::Unknown(_))));
    }
}
