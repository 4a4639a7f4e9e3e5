//! Pictures at the size they are sent at.

#[cfg(feature = "video")]
use super::{LARGEST, Rgb};

/// The shortest side that H.264 codes: one macroblock.
pub const SMALLEST: usize = 16;

/// Even width and height, none above [`LARGEST`], of the shape of `picture` as far as that goes.
#[cfg(feature = "video")]
pub fn target(picture: &Rgb) -> (usize, usize) {
    let longest = picture.width.max(picture.height).max(1);
    let side = |length: usize| {
        let scaled = if longest > LARGEST { (length * LARGEST + longest / 2) / longest } else { length };
        (scaled / 2 * 2).clamp(SMALLEST, LARGEST)
    };
    (side(picture.width), side(picture.height))
}

/// `picture` at this size; each pixel is the mean of those that it covers.
#[cfg(feature = "video")]
pub fn scaled(picture: &Rgb, width: usize, height: usize) -> Rgb {
    if (picture.width, picture.height) == (width, height) {
        return picture.clone();
    }
    let span = |at: usize, of: usize, source: usize| {
        let begin = (at * source / of).min(source - 1);
        begin..((at + 1) * source / of).clamp(begin + 1, source)
    };
    let mut rgb = Vec::with_capacity(3 * width * height);
    for y in 0..height {
        let rows = span(y, height, picture.height);
        for x in 0..width {
            let columns = span(x, width, picture.width);
            let mut sum = [0u32; 3];
            for row in rows.clone() {
                let line = &picture.rgb[3 * row * picture.width..];
                for pixel in line[3 * columns.start..3 * columns.end].chunks_exact(3) {
                    sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u32::from(*value));
                }
            }
            let count = (rows.len() * columns.len()) as u32;
            rgb.extend(sum.map(|sum| ((sum + count / 2) / count) as u8));
        }
    }
    Rgb { width, height, rgb }
}

#[cfg(all(test, feature = "video"))]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize) -> Rgb {
        let value = |k: usize| [(k % width) as u8, (k / width) as u8, 7];
        Rgb { width, height, rgb: (0..width * height).flat_map(value).collect() }
    }

    #[test]
    fn pictures_shrink_to_even_sides_and_keep_their_shape() {
        let of = |width, height| target(&Rgb { width, height, rgb: Vec::new() });
        assert_eq!(of(640, 360), (320, 180));
        assert_eq!(of(1080, 1920), (180, 320));
        assert_eq!(of(321, 241), (320, 240));
        assert_eq!(of(101, 75), (100, 74));
        assert_eq!(of(4000, 3), (320, 16));
        assert_eq!(of(2, 2), (16, 16));
    }

    #[test]
    fn each_pixel_is_the_mean_of_those_it_covers() {
        let half = scaled(&picture(40, 20), 20, 10);
        assert_eq!(&half.rgb[..6], &[1, 1, 7, 3, 1, 7]);
        assert_eq!(scaled(&picture(4, 4), 16, 16).rgb.len(), 3 * 256);
        assert_eq!(scaled(&picture(20, 10), 20, 10), picture(20, 10));
    }
}
