//! What is found in media files, to be shown.

#[allow(dead_code)]
mod common;

use common::shared;
use latentlink_features::{Extractors, Findings, PEAKS};
use media::{Limits, Media};
use std::path::Path;

fn findings(shared: &Path, name: &str) -> Findings {
    let extractors = Extractors::load(&shared.join("models")).unwrap();
    extractors.extract(&Media::open(shared.join("media").join(name), &Limits::default()).unwrap()).unwrap()
}

fn check_waveform(findings: &Findings) {
    assert!(findings.peaks.len() <= PEAKS && findings.peaks.len() > PEAKS / 2);
    assert!(findings.peaks.iter().all(|[low, high]| low <= high && *low >= -1.0 && *high <= 1.0));
}

#[test]
fn a_recording_has_a_waveform_and_no_face() {
    let Some(shared) = shared() else { return };
    let found = findings(&shared, "speech-16k.wav");
    check_waveform(&found);
    assert!(found.peaks.iter().any(|[low, high]| *low < -0.1 && *high > 0.1));
    assert!(found.faces.is_empty() && found.features[2].is_none());
    let rows = found.features[1].as_ref().unwrap().frames() as f64;
    assert!((found.seconds - rows / 5.0).abs() <= 0.2, "{} s, {rows} rows", found.seconds);
}

/// Videos are in H.264, which wants a C++ compiler.
#[cfg(feature = "video")]
#[test]
fn faces_of_a_video_lie_within_its_frames() {
    let Some(shared) = shared() else { return };
    let found = findings(&shared, "talking-face.mp4");
    check_waveform(&found);
    assert_eq!(found.faces.len(), found.features[2].as_ref().unwrap().frames());
    assert!((19.0..20.5).contains(&found.seconds), "{} s", found.seconds);
    assert!(found.faces.windows(2).all(|pair| pair[0].time_s < pair[1].time_s));
    for face in &found.faces {
        let [x, y, width, height] = face.bounds;
        assert!(x >= 0.0 && y >= 0.0 && x + width <= 1.0001 && y + height <= 1.0001, "{face:?}");
        assert!(width > 0.1 && height > 0.1 && face.score > 0.3, "{face:?}");
        // Eyes, nose and mouth.
        let held = |[px, py]: &[f32; 2]| (x..x + width).contains(px) && (y..y + height).contains(py);
        assert!(face.landmarks[27..].iter().filter(|point| held(point)).count() > 35, "{face:?}");
    }
}
