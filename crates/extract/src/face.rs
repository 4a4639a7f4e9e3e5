//! Faces in pictures by the networks of face-api (MIT; trained on pictures from the web): [`TinyFaceDetector`] finds
//! them, [`FaceLandmark68Net`] their landmarks and [`FaceExpressionNet`] their expression.

mod backbone;
mod bounds;
mod convolution;
mod detector;
mod expression;
mod landmarks;
mod map;
mod picture;
mod shards;

pub use bounds::{Bounds, Detection};
pub use detector::{Input, TinyFaceDetector};
pub use expression::{EXPRESSIONS, Expression, FaceExpressionNet};
pub use landmarks::{FaceLandmark68Net, Landmarks, POINTS};
pub use picture::{Picture, Region};
