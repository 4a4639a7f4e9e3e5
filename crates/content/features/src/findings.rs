//! What extractors make of a media file: features for a network, and what people can be shown of how they came about.

use crate::face::{Bounds, FaceRow, POINTS};
use corpus::Sequence;

/// Pairs of a waveform, at most.
pub const PEAKS: usize = 400;
/// Faces that are kept, at most: two minutes of them.
pub const SIGHTINGS: usize = 600;

/// Features by [`Modality::index`](corpus::Modality::index); of media never text.
pub type Features = [Option<Sequence>; 3];

/// What a media file gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// For the network.
    pub features: Features,
    /// Length in seconds of what was heard; without sound, of what was seen.
    pub seconds: f64,
    /// The waveform: the least and the greatest sample of each of at most [`PEAKS`] stretches of equal length, in [−1,
    /// 1]. Empty where nothing was heard.
    pub peaks: Vec<[f32; 2]>,
    /// Of the frames those that show a face, in order; the first [`SIGHTINGS`] at most.
    pub faces: Vec<Sighting>,
}

/// Where the face is in one frame. Lengths are in widths and heights of the frame, from its upper left corner.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// Seconds from the start of the video.
    pub time_s: f64,
    /// Left and upper edge, width and height of its box, cut to the frame.
    pub bounds: [f32; 4],
    /// The detector's probability that it is one.
    pub score: f32,
    /// Its landmarks, x and y, which may lie beyond the frame.
    pub landmarks: [[f32; 2]; POINTS],
}

impl Sighting {
    /// Of a row from a frame of `width` × `height` pixels.
    pub(crate) fn new(row: &FaceRow, width: usize, height: usize) -> Sighting {
        let (width, height) = (width as f64, height as f64);
        let Bounds { x, y, width: across, height: down } = row.bounds;
        let [left, right] = [x, x + across].map(|edge| (edge / width).clamp(0.0, 1.0));
        let [upper, lower] = [y, y + down].map(|edge| (edge / height).clamp(0.0, 1.0));
        Sighting {
            time_s: row.time_s,
            bounds: [left, upper, right - left, lower - upper].map(|length| length as f32),
            score: row.score as f32,
            landmarks: row.landmarks.0.map(|[x, y]| [(x / width) as f32, (y / height) as f32]),
        }
    }
}

/// The waveform of samples `[time]`, as [`Findings::peaks`] has it.
pub(crate) fn peaks(pcm: &[f32]) -> Vec<[f32; 2]> {
    let stretch = pcm.len().div_ceil(PEAKS).max(1);
    let peak = |samples: &[f32]| {
        let ends =
            samples.iter().fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], v| [low.min(*v), high.max(*v)]);
        ends.map(|end| end.clamp(-1.0, 1.0))
    };
    pcm.chunks(stretch).map(peak).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::Landmarks;

    #[test]
    fn a_waveform_has_the_ends_of_each_stretch() {
        assert_eq!(peaks(&[]), [[0.0; 2]; 0]);
        assert_eq!(peaks(&[0.25, -3.0]), [[0.25, 0.25], [-1.0, -1.0]]);
        let ramp: Vec<f32> = (0..4000).map(|n| n as f32 / 4000.0).collect();
        let ends = peaks(&ramp);
        assert_eq!((ends.len(), ends[0], ends[399][1]), (PEAKS, [0.0, 9.0 / 4000.0], 3999.0 / 4000.0));
        assert_eq!(peaks(&[0.5; 401]).len(), 201);
    }

    #[test]
    fn a_box_is_cut_to_the_frame() {
        let bounds = Bounds { x: -50.0, y: 25.0, width: 100.0, height: 200.0 };
        let landmarks = Landmarks([[100.0, -10.0]; POINTS]);
        let row = FaceRow { time_s: 0.4, values: Vec::new(), bounds, score: 0.9, landmarks };
        let sighting = Sighting::new(&row, 200, 100);
        assert_eq!(sighting.bounds, [0.0, 0.25, 0.25, 0.75]);
        assert_eq!((sighting.landmarks[67], sighting.time_s), ([0.5, -0.1], 0.4));
        let beyond = Bounds { x: 300.0, y: -90.0, width: 10.0, height: 20.0 };
        assert_eq!(Sighting::new(&FaceRow { bounds: beyond, ..row }, 200, 100).bounds, [1.0, 0.0, 0.0, 0.0]);
    }
}
