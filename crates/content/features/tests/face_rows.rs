//! Rows of features out of frames: a face is followed, and where there is none there is no row.

mod common;

use common::{picture, shared};
use latentlink_features::face::{Bounds, Pose};
use latentlink_features::{CheckpointError, FaceExtractor, FaceRow};
use media::Frame;
use std::convert::Infallible;
use std::path::Path;

fn extractor(shared: &Path) -> FaceExtractor {
    FaceExtractor::load(&shared.join("models/face-api")).unwrap()
}

fn rows(extractor: &FaceExtractor, frames: &[Frame]) -> Vec<Option<FaceRow>> {
    extractor.extract(frames.iter().cloned().map(Ok::<_, Infallible>)).unwrap()
}

/// The picture moved to the right and down over black.
fn shifted(frame: &Frame, right: usize, down: usize, time_s: f64) -> Frame {
    let mut out = Frame { time_s, rgb: vec![0; frame.rgb.len()], ..*frame };
    for y in down..frame.height {
        let (from, to) = ((y - down) * frame.width * 3, y * frame.width * 3);
        let length = (frame.width - right) * 3;
        out.rgb[to + right * 3..][..length].copy_from_slice(&frame.rgb[from..][..length]);
    }
    out
}

fn value(row: &FaceRow, name: &str) -> f32 {
    row.values[FaceExtractor::columns().iter().position(|c| c == name).unwrap()]
}

#[test]
fn a_row_has_every_column_and_its_parts_agree() {
    let Some(shared) = shared() else { return };
    let extractor = extractor(&shared);
    let (columns, identity) = (FaceExtractor::columns(), extractor.identity());
    assert_eq!((identity.network.as_str(), identity.width, identity.sha256.len()), ("face-api", columns.len(), 64));
    assert_eq!(columns.iter().collect::<std::collections::HashSet<_>>().len(), columns.len());
    for (name, happy) in [("talking-face-frame10.png", false), ("single-face.png", true), ("astronaut.png", true)] {
        let frame = picture(&shared.join("media").join(name));
        let row = rows(&extractor, std::slice::from_ref(&frame)).remove(0).unwrap_or_else(|| panic!("{name}: no face"));
        assert_eq!(row.values.len(), columns.len());
        let total: f32 = columns.iter().filter(|c| c.starts_with("prob")).map(|c| value(&row, c)).sum();
        assert!((total - 1.0).abs() < 1e-6);
        assert_eq!(value(&row, "probability_happy") > 0.5, happy, "{name}");
        let Bounds { x, y, width, height } = row.bounds;
        let held = |[px, py]: &[f64; 2]| (x..x + width).contains(px) && (y..y + height).contains(py);
        assert!(row.landmarks.0[17..].iter().all(held), "{name}");
        let Pose { yaw, pitch, roll } = Pose::of(&row.landmarks);
        println!("{name}: yaw {yaw:.2}, pitch {pitch:.2}, roll {roll:.2}");
        assert_eq!(value(&row, "roll"), roll as f32);
        assert!(yaw.abs() < 0.6 && pitch.abs() < 0.6 && roll.abs() < 0.4, "{name}: {yaw} {pitch} {roll}");
    }
}

#[test]
fn a_face_is_followed_lost_and_found_again() {
    let Some(shared) = shared() else { return };
    let extractor = extractor(&shared);
    let still = picture(&shared.join("media/talking-face-frame10.png"));
    let black = Frame { rgb: vec![0; still.rgb.len()], ..still };
    let moved = |i: usize| shifted(&still, 6 * i, 4 * i, i as f64 / 5.0);
    let frames = [moved(0), moved(1), moved(2), black, moved(4), shifted(&still, 0, 0, 1.0)];
    let found = rows(&extractor, &frames);
    let seen: Vec<bool> = found.iter().map(Option::is_some).collect();
    assert_eq!(seen, [true, true, true, false, true, true]);
    assert_eq!(found[2].as_ref().unwrap().time_s, 0.4);
    let nose = |i: usize| found[i].as_ref().unwrap().landmarks.0[30];
    for i in [1, 2, 4] {
        let (right, down) = (nose(i)[0] - nose(0)[0], nose(i)[1] - nose(0)[1]);
        println!("moved by {} and {}, followed by {right:.1} and {down:.1}", 6 * i, 4 * i);
        assert!((right - 6.0 * i as f64).abs() < 6.0 && (down - 4.0 * i as f64).abs() < 6.0);
    }
    // A new video does not know of the last.
    assert_eq!(rows(&extractor, &frames[..1])[0], found[0]);
    let empty = Frame { time_s: 0.0, width: 0, height: 0, rgb: Vec::new() };
    let dot = Frame { time_s: 0.0, width: 1, height: 1, rgb: vec![200; 3] };
    assert_eq!(rows(&extractor, &[empty, dot]), [None, None]);
}

#[test]
fn networks_that_do_not_load_are_named() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(shared.join("models/face-api")).unwrap() {
        let file = file.unwrap().path();
        std::fs::write(folder.path().join(file.file_name().unwrap()), std::fs::read(&file).unwrap()).unwrap();
    }
    let identity = FaceExtractor::load(folder.path()).unwrap().identity();
    assert_eq!(identity, extractor(&shared).identity());
    let shard = folder.path().join("face_expression_model.bin");
    let bytes = std::fs::read(&shard).unwrap();
    let error = || FaceExtractor::load(folder.path()).err().unwrap();
    std::fs::write(&shard, &bytes[..bytes.len() - 3]).unwrap();
    assert!(matches!(error(), CheckpointError::CutOff { name, .. } if name == "fc/bias"), "{}", error());
    let mut other = bytes;
    other[40_000] ^= 1;
    std::fs::write(&shard, &other).unwrap();
    assert_ne!(FaceExtractor::load(folder.path()).unwrap().identity().sha256, identity.sha256);
    let manifest = folder.path().join("face_landmark_68_model-weights_manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("dense2/conv1/bias", "dense2/conv1/bies")).unwrap();
    assert_eq!(error().to_string(), "tensor 'dense2/conv1/bias' is missing");
    std::fs::remove_file(&manifest).unwrap();
    assert!(error().to_string().contains("face_landmark_68_model-weights_manifest.json"));
}

/// Videos are in H.264, which wants a C++ compiler.
#[cfg(feature = "video")]
mod videos {
    use super::*;
    use media::{FRAME_RATE_HZ, Limits, Media};

    fn video(shared: &Path, name: &str) -> Vec<Option<FaceRow>> {
        let media = Media::open(shared.join("media").join(name), &Limits::default()).unwrap();
        let frames: Vec<Frame> = media.frames(FRAME_RATE_HZ).unwrap().collect::<Result<_, _>>().unwrap();
        let extractor = extractor(shared);
        let start = std::time::Instant::now();
        let rows = rows(&extractor, &frames);
        println!("{name}: {} frames in {:.2} s", rows.len(), start.elapsed().as_secs_f64());
        rows
    }

    #[test]
    fn a_video_without_a_face_has_no_rows() {
        let Some(shared) = shared() else { return };
        let rows = video(&shared, "no-face.mp4");
        assert!(rows.len() > 5 && rows.iter().all(Option::is_none));
    }

    #[test]
    fn a_speaker_is_followed_through_a_video() {
        let Some(shared) = shared() else { return };
        let rows = video(&shared, "talking-face.mp4");
        let seen: Vec<&FaceRow> = rows.iter().flatten().collect();
        println!("a face in {} of {} frames", seen.len(), rows.len());
        assert!(rows.len() >= 98 && seen.len() * 100 >= rows.len() * 97);
        assert!(seen.windows(2).all(|pair| pair[0].bounds.overlap(&pair[1].bounds) > 0.3));
        let of = |name: &str| seen.iter().map(|row| f64::from(value(row, name))).collect::<Vec<_>>();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let spread = |values: &[f64]| {
            let mean = mean(values);
            (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
        };
        for name in FaceExtractor::columns().iter().take_while(|name| !name.starts_with("embedding")) {
            println!("{name}: {:.3} ± {:.3}", mean(&of(name)), spread(&of(name)));
        }
        // The mouth speaks: it opens and closes by more than the brows' distance changes. The head faces the camera.
        assert!(spread(&of("mouth_opening")) > 2.0 * spread(&of("brow_gap")));
        assert!(["yaw", "pitch", "roll"].iter().all(|name| mean(&of(name)).abs() < 0.2));
    }
}
