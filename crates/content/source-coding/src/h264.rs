//! Pictures as H.264 by OpenH264, encoder and decoder.
//!
//! A plane is one intra picture at one quantiser. Its parameter sets follow from its size and the quantiser, so the receiver
//! makes them itself: they need not cross the channel, and no received one is ever read.

use openh264::OpenH264API;
use openh264::decoder::{DecodedYUV, Decoder, DecoderConfig};
use openh264::encoder::{BitRate, EncodedBitStream, Encoder, EncoderConfig, FrameRate, QpRange, RateControlMode};
use openh264::formats::{YUVBuffer, YUVSource};

use crate::error::SourceError;
use crate::picture::Picture;

/// Types of NAL units (ITU-T H.264, table 7-1).
const INTRA_SLICE: u8 = 5;
const SEQUENCE_SET: u8 = 7;
const PICTURE_SET: u8 = 8;

/// The slices of `picture` at quantiser `qp`, 0 … 51, as a byte stream (annex B) without parameter sets.
pub fn encode(picture: &Picture, qp: u8) -> Result<Vec<u8>, SourceError> {
    let slices: Vec<Vec<u8>> = units(picture, qp)?.into_iter().filter(|unit| !is_set(unit)).collect();
    Ok(slices.concat())
}

/// The picture of `width` and `height` that `slices` are of.
pub fn decode(slices: &[u8], width: usize, height: usize, qp: u8) -> Result<Picture, SourceError> {
    if let Some(kind) = kinds(slices).find(|kind| *kind != INTRA_SLICE) {
        return Err(SourceError::Damaged(format!("expected intra slices alone, got a NAL unit of type {kind}")));
    }
    let blank = Picture { width, height, luma: vec![128; width * height] };
    let mut stream: Vec<u8> = units(&blank, qp)?.into_iter().filter(|unit| is_set(unit)).flatten().collect();
    stream.extend(slices);
    let damaged = |error| SourceError::Damaged(format!("H.264: {error}"));
    let mut decoder = Decoder::with_api_config(OpenH264API::from_source(), DecoderConfig::new()).map_err(damaged)?;
    let decoded = decoder.decode(&stream).map_err(damaged)?.map(|picture| grey(&picture));
    let decoded = match decoded {
        Some(picture) => Some(picture),
        None => decoder.flush_remaining().map_err(damaged)?.first().map(grey),
    };
    decoded
        .filter(|picture| (picture.width, picture.height) == (width, height))
        .ok_or_else(|| SourceError::Damaged(format!("H.264 that is no picture of {width} × {height}")))
}

/// All NAL units of one intra picture, each behind its start code.
fn units(picture: &Picture, qp: u8) -> Result<Vec<Vec<u8>>, SourceError> {
    let failed = |error| SourceError::Encoder(format!("OpenH264: {error}"));
    let config = EncoderConfig::new()
        .rate_control_mode(RateControlMode::Quality)
        .bitrate(BitRate::from_bps(100_000_000))
        .max_frame_rate(FrameRate::from_hz(1.0))
        .qp(QpRange::new(qp.min(51), qp.min(51)))
        .adaptive_quantization(false)
        .background_detection(false)
        .scene_change_detect(false)
        .num_threads(1);
    let mut encoder = Encoder::with_api_config(OpenH264API::from_source(), config).map_err(failed)?;
    let Picture { width, height, luma } = picture;
    let mut planes = luma.clone();
    planes.resize(width * height * 3 / 2, 128);
    let stream = encoder.encode(&YUVBuffer::from_vec(planes, *width, *height)).map_err(failed)?;
    Ok(units_of(&stream))
}

/// The NAL units of what an encoder gave, each behind its start code.
pub fn units_of(stream: &EncodedBitStream) -> Vec<Vec<u8>> {
    let layers = (0..stream.num_layers()).filter_map(|layer| stream.layer(layer));
    let units = layers.flat_map(|layer| {
        let unit = |index: usize| layer.nal_unit(index).map(<[u8]>::to_vec);
        (0..layer.nal_count()).filter_map(unit).collect::<Vec<_>>()
    });
    units.collect()
}

/// Whether a unit is a parameter set.
pub fn is_set(unit: &[u8]) -> bool {
    kinds(unit).all(|kind| kind == SEQUENCE_SET || kind == PICTURE_SET)
}

/// Types of the NAL units of a byte stream.
pub fn kinds(stream: &[u8]) -> impl Iterator<Item = u8> {
    stream.windows(4).filter(|window| window[..3] == [0, 0, 1]).map(|window| window[3] & 31)
}

fn grey(picture: &DecodedYUV) -> Picture {
    let (width, height) = picture.dimensions();
    let (stride, _, _) = picture.strides();
    let row = |row: usize| &picture.y()[row * stride..][..width];
    Picture { width, height, luma: (0..height).flat_map(row).copied().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Picture {
        let value = |k: usize| (128.0 + 70.0 * (k as f64 * 0.05).sin() + 30.0 * ((k / 37) as f64).cos()) as u8;
        Picture::of_plane(&(0..37 * 40).map(value).collect::<Vec<u8>>(), 37)
    }

    /// Finer quantisers take more bytes and lose less; half a step of the quantiser at QP 12 is 1.25 levels.
    #[test]
    fn the_quantiser_sets_size_and_loss() {
        let picture = picture();
        let mut last = (usize::MAX, 0.0);
        for qp in [12, 24, 36, 48] {
            let stream = encode(&picture, qp).unwrap();
            let back = decode(&stream, picture.width, picture.height, qp).unwrap();
            let off = |(a, b): (&u8, &u8)| (f64::from(*a) - f64::from(*b)).powi(2);
            let loss = (picture.luma.iter().zip(&back.luma).map(off).sum::<f64>() / picture.luma.len() as f64).sqrt();
            println!("QP {qp}: {} bytes, root mean square error {loss:.2} levels", stream.len());
            assert!(stream.len() < last.0 && loss > last.1, "QP {qp}: {} bytes, {loss}", stream.len());
            assert!(qp > 12 || loss < 1.5, "{loss}");
            last = (stream.len(), loss);
        }
    }

    #[test]
    fn what_is_no_picture_of_this_size_is_refused() {
        let picture = picture();
        let stream = encode(&picture, 24).unwrap();
        let refused = |stream: &[u8], width, height| {
            assert!(matches!(decode(stream, width, height, 24), Err(SourceError::Damaged(_))), "{width} {height}");
        };
        refused(&[], 48, 48);
        refused(&[0, 0, 0, 1], 48, 48);
        refused(&[0x55; 300], 48, 48);
        refused(&stream[..stream.len() / 2], 48, 48);
        let with_sets = units(&picture, 24).unwrap().concat();
        refused(&with_sets, 48, 48);
        for k in 0..stream.len() {
            let mut flipped = stream.clone();
            flipped[k] ^= 0x40;
            // Some damage is a picture, too; none may do worse.
            let _ = decode(&flipped, 48, 48, 24);
        }
    }
}
