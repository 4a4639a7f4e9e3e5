//! What an ffmpeg program decodes in our stead, within the same limits.

mod common;

use common::{Video, alone};
use latentlink_media::{Error, Limits, Media};

/// A video of three seconds in a container that is not decoded in process; none if there is no ffmpeg.
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
    let Some(video) = matroska("another_container_gives_sound_and_frames") else { return };
    let media = Media::from_bytes(video, &Limits::default()).unwrap();
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
    let Some(video) = matroska("limits_hold_for_it_too") else { return };
    let short = Media::from_bytes(video.clone(), &Limits { seconds: 1.0, ..Limits::default() }).unwrap();
    assert!(matches!(short.audio(), Err(Error::TooLong { limit: 1.0 })));
    let error = short.frames(5.0).unwrap().find_map(Result::err).unwrap();
    assert!(matches!(error, Error::VideoTooLong { limit: 1.0 }), "{error}");
    let hasty = Media::from_bytes(video.clone(), &Limits { ffmpeg_seconds: 1e-6, ..Limits::default() }).unwrap();
    assert!(matches!(hasty.audio(), Err(Error::FfmpegTime { .. })));
    let small = Media::from_bytes(video, &Limits { pixels: 1_000, ..Limits::default() }).unwrap();
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

/// Only what is spent waiting for ffmpeg counts: frames may be looked at for as long as that takes.
#[test]
fn a_slow_reader_is_no_slow_ffmpeg() {
    let Some(video) = matroska("a_slow_reader_is_no_slow_ffmpeg") else { return };
    let media = Media::from_bytes(video, &Limits { ffmpeg_seconds: 3.0, ..Limits::default() }).unwrap();
    let mut frames = media.frames(25.0).unwrap();
    frames.next().unwrap().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(4));
    assert_eq!(frames.filter(Result::is_ok).count(), 74);
}

/// A playlist that names a file of this machine: ffmpeg must not open what it points to.
#[test]
fn a_playlist_opens_no_other_file() {
    let Some(video) = matroska("a_playlist_opens_no_other_file") else { return };
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.mkv");
    std::fs::write(&secret, video).unwrap();
    let secret = secret.display();
    let hls = format!("#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{secret}\n#EXT-X-ENDLIST\n");
    for text in [hls, format!("ffconcat version 1.0\nfile '{secret}'\n")] {
        let media = Media::from_bytes(text.into_bytes(), &Limits::default()).unwrap();
        assert!(matches!(media.audio(), Err(Error::Unknown(_))));
        assert!(matches!(media.frames(5.0), Err(Error::Unknown(_))));
    }
}

/// A video of three seconds in MP4, by options of ffmpeg.
fn quirk(test: &str, options: &[&str]) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.mp4");
    let pictures = "testsrc2=size=160x120:rate=25:duration=3";
    let sound = "sine=frequency=440:sample_rate=16000:duration=3";
    let inputs = ["-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", sound];
    common::ffmpeg(test, &[&inputs[..], options, &[path.to_str().unwrap()]].concat())?;
    Some(std::fs::read(path).unwrap())
}

/// The error names what is not decoded in process, and that ffmpeg would help.
fn named(error: Option<Error>, what: &str) {
    let said = error.expect("an error").to_string();
    assert!(said.contains(what) && said.contains("with ffmpeg on PATH more would be"), "{said}");
}

#[test]
fn videos_that_are_not_decoded_in_process_are_by_ffmpeg() {
    let test = "films_that_are_not_decoded_in_process_are_by_ffmpeg";
    let fragments = ["-c:v", "libx264", "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"];
    let ten_bits = ["-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-c:a", "alac"];
    let hevc = ["-c:v", "libx265", "-x265-params", "log-level=none", "-c:a", "ac3", "-ar", "32000"];
    let videos: [(&[&str], &str, &str); 3] = [
        (&fragments, "a fragmented MP4 file", "a fragmented MP4 file"),
        (&ten_bits, if cfg!(feature = "video") { "not of 8 bits" } else { "H.264" }, "alac"),
        (&hevc, "hev1", "ac-3"),
    ];
    for (options, pictures, sound) in videos {
        let Some(video) = quirk(test, options) else { return };
        let without = Media::from_bytes(video.clone(), &alone()).unwrap();
        named(without.frames(5.0).err(), pictures);
        named(without.audio().err(), sound);
        let media = Media::from_bytes(video, &Limits::default()).unwrap();
        let frames = media.frames(5.0).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
        // Without an edit list the pictures begin two late, for that is how far they are out of order.
        let count = if options == fragments { 16 } else { 15 };
        assert_eq!((frames.len(), frames[0].width, frames[0].height), (count, 160, 120), "{pictures}");
        let audio = media.audio().unwrap();
        // Coders add up to two packets.
        assert!((2.9..3.3).contains(&audio.seconds()), "{sound}: {} s", audio.seconds());
        let loudest = audio.pcm.iter().fold(0.0f32, |m, x| m.max(x.abs()));
        assert!((0.1..0.2).contains(&loudest), "{sound}: {loudest}");
    }
}

#[test]
fn sound_that_is_not_decoded_in_process_is_by_ffmpeg() {
    let test = "sound_that_is_not_decoded_in_process_is_by_ffmpeg";
    // AAC with spectral band replication from 8 to 16 kHz, and an edit list of two stretches.
    let band = Video { specific: vec![0x2D, 0x8C, 0x08, 0x00], ..Video::default() };
    let edits = Video { edits: vec![(200, 0), (200, 8_192)], ..Video::default() };
    for (video, what, seconds) in [(band, "sound in this kind of AAC", 2.0), (edits, "more than one stretch", 0.4)] {
        named(Media::from_bytes(video.bytes(), &alone()).unwrap().audio().err(), what);
        if common::ffmpeg(test, &["-version"]).is_none() {
            continue;
        }
        let audio = Media::from_bytes(video.bytes(), &Limits::default()).unwrap().audio().unwrap();
        println!("{what}: {} s at {} Hz", audio.seconds(), audio.rate_hz);
        assert!((audio.seconds() - seconds).abs() < 0.15, "{what}: {} s", audio.seconds());
    }
}

#[test]
fn a_video_without_sound_and_sound_without_video_are_named() {
    let test = "a_film_without_sound_and_sound_without_film_are_named";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.mkv");
    let path = path.to_str().unwrap();
    let silent = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=5:duration=1", "-c:v", "ffv1", path];
    let Some(_) = common::ffmpeg(test, &silent) else { return };
    let error = Media::open(path, &Limits::default()).unwrap().audio().unwrap_err();
    assert!(matches!(error, Error::NoAudio(_)), "{error}");
    common::ffmpeg(test, &["-f", "lavfi", "-i", "sine=duration=1", "-c:a", "flac", path]).unwrap();
    let error = Media::open(path, &Limits::default()).unwrap().frames(5.0).err().unwrap();
    assert!(matches!(error, Error::NoVideo(_)), "{error}");
}
