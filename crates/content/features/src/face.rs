//! Faces in pictures by the networks of face-api (MIT; trained on pictures from the web): [`TinyFaceDetector`] finds
//! them, [`FaceLandmark68Net`] their landmarks and [`FaceExpressionNet`] their expression. [`FaceExtractor`] follows
//! one face over the frames of a video and makes a row of features of each; a frame without a face has none.
//!
//! There are no action units here: lengths between landmarks stand for what mouth, brows and eyes do.

mod backbone;
mod bounds;
mod convolution;
mod detector;
mod expression;
mod extractor;
mod geometry;
mod landmarks;
mod map;
mod picture;
mod pose;
mod shards;
mod track;

pub use bounds::{Bounds, Detection};
pub use detector::{Input, TinyFaceDetector};
pub use expression::{EXPRESSIONS, Expression, FaceExpressionNet};
pub use extractor::{FaceExtractor, FaceRow, Video};
pub use geometry::{LENGTHS, lengths};
pub use landmarks::{FaceLandmark68Net, Landmarks, POINTS};
pub use picture::{Picture, Region};
pub use pose::Pose;
