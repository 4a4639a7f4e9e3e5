//! face-api's tiny face detector: a Tiny YOLO v2 (Redmon and Farhadi 2016) of separable convolutions with one class.

use super::bounds::{Bounds, Detection, suppress};
use super::convolution::{Convolution, Separable, leaky};
use super::map::{Map, Padding};
use super::picture::{Picture, Place, Region};
use super::shards::Shards;
use crate::checkpoint::CheckpointError;
use crate::layers::identity;
use std::path::Path;

/// Width and height of a box that the network scales, in cells.
const ANCHORS: [(f64, f64); 5] =
    [(1.603231, 2.094468), (6.041143, 7.080126), (2.882459, 3.518061), (4.266906, 5.178857), (9.041765, 10.66308)];
const MEAN_RGB: [f32; 3] = [117.001, 114.697, 97.404];
/// Boxes below it are no faces.
const LEAST_SCORE: f64 = 0.5;
/// Of boxes that overlap by more, one is kept.
const MOST_OVERLAP: f64 = 0.4;
/// Channels from convolution to convolution.
const WIDTHS: [usize; 7] = [3, 16, 32, 64, 128, 256, 512];
/// A box: x, y, width, height, score.
const BOX: usize = 5;

/// How many pixels the detector sees along either side of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// 224 pixels, for a picture that one face fills.
    Small,
    /// 416 pixels.
    Large,
}

impl Input {
    fn pixels(self) -> usize {
        match self {
            Input::Small => 224,
            Input::Large => 416,
        }
    }
}

/// The detector.
pub struct TinyFaceDetector {
    first: Convolution,
    blocks: Vec<Separable>,
    last: Convolution,
}

impl TinyFaceDetector {
    /// From a folder with `tiny_face_detector_model-weights_manifest.json` and its shards.
    ///
    /// # Errors
    /// If a file is missing, cut off or not of this network.
    pub fn load(folder: &Path) -> Result<TinyFaceDetector, CheckpointError> {
        Self::from_shards(&Self::shards(folder)?)
    }

    pub(crate) fn shards(folder: &Path) -> Result<Shards, CheckpointError> {
        Shards::load(folder, "tiny_face_detector_model")
    }

    pub(crate) fn from_shards(shards: &Shards) -> Result<TinyFaceDetector, CheckpointError> {
        let first = Convolution::load(shards, "conv0", 3, (WIDTHS[0], WIDTHS[1]), (1, Padding::Valid))?;
        let block = |i: usize| Separable::load(shards, &format!("conv{i}"), (WIDTHS[i], WIDTHS[i + 1]), 1);
        let blocks = (1..=5).map(block).collect::<Result<_, _>>()?;
        let last = Convolution::load(shards, "conv8", 1, (WIDTHS[6], ANCHORS.len() * BOX), (1, Padding::Valid))?;
        Ok(TinyFaceDetector { first, blocks, last })
    }

    /// Faces in a region of a picture, the surest first; boxes in pixels of the picture.
    pub fn detect(&self, picture: Picture, region: Region, input: Input) -> Vec<Detection> {
        let size = input.pixels();
        let map = self.forward(picture.square(region, Place::Corner, size, MEAN_RGB));
        // As the original: the picture's share of the square, in whole pixels of the square.
        let (width, height) = (region.width as f64, region.height as f64);
        let scale = size as f64 / width.max(height);
        let (across, down) = (size as f64 / (width * scale).round(), size as f64 / (height * scale).round());
        let mut found = Vec::new();
        for row in 0..map.height {
            for column in 0..map.width {
                for (values, anchor) in map.at(row, column).chunks_exact(BOX).zip(ANCHORS) {
                    let (score, cell) = cell(values, (row, column), anchor, map.width as f64);
                    if score > LEAST_SCORE {
                        let (x, y) = (cell.x * across * width, cell.y * down * height);
                        let (w, h) = (cell.width * across * width, cell.height * down * height);
                        let (x, y) = (x + region.x as f64, y + region.y as f64);
                        found.push(Detection { score, bounds: Bounds { x, y, width: w, height: h } });
                    }
                }
            }
        }
        suppress(found, MOST_OVERLAP)
    }

    /// `[size, size, 3]` → `[size / 32, size / 32, anchors · BOX]`.
    fn forward(&self, x: Map) -> Map {
        let mut x = self.first.forward(&x, leaky).max_pool(2);
        for (i, block) in self.blocks.iter().enumerate() {
            let stride = if i + 1 < self.blocks.len() { 2 } else { 1 };
            x = block.forward(&x, leaky).max_pool(stride);
        }
        self.last.forward(&x, identity)
    }
}

/// The score and the box that a cell's values stand for, in units of the square.
fn cell(values: &[f32], (row, column): (usize, usize), anchor: (f64, f64), cells: f64) -> (f64, Bounds) {
    let value = |i: usize| f64::from(values[i]);
    let sigmoid = |i: usize| 1.0 / (1.0 + libm::exp(-value(i)));
    let (width, height) = (libm::exp(value(2)) * anchor.0 / cells, libm::exp(value(3)) * anchor.1 / cells);
    let (x, y) = ((column as f64 + sigmoid(0)) / cells, (row as f64 + sigmoid(1)) / cells);
    (sigmoid(4), Bounds { x: x - width / 2.0, y: y - height / 2.0, width, height })
}
