//! A plane of bytes as one grey picture: a row a frame, a pixel a column.

/// Side of a macroblock, of which coded pictures are whole numbers.
const BLOCK: usize = 16;

/// A grey picture, `[height, width]`, both multiples of 16.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub luma: Vec<u8>,
}

impl Picture {
    /// Of `bytes`, `[frames, width]`, neither 0. The last column and the last row are repeated to whole blocks, which costs
    /// next to nothing, for it is what intra prediction expects.
    pub fn of_plane(bytes: &[u8], width: usize) -> Picture {
        let frames = bytes.len() / width;
        let (padded, height) = Picture::size(frames, width);
        let row = |row: usize| {
            let own = &bytes[row.min(frames - 1) * width..][..width];
            (0..padded).map(move |column| own[column.min(width - 1)])
        };
        Picture { width: padded, height, luma: (0..height).flat_map(row).collect() }
    }

    /// Width and height of the picture of a plane.
    pub fn size(frames: usize, width: usize) -> (usize, usize) {
        (width.next_multiple_of(BLOCK), frames.next_multiple_of(BLOCK))
    }

    /// The plane, `[frames, width]`, within the picture.
    pub fn plane(&self, frames: usize, width: usize) -> Vec<u8> {
        self.luma.chunks_exact(self.width).take(frames).flat_map(|row| &row[..width]).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_come_back_and_edges_are_repeated() {
        let bytes: Vec<u8> = (0..3 * 17).collect();
        let picture = Picture::of_plane(&bytes, 17);
        assert_eq!((picture.width, picture.height, picture.luma.len()), (32, 16, 512));
        assert_eq!(picture.plane(3, 17), bytes);
        assert_eq!((picture.luma[31], picture.luma[511]), (16, 50));
    }
}
