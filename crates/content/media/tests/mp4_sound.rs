//! Sound of MP4 files: edit lists by hand, real files against ffmpeg.

mod common;

use common::{Video, alone};
use latentlink_media::Media;

fn length(video: &Video) -> usize {
    let audio = Media::from_bytes(video.bytes(), &alone()).unwrap().audio().unwrap();
    assert_eq!(audio.rate_hz, 16_000);
    audio.pcm.len()
}

#[test]
fn without_an_edit_list_all_is_played() {
    assert_eq!(length(&Video::default()), 16 * 1_024);
}

#[test]
fn the_edit_list_cuts_the_delay_and_whole_packets_behind_its_end() {
    assert_eq!(length(&Video { edits: vec![(0, 1_024)], ..Video::default() }), 15 * 1_024);
    // 1,024 + 4,000 samples end within the fifth packet.
    assert_eq!(length(&Video { edits: vec![(250, 1_024)], ..Video::default() }), 4 * 1_024);
}

#[test]
fn an_empty_edit_is_silence() {
    assert_eq!(length(&Video { edits: vec![(500, -1), (0, 24)], ..Video::default() }), 8_000 + 16 * 1_024 - 24);
}

#[test]
fn several_stretches_are_named() {
    let video = Video { edits: vec![(100, 0), (100, 5_000)], ..Video::default() };
    let error = Media::from_bytes(video.bytes(), &alone()).unwrap().audio().unwrap_err();
    assert!(error.to_string().contains("an edit list of more than one stretch"), "{error}");
}

/// Mean of the channels and the rest of the error's energy, lag 0 only: a shift by a sample would show.
#[test]
fn real_files_agree_with_ffmpeg() {
    let test = "real_files_agree_with_ffmpeg";
    let Some(shared) = common::shared(test) else { return };
    for (name, silent) in [("talking-face", true), ("no-face", false), ("mp3-in-mp4", false)] {
        let path = shared.join(format!("media/{name}.mp4"));
        let arguments = ["-i", path.to_str().unwrap(), "-map", "0:a:0", "-c:a", "pcm_f32le", "-f", "f32le", "pipe:1"];
        let Some(raw) = common::ffmpeg(test, &arguments) else { return };
        let raw: Vec<f32> = raw.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        let want: Vec<f32> = raw.chunks_exact(2).map(|c| (c[0] + c[1]) / 2.0).collect();
        let got = Media::open(&path, &alone()).unwrap().audio().unwrap().pcm;
        assert_eq!(got.len(), want.len(), "{name}");
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let energy = dot(&want, &want);
        let worst = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let correlation = dot(&got, &want) / (dot(&got, &got) * energy).sqrt();
        println!("{name}: {} samples, energy {energy:.3}, correlation {correlation:.6}, worst {worst:.1e}", got.len());
        assert!(worst < 1e-3, "{name}: {worst}");
        if energy > 1e-3 {
            assert!(correlation > 0.999, "{name}: {correlation}");
        } else {
            assert!(silent, "{name} is silent");
        }
    }
}

/// A sweep that ffmpeg codes: an AAC packet more or less at the start would show as a shift.
#[test]
fn a_sweep_in_aac_agrees_with_ffmpeg() {
    let test = "a_sweep_in_aac_agrees_with_ffmpeg";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.mp4");
    let path = path.to_str().unwrap();
    let sweep = "aevalsrc=0.5*sin(2*PI*(200+150*t)*t)|0.4*sin(2*PI*(900-100*t)*t):s=44100:d=3";
    let made = common::ffmpeg(test, &["-f", "lavfi", "-i", sweep, "-c:a", "aac", "-b:a", "128k", path]);
    let Some(_) = made else { return };
    let raw = common::ffmpeg(test, &["-i", path, "-c:a", "pcm_f32le", "-f", "f32le", "pipe:1"]).unwrap();
    let raw: Vec<f32> = raw.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    let want: Vec<f32> = raw.chunks_exact(2).map(|c| (c[0] + c[1]) / 2.0).collect();
    let got = Media::open(path, &alone()).unwrap().audio().unwrap().pcm;
    assert_eq!(got.len(), want.len());
    let worst = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-3, "{worst}");
}
