//! face-api's network of 68 landmarks.

use super::backbone::Network;
use super::picture::{Picture, Region};
use super::shards::Shards;
use crate::checkpoint::CheckpointError;
use std::path::Path;

/// Points of a face, by the scheme of iBUG 300-W.
pub const POINTS: usize = 68;

/// The points x, y of a face, x to the right and y down: jaw 0–16, brows 17–21 and 22–26, bridge of the nose 27–30, its
/// base 31–35, eyes 36–41 and 42–47, outer lips 48–59, inner lips 60–67. What has the smaller numbers is on the left in
/// the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Landmarks(pub [[f64; 2]; POINTS]);

/// The network.
pub struct FaceLandmark68Net(Network);

impl FaceLandmark68Net {
    /// From a folder with `face_landmark_68_model-weights_manifest.json` and its shards.
    ///
    /// # Errors
    /// If a file is missing, cut off or not of this network.
    pub fn load(folder: &Path) -> Result<FaceLandmark68Net, CheckpointError> {
        Self::from_shards(&Self::shards(folder)?)
    }

    pub(crate) fn shards(folder: &Path) -> Result<Shards, CheckpointError> {
        Shards::load(folder, "face_landmark_68_model")
    }

    pub(crate) fn from_shards(shards: &Shards) -> Result<FaceLandmark68Net, CheckpointError> {
        Network::from_shards(shards, 2 * POINTS).map(FaceLandmark68Net)
    }

    /// Landmarks of the face that a region of a picture holds, in pixels from the region's corner.
    pub fn find(&self, picture: Picture, region: Region) -> Landmarks {
        let (_, places) = self.0.forward(picture, region);
        // The network answers in sides of the square; the original takes the padding for exactly half the difference.
        let (width, height) = (region.width as f64, region.height as f64);
        let side = width.max(height);
        let place = |i: usize, extent: f64| f64::from(places[i]) * side - (side - extent) / 2.0;
        Landmarks(std::array::from_fn(|i| [place(2 * i, width), place(2 * i + 1, height)]))
    }
}
