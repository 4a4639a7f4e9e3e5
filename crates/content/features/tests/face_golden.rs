//! The networks of face-api against the original in JavaScript.

mod common;

use common::{picture, shared};
use latentlink_features::face::{
    EXPRESSIONS, FaceExpressionNet, FaceLandmark68Net, Input, Picture, Region, TinyFaceDetector,
};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;

#[derive(Deserialize)]
struct Golden {
    picture: String,
    detector_input: usize,
    score: f64,
    r#box: [f64; 4],
    crop_xywh: [usize; 4],
    landmarks_in_crop_px: Vec<[f64; 2]>,
    expressions: HashMap<String, f64>,
}

impl Golden {
    fn all(shared: &Path) -> Vec<Golden> {
        let json = std::fs::read(shared.join("golden/face-api.json")).unwrap();
        let all: Vec<Golden> = serde_json::from_slice(&json).unwrap();
        assert_eq!(all.len(), 6);
        all
    }

    fn crop(&self) -> Region {
        let [x, y, width, height] = self.crop_xywh;
        Region { x, y, width, height }
    }

    fn input(&self) -> Input {
        if self.detector_input == 224 { Input::Small } else { Input::Large }
    }
}

/// Calls `f` for each answer of the original with its picture.
fn each(f: impl Fn(&Golden, Picture, &Path)) {
    let Some(shared) = shared() else { return };
    for golden in Golden::all(&shared) {
        let frame = picture(&shared.join("media").join(&golden.picture));
        f(&golden, Picture::from(&frame), &shared.join("models/face-api"));
    }
}

#[test]
fn the_detector_finds_what_the_original_finds() {
    each(|golden, picture, models| {
        let detector = TinyFaceDetector::load(models).unwrap();
        let found = detector.detect(picture, picture.whole(), golden.input())[0];
        let ours = [found.bounds.x, found.bounds.y, found.bounds.width, found.bounds.height];
        let off = ours.iter().zip(golden.r#box).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let score = (found.score - golden.score).abs();
        println!("{} {}: score off by {score:.1e}, box by {off:.1e} px", golden.picture, golden.detector_input);
        assert!(score < 1e-3 && off < 1e-3, "{}: {found:?}", golden.picture);
        assert_eq!(found.bounds.within(picture.whole()), Some(golden.crop()));
    });
}

#[test]
fn landmarks_lie_where_the_original_puts_them() {
    each(|golden, picture, models| {
        let ours = FaceLandmark68Net::load(models).unwrap().find(picture, golden.crop());
        let pairs = ours.0.iter().flatten().zip(golden.landmarks_in_crop_px.iter().flatten());
        let off = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        println!("{} {}: landmarks off by {off:.1e} px", golden.picture, golden.detector_input);
        assert_eq!(golden.landmarks_in_crop_px.len(), ours.0.len());
        assert!(off < 1e-3, "{} {}: {off}", golden.picture, golden.detector_input);
    });
}

#[test]
fn expressions_are_as_probable_as_in_the_original() {
    each(|golden, picture, models| {
        let ours = FaceExpressionNet::load(models).unwrap().read(picture, golden.crop());
        let most = ours.logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let (mut off, mut logs) = (0f64, 0f64);
        for ((name, probability), logit) in EXPRESSIONS.iter().zip(ours.probabilities()).zip(ours.logits) {
            let theirs = golden.expressions[*name];
            off = off.max((f64::from(probability) - theirs).abs());
            // Against the largest, so that the small ones count too.
            let largest = golden.expressions.values().copied().fold(0.0, f64::max);
            logs = logs.max((f64::from(logit - most) - (theirs / largest).ln()).abs());
        }
        println!("{} {}: off by {off:.1e}, logits by {logs:.1e}", golden.picture, golden.detector_input);
        assert!(off < 1e-3 && logs < 1e-3, "{} {}: {off} {logs}", golden.picture, golden.detector_input);
        assert_eq!(ours.embedding.len(), 256);
    });
}
