//! What tests on real pictures share.

use media::Frame;
use std::path::{Path, PathBuf};

/// The folder with pretrained extractors and media, or a word that it is not there.
pub fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("LATENTLINK_SHARED").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: needs pretrained extractors (LATENTLINK_SHARED is not set)");
    }
    folder
}

/// A PNG of 8 bits a colour.
pub fn picture(path: &Path) -> Frame {
    let file = std::fs::File::open(path).unwrap();
    let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgb).unwrap();
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
    Frame { time_s: 0.0, width: info.width as usize, height: info.height as usize, rgb }
}
