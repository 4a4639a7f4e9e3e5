//! Frames to features: one row for each frame that shows a face.

use super::bounds::Bounds;
use super::detector::TinyFaceDetector;
use super::expression::{EXPRESSIONS, FaceExpressionNet};
use super::geometry::{LENGTHS, lengths};
use super::landmarks::{FaceLandmark68Net, Landmarks};
use super::picture::Picture;
use super::pose::Pose;
use super::track::Track;
use crate::checkpoint::{CheckpointError, digest};
use crate::{FEATURE_RATE_HZ, Identity};
use media::Frame;
use std::path::Path;

/// The visual extractor: the surest face of a video, followed from frame to frame at [`FEATURE_RATE_HZ`]. One that is
/// narrower than about a tenth of the frame is not found, but followed once it was.
pub struct FaceExtractor {
    detector: TinyFaceDetector,
    landmarks: FaceLandmark68Net,
    expressions: FaceExpressionNet,
    sha256: String,
}

/// What one frame shows of the face.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceRow {
    /// Seconds from the start of the video.
    pub time_s: f64,
    /// The features, in the order of [`FaceExtractor::columns`]; all finite.
    pub values: Vec<f32>,
    /// Where the face is, in pixels of the frame; to be shown, not a feature.
    pub bounds: Bounds,
    /// The detector's probability that it is one; not a feature.
    pub score: f64,
    /// Its landmarks in pixels of the frame; to be shown, not features.
    pub landmarks: Landmarks,
}

impl FaceExtractor {
    /// With the three networks in a folder, each `NAME-weights_manifest.json` and its shards.
    ///
    /// # Errors
    /// If a file is missing, cut off or not of these networks.
    pub fn load(folder: &Path) -> Result<FaceExtractor, CheckpointError> {
        let detector = TinyFaceDetector::shards(folder)?;
        let landmarks = FaceLandmark68Net::shards(folder)?;
        let expressions = FaceExpressionNet::shards(folder)?;
        Ok(FaceExtractor {
            detector: TinyFaceDetector::from_shards(&detector)?,
            landmarks: FaceLandmark68Net::from_shards(&landmarks)?,
            expressions: FaceExpressionNet::from_shards(&expressions)?,
            sha256: digest(detector.files().chain(landmarks.files()).chain(expressions.files())),
        })
    }

    /// Which networks and convention; the SHA-256 is that of the manifest and the shards of the detector, the landmarks
    /// and the expressions, one after the other.
    pub fn identity(&self) -> Identity {
        Identity {
            network: "face-api".to_owned(),
            sha256: self.sha256.clone(),
            convention: format!(
                "the surest face, followed; expression, lengths, pose, embedding of its box at {FEATURE_RATE_HZ} Hz"
            ),
            width: Self::columns().len(),
        }
    }

    /// The features by name: `logit_…` and `probability_…` for each of [`EXPRESSIONS`], then [`LENGTHS`] in distances
    /// between the eyes, `yaw`, `pitch` and `roll` in radians as [`Pose`] has them, then `embedding_000` to
    /// `embedding_255`, what the expressions are read from.
    pub fn columns() -> Vec<String> {
        let expressions = |what: &'static str| EXPRESSIONS.iter().map(move |name| format!("{what}_{name}"));
        let lengths = LENGTHS.iter().chain(&["yaw", "pitch", "roll"]).map(|name| (*name).to_owned());
        let embedding = (0..FaceExpressionNet::EMBEDDING).map(|i| format!("embedding_{i:03}"));
        expressions("logit").chain(expressions("probability")).chain(lengths).chain(embedding).collect()
    }

    /// A row for each frame of a video, none where no face is seen. What is in a row depends on the frames before it
    /// only by which face is followed and in which region it was searched.
    ///
    /// # Errors
    /// The first that the frames have.
    ///
    /// # Panics
    /// If a frame does not have all its pixels.
    pub fn extract<E>(&self, frames: impl IntoIterator<Item = Result<Frame, E>>) -> Result<Vec<Option<FaceRow>>, E> {
        let mut video = self.video();
        frames.into_iter().map(|frame| Ok(video.row(&frame?))).collect()
    }

    /// To give frames one by one, as they are decoded.
    pub fn video(&self) -> Video<'_> {
        Video { extractor: self, track: Track::default() }
    }

    /// The features of a face in a box; none if a value is not finite, as where no landmarks can be told apart.
    fn read(&self, picture: Picture, bounds: Bounds) -> Option<(Vec<f32>, Landmarks)> {
        let region = bounds.within(picture.whole())?;
        let mut landmarks = self.landmarks.find(picture, region);
        landmarks.0.iter_mut().for_each(|[x, y]| (*x, *y) = (*x + region.x as f64, *y + region.y as f64));
        let expression = self.expressions.read(picture, region);
        let Pose { yaw, pitch, roll } = Pose::of(&landmarks);
        let measured = lengths(&landmarks).into_iter().chain([yaw, pitch, roll]).map(|v| v as f32);
        let expressed = expression.logits.into_iter().chain(expression.probabilities());
        let values: Vec<f32> = expressed.chain(measured).chain(expression.embedding).collect();
        values.iter().all(|v| v.is_finite()).then_some((values, landmarks))
    }
}

/// A video whose frames come one by one.
pub struct Video<'a> {
    extractor: &'a FaceExtractor,
    track: Track,
}

impl Video<'_> {
    /// The row of the next frame; none if no face is seen.
    ///
    /// # Panics
    /// If the frame does not have all its pixels.
    pub fn row(&mut self, frame: &Frame) -> Option<FaceRow> {
        let picture = Picture::from(frame);
        let face = self.track.next(&self.extractor.detector, picture)?;
        let (values, landmarks) = self.extractor.read(picture, face.bounds)?;
        Some(FaceRow { time_s: frame.time_s, values, bounds: face.bounds, score: face.score, landmarks })
    }
}
