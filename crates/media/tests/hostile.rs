//! Files that lie: each ends in an error that says what is wrong, within its limits.

use latentlink_media::{Error, Limits, Media};

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
fn text_by_the_name_of_a_film_is_named() {
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
