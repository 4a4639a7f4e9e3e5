//! Boxes around faces.

use super::picture::Region;

/// A box in pixels of a picture; it may reach beyond its edges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Bounds {
    /// Its place in whole pixels, rounded down as the original does, and what of that a region holds; none if that is not
    /// a pixel.
    pub fn within(&self, region: Region) -> Option<Region> {
        let along = |start: f64, length: f64, first: usize, count: usize| {
            let end = (start.floor() + length.floor()).min((first + count) as f64);
            let start = start.floor().max(first as f64);
            (end - start >= 1.0).then_some((start as usize, (end - start) as usize))
        };
        if ![self.x, self.y, self.width, self.height].into_iter().all(f64::is_finite) {
            return None;
        }
        let (x, width) = along(self.x, self.width, region.x, region.width)?;
        let (y, height) = along(self.y, self.height, region.y, region.height)?;
        Some(Region { x, y, width, height })
    }

    /// The square around its centre whose sides are `factor` times its longer one, moved into a region and cut to it only
    /// where it is larger: a face keeps its size in it wherever it is. None if that is not a pixel.
    pub fn around(&self, factor: f64, region: Region) -> Option<Region> {
        let side = factor * self.width.max(self.height);
        let along = |start: f64, length: f64, first: usize, count: usize| {
            let first = first as f64;
            (start + (length - side) / 2.0).min(first + count as f64 - side).max(first)
        };
        let x = along(self.x, self.width, region.x, region.width);
        let y = along(self.y, self.height, region.y, region.height);
        Bounds { x, y, width: side, height: side }.within(region)
    }

    /// Intersection over union with another, between 0 and 1.
    pub fn overlap(&self, other: &Bounds) -> f64 {
        let shared = |a: f64, la: f64, b: f64, lb: f64| ((a + la).min(b + lb) - a.max(b)).max(0.0);
        let both =
            shared(self.x, self.width, other.x, other.width) * shared(self.y, self.height, other.y, other.height);
        both / (self.width * self.height + other.width * other.height - both)
    }
}

impl From<Region> for Bounds {
    fn from(region: Region) -> Bounds {
        let [x, y, width, height] = [region.x, region.y, region.width, region.height].map(|v| v as f64);
        Bounds { x, y, width, height }
    }
}

/// A box that may hold a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// The detector's probability that it does.
    pub score: f64,
    /// Where it is.
    pub bounds: Bounds,
}

/// Keeps the best of those that overlap by more than `limit`; the best first.
pub(crate) fn suppress(mut found: Vec<Detection>, limit: f64) -> Vec<Detection> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Detection> = Vec::new();
    for one in found {
        if kept.iter().all(|better| better.bounds.overlap(&one.bounds) <= limit) {
            kept.push(one);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f64, y: f64, width: f64, height: f64) -> Bounds {
        Bounds { x, y, width, height }
    }

    #[test]
    fn boxes_are_cut_to_whole_pixels_of_a_picture() {
        let picture = Region { x: 0, y: 0, width: 640, height: 360 };
        let region = |x, y, width, height| Some(Region { x, y, width, height });
        assert_eq!(at(296.9, 102.4, 278.2, 271.2).within(picture), region(296, 102, 278, 258));
        assert_eq!(at(-5.5, -1.2, 10.0, 10.0).within(picture), region(0, 0, 4, 8));
        assert_eq!(at(640.5, 0.0, 10.0, 10.0).within(picture), None);
        assert_eq!(at(-20.0, 5.0, 10.0, 10.0).within(picture), None);
        assert_eq!(at(f64::NAN, 5.0, f64::NAN, 10.0).within(picture), None);
        assert_eq!(at(-f64::INFINITY, 5.0, f64::INFINITY, 10.0).within(picture), None);
        assert_eq!(at(-1e9, -1e9, 2e9, 2e9).within(picture), Some(picture));
    }

    #[test]
    fn overlap_is_intersection_over_union() {
        assert_eq!(at(0.0, 0.0, 2.0, 2.0).overlap(&at(1.0, 1.0, 2.0, 2.0)), 1.0 / 7.0);
        assert_eq!(at(0.0, 0.0, 2.0, 2.0).overlap(&at(0.0, 0.0, 2.0, 2.0)), 1.0);
        assert_eq!(at(0.0, 0.0, 2.0, 2.0).overlap(&at(2.0, 0.0, 2.0, 2.0)), 0.0);
    }

    #[test]
    fn a_square_around_a_box_is_moved_into_the_picture() {
        let picture = Region { x: 0, y: 0, width: 20, height: 10 };
        let around =
            |x, y, width, height| at(x, y, width, height).around(2.0, picture).map(|r| (r.x, r.y, r.width, r.height));
        assert_eq!(around(9.0, 4.0, 2.0, 3.0), Some((7, 2, 6, 6)));
        assert_eq!(around(0.0, 8.0, 2.0, 3.0), Some((0, 4, 6, 6)));
        assert_eq!(around(17.0, -2.0, 7.0, 3.0), Some((6, 0, 14, 10)));
        assert_eq!(around(0.0, 0.0, 99.0, 99.0), Some((0, 0, 20, 10)));
        assert_eq!(around(f64::NAN, 0.0, f64::INFINITY, 1.0), None);
    }

    #[test]
    fn of_boxes_that_overlap_the_best_stays() {
        let one = |score, x| Detection { score, bounds: at(x, 0.0, 10.0, 10.0) };
        let kept = suppress(vec![one(0.6, 0.0), one(0.9, 2.0), one(0.7, 8.0), one(0.8, 30.0)], 0.4);
        assert_eq!(kept, [one(0.9, 2.0), one(0.8, 30.0), one(0.7, 8.0)]);
    }
}
