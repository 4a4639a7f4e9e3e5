//! Sequence parameter sets of H.264 (ITU-T H.264, sections 7.3.2.1.1 and E.1.1): size, colours, and what is not decoded here.

use crate::Error;

/// What is needed of a sequence parameter set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sps {
    /// Width of the coded picture in pixels, before cropping.
    pub width: u64,
    /// Height of the coded picture in pixels, before cropping.
    pub height: u64,
    /// Whether every picture is progressive, with 8 bits and a quarter of the colour: all that OpenH264 decodes.
    pub plain: bool,
    /// Whether brightness goes from 0 to 255 and not from 16 to 235.
    pub full_range: bool,
    /// Weights of red and blue in the brightness.
    pub weights: (f64, f64),
}

/// Bits of a NAL unit, its emulation prevention removed.
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn new(nal: &[u8]) -> Self {
        let (mut bytes, mut zeros) = (Vec::with_capacity(nal.len()), 0);
        for &byte in nal {
            if byte == 3 && zeros >= 2 {
                zeros = 0;
                continue;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            bytes.push(byte);
        }
        Self { bytes, at: 0 }
    }

    fn bit(&mut self) -> Result<u32, Error> {
        let byte = self.bytes.get(self.at / 8);
        let byte = byte.ok_or_else(|| Error::Damaged("a sequence parameter set that ends early".into()))?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Ok(u32::from(bit))
    }

    fn bits(&mut self, n: u32) -> Result<u32, Error> {
        (0..n).try_fold(0u32, |value, _| Ok(value << 1 | self.bit()?))
    }

    /// Exp-Golomb, section 9.1.
    fn ue(&mut self) -> Result<u32, Error> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > 31 {
                return Err(Error::Damaged("a sequence parameter set with a number of more than 32 bits".into()));
            }
        }
        Ok((1u32 << zeros) - 1 + self.bits(zeros)?)
    }

    fn se(&mut self) -> Result<i64, Error> {
        let code = i64::from(self.ue()?);
        Ok(if code % 2 == 0 { -(code / 2) } else { code / 2 + 1 })
    }

    fn scaling_list(&mut self, size: usize) -> Result<(), Error> {
        let (mut last, mut next) = (8, 8);
        for _ in 0..size {
            if next != 0 {
                next = (last + self.se()?).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
        Ok(())
    }
}

/// Reads a NAL unit of type 7, its header included.
pub fn sps(nal: &[u8]) -> Result<Sps, Error> {
    let mut bits = Bits::new(nal.get(1..).unwrap_or_default());
    let profile = bits.bits(8)?;
    bits.bits(16)?;
    bits.ue()?;
    let mut plain = true;
    if [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135].contains(&profile) {
        plain = high(&mut bits)?;
    }
    bits.ue()?;
    match bits.ue()? {
        0 => {
            bits.ue()?;
        }
        1 => {
            bits.bit()?;
            bits.se()?;
            bits.se()?;
            let cycle = bits.ue()?;
            if cycle > 255 {
                return Err(Error::Damaged(format!("a sequence parameter set with a cycle of {cycle} pictures")));
            }
            for _ in 0..cycle {
                bits.se()?;
            }
        }
        _ => {}
    }
    bits.ue()?;
    bits.bit()?;
    let width = 16 * (u64::from(bits.ue()?) + 1);
    let map_units = u64::from(bits.ue()?) + 1;
    let frames_only = bits.bit()? == 1;
    if !frames_only {
        bits.bit()?;
    }
    bits.bit()?;
    if bits.bit()? == 1 {
        for _ in 0..4 {
            bits.ue()?;
        }
    }
    let (full_range, matrix) = if bits.bit()? == 1 { colours(&mut bits)? } else { (false, 2) };
    let height = 16 * map_units * if frames_only { 1 } else { 2 };
    Ok(Sps { width, height, plain: plain && frames_only && matrix != 0, full_range, weights: weights(matrix) })
}

/// The fields of the high profiles; whether the samples are of 8 bits and the colour a quarter.
fn high(bits: &mut Bits) -> Result<bool, Error> {
    let chroma = bits.ue()?;
    if chroma == 3 {
        bits.bit()?;
    }
    let depths = (bits.ue()?, bits.ue()?);
    bits.bit()?;
    if bits.bit()? == 1 {
        for list in 0..if chroma == 3 { 12 } else { 8 } {
            if bits.bit()? == 1 {
                bits.scaling_list(if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Ok(chroma == 1 && depths == (0, 0))
}

/// Range and matrix from the video usability information.
fn colours(bits: &mut Bits) -> Result<(bool, u32), Error> {
    // Shape of a pixel; 255 spells it out.
    if bits.bit()? == 1 && bits.bits(8)? == 255 {
        bits.bits(32)?;
    }
    if bits.bit()? == 1 {
        bits.bit()?;
    }
    if bits.bit()? == 0 {
        return Ok((false, 2));
    }
    bits.bits(3)?;
    let full_range = bits.bit()? == 1;
    if bits.bit()? == 0 {
        return Ok((full_range, 2));
    }
    bits.bits(16)?;
    Ok((full_range, bits.bits(8)?))
}

/// K_R and K_B of a matrix (table E-5); BT.601 where none is named, as ffmpeg has it.
fn weights(matrix: u32) -> (f64, f64) {
    match matrix {
        1 => (0.2126, 0.0722),
        4 => (0.30, 0.11),
        7 => (0.212, 0.087),
        9 | 10 => (0.2627, 0.0593),
        _ => (0.299, 0.114),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_x264_is_read() {
        // 640 × 360 (coded as 368 lines), high profile, from x264 with no colours named.
        let nal = [
            0x67, 0x64, 0x00, 0x1e, 0xac, 0xd9, 0x40, 0xa0, 0x2f, 0xf9, 0x70, 0x11, 0x00, 0x00, 0x03, 0x00, 0x01, 0x00,
            0x00, 0x03, 0x00, 0x3c, 0x0f, 0x16, 0x2d, 0x96,
        ];
        let got = sps(&nal).unwrap();
        assert_eq!((got.width, got.height, got.plain, got.full_range), (640, 368, true, false));
        assert_eq!(got.weights, (0.299, 0.114));
        assert!(matches!(sps(&nal[..6]), Err(Error::Damaged(_))));
    }
}
