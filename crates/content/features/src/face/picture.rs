//! Pictures, regions of them, and the squares that the networks see.

use super::map::Map;
use media::Frame;

/// A picture by reference: red, green and blue, `[height, width, 3]`.
#[derive(Clone, Copy)]
pub struct Picture<'a> {
    width: usize,
    height: usize,
    rgb: &'a [u8],
}

impl<'a> Picture<'a> {
    /// Of these many pixels.
    ///
    /// # Panics
    /// If `rgb` is not `[height, width, 3]`.
    pub fn new(width: usize, height: usize, rgb: &'a [u8]) -> Picture<'a> {
        assert_eq!(Some(rgb.len()), width.checked_mul(height).and_then(|n| n.checked_mul(3)), "{width} x {height} x 3");
        Picture { width, height, rgb }
    }

    /// All of it.
    pub fn whole(&self) -> Region {
        Region { x: 0, y: 0, width: self.width, height: self.height }
    }

    /// A region as a map `[size, size, 3]`: padded with black to a square, resampled bilinearly between the four pixels
    /// around (x, y) · side / size, less the mean of each colour, divided by 255.
    ///
    /// It is what `padToSquare` and `tf.image.resizeBilinear` of the original do to tensors, so neither do pixels have
    /// their centres at halves nor is anything smoothed when a picture becomes smaller.
    pub(crate) fn square(&self, region: Region, place: Place, size: usize, mean: [f32; 3]) -> Map {
        let side = region.width.max(region.height);
        let columns = axis(side, size, place.before(side - region.width), region.width);
        let rows = axis(side, size, place.before(side - region.height), region.height);
        let mut out = Map { height: size, width: size, channels: 3, data: Vec::with_capacity(size * size * 3) };
        for (above, below, down) in rows {
            let (above, below) = (self.row(region, above), self.row(region, below));
            for &(left, right, along) in &columns {
                let [a, b] = [left, right].map(|x| pixel(above, x));
                let [c, d] = [left, right].map(|x| pixel(below, x));
                out.data.extend(std::array::from_fn::<f32, 3, _>(|i| {
                    let (top, bottom) = (a[i] + (b[i] - a[i]) * along, c[i] + (d[i] - c[i]) * along);
                    (top + (bottom - top) * down - mean[i]) / 255.0
                }));
            }
        }
        out
    }

    /// The pixels of a row of a region, none where there is padding.
    fn row(&self, region: Region, y: Option<usize>) -> &'a [u8] {
        let row = |y| &self.rgb[((region.y + y) * self.width + region.x) * 3..][..region.width * 3];
        y.map_or(&[], row)
    }
}

/// The colours of a pixel of a row, black where there is none.
fn pixel(row: &[u8], x: Option<usize>) -> [f32; 3] {
    match x.and_then(|x| row.get(3 * x..3 * x + 3)) {
        Some(rgb) => [rgb[0], rgb[1], rgb[2]].map(f32::from),
        None => [0.0; 3],
    }
}

impl<'a> From<&'a Frame> for Picture<'a> {
    fn from(frame: &'a Frame) -> Picture<'a> {
        Picture::new(frame.width, frame.height, &frame.rgb)
    }
}

/// Pixels of a picture: a rectangle that lies within it and is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First column.
    pub x: usize,
    /// First row.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// Where a region lies in its square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    /// In the corner at the top left.
    Corner,
    /// In the middle; the odd row or column of padding comes after it.
    Middle,
}

impl Place {
    /// How much of the padding comes first.
    fn before(self, padding: usize) -> usize {
        match self {
            Place::Corner => 0,
            Place::Middle => padding / 2,
        }
    }
}

/// For each of `size` places along a square's side: the pixels of the region before and after it, none where there is
/// padding, and the weight of the second.
fn axis(side: usize, size: usize, before: usize, length: usize) -> Vec<(Option<usize>, Option<usize>, f32)> {
    let ratio = side as f32 / size as f32;
    let pixel = |at: usize| at.checked_sub(before).filter(|at| *at < length);
    let place = |i: usize| {
        let at = i as f32 * ratio;
        let first = (at.floor() as usize).min(side - 1);
        (pixel(first), pixel((first + 1).min(side - 1)), at - at.floor())
    };
    (0..size).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_padded_and_resampled() {
        // Reds 0, 10, 20 …; green and blue are the same plus one and two.
        let rgb: Vec<u8> = (0..12).flat_map(|i| [10 * i, 10 * i + 1, 10 * i + 2]).collect();
        let picture = Picture::new(4, 3, &rgb);
        let region = Region { x: 1, y: 0, width: 2, height: 3 };
        let reds = |place, size| {
            let square = picture.square(region, place, size, [0.0, 1.0, 2.0]);
            let colour = |c: usize| square.data.iter().skip(c).step_by(3).map(|v| (v * 255.0).round());
            // The means take away what the colours differ by, and padding is black before they do.
            assert!(size > 3 || colour(0).zip(colour(1)).all(|(r, g)| g == if r > 0.0 { r } else { -1.0 }));
            colour(0).collect::<Vec<_>>()
        };
        assert_eq!(reds(Place::Corner, 3), [10.0, 20.0, 0.0, 50.0, 60.0, 0.0, 90.0, 100.0, 0.0]);
        let larger = reds(Place::Corner, 6);
        assert_eq!(larger[..6], [10.0, 15.0, 20.0, 10.0, 0.0, 0.0]);
        assert_eq!(larger[6..12], [30.0, 35.0, 40.0, 20.0, 0.0, 0.0]);
        assert_eq!(larger[30..], larger[24..30]);
    }

    #[test]
    fn the_odd_row_of_padding_comes_last() {
        assert_eq!(axis(6, 6, Place::Middle.before(3), 3).iter().filter_map(|a| a.0).collect::<Vec<_>>(), [0, 1, 2]);
        let first: Vec<bool> = axis(6, 6, Place::Middle.before(3), 3).iter().map(|a| a.0.is_some()).collect();
        assert_eq!(first, [false, true, true, true, false, false]);
    }

    #[test]
    #[should_panic(expected = "2 x 2 x 3")]
    fn a_picture_has_all_its_pixels() {
        Picture::new(2, 2, &[0; 11]);
    }
}
