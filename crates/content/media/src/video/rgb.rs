//! From brightness and colour differences to red, green and blue (ITU-T H.264, equations E-1 to E-31, solved for RGB).

/// A decoded picture: three planes, the colours at half the size both ways.
pub struct Planes<'a> {
    pub width: usize,
    pub height: usize,
    pub planes: [&'a [u8]; 3],
    /// Bytes from row to row in each plane.
    pub strides: [usize; 3],
}

/// Conversion with 16 bits behind the point.
#[derive(Clone, Copy, Debug)]
pub struct Colours {
    black: i32,
    y: i32,
    v_to_r: i32,
    u_to_g: i32,
    v_to_g: i32,
    u_to_b: i32,
}

impl Colours {
    /// For the weights of red and blue in the brightness, K_R and K_B.
    pub fn new(weights: (f64, f64), full_range: bool) -> Self {
        let (r, b) = weights;
        let (y, c) = if full_range { (1.0, 1.0) } else { (255.0 / 219.0, 255.0 / 224.0) };
        let fixed = |x: f64| (x * 65_536.0).round() as i32;
        let (v_to_r, u_to_b) = (2.0 * (1.0 - r) * c, 2.0 * (1.0 - b) * c);
        let g = 1.0 - r - b;
        Self {
            black: if full_range { 0 } else { 16 },
            y: fixed(y),
            v_to_r: fixed(v_to_r),
            u_to_g: fixed(u_to_b * b / g),
            v_to_g: fixed(v_to_r * r / g),
            u_to_b: fixed(u_to_b),
        }
    }

    fn pixel(&self, y: u8, u: u8, v: u8) -> [u8; 3] {
        let y = (i32::from(y) - self.black) * self.y + 32_768;
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        let byte = |x: i32| (x >> 16).clamp(0, 255) as u8;
        [byte(y + self.v_to_r * v), byte(y - self.u_to_g * u - self.v_to_g * v), byte(y + self.u_to_b * u)]
    }

    /// Converts a picture to `[height, width, 3]`; each colour difference goes to the four pixels that it covers.
    pub fn rgb(&self, picture: &Planes) -> Vec<u8> {
        let mut rgb = Vec::with_capacity(3 * picture.width * picture.height);
        let row = |plane: usize, row: usize| &picture.planes[plane][row * picture.strides[plane]..];
        for line in 0..picture.height {
            let (y, u, v) = (row(0, line), row(1, line / 2), row(2, line / 2));
            for (column, &y) in y[..picture.width].iter().enumerate() {
                rgb.extend(self.pixel(y, u[column / 2], v[column / 2]));
            }
        }
        rgb
    }
}

/// Turns a picture `[height, width, 3]` by 90° clockwise so many times; the new width, height and pixels.
pub fn turned(width: usize, height: usize, rgb: Vec<u8>, turns: u8) -> (usize, usize, Vec<u8>) {
    let (new_width, new_height) = if turns % 2 == 1 { (height, width) } else { (width, height) };
    if turns == 0 {
        return (width, height, rgb);
    }
    let mut out = Vec::with_capacity(rgb.len());
    for y in 0..new_height {
        for x in 0..new_width {
            let (from_x, from_y) = match turns {
                1 => (y, height - 1 - x),
                2 => (width - 1 - x, height - 1 - y),
                _ => (width - 1 - y, x),
            };
            out.extend_from_slice(&rgb[3 * (from_y * width + from_x)..][..3]);
        }
    }
    (new_width, new_height, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_white_and_red_come_out() {
        let limited = Colours::new((0.299, 0.114), false);
        assert_eq!(limited.pixel(16, 128, 128), [0, 0, 0]);
        assert_eq!(limited.pixel(235, 128, 128), [255, 255, 255]);
        // Pure red by BT.601: Y 81, Cb 90, Cr 240.
        let [r, g, b] = limited.pixel(81, 90, 240);
        assert!(r >= 253 && g <= 2 && b <= 2, "{r} {g} {b}");
        let full = Colours::new((0.299, 0.114), true);
        assert_eq!(full.pixel(77, 128, 128), [77, 77, 77]);
    }

    #[test]
    fn a_turn_moves_the_corners() {
        let rgb: Vec<u8> = (0..6).flat_map(|n| [n; 3]).collect();
        let corners = |turns| {
            let (w, h, rgb) = turned(3, 2, rgb.clone(), turns);
            (w, h, rgb.chunks_exact(3).map(|p| p[0]).collect::<Vec<_>>())
        };
        assert_eq!(corners(1), (2, 3, vec![3, 0, 4, 1, 5, 2]));
        assert_eq!(corners(2), (3, 2, vec![5, 4, 3, 2, 1, 0]));
        assert_eq!(corners(3), (2, 3, vec![2, 5, 1, 4, 0, 3]));
    }
}
