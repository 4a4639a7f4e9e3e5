//! Cyclic redundancy checks over bits (TS 38.212, 5.1).

use crc::{Algorithm, CRC_16_XMODEM, CRC_24_LTE_A, CRC_24_LTE_B, Table};

static CRC_16: crc::Crc<u16, Table<1>> = crc::Crc::<u16, Table<1>>::new(&CRC_16_XMODEM);
static CRC_24A: crc::Crc<u32, Table<1>> = table(&CRC_24_LTE_A);
static CRC_24B: crc::Crc<u32, Table<1>> = table(&CRC_24_LTE_B);

const fn table(algorithm: &'static Algorithm<u32>) -> crc::Crc<u32, Table<1>> {
    crc::Crc::<u32, Table<1>>::new(algorithm)
}

/// A generator polynomial of TS 38.212, 5.1, the register starting at zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Crc {
    /// 16 bits, D¹⁶ + D¹² + D⁵ + 1: transport blocks up to 3824 bits.
    Crc16,
    /// 24 bits, 0x864CFB: longer transport blocks.
    Crc24A,
    /// 24 bits, 0x800063: the code blocks of a transport block in several.
    Crc24B,
}

/// Bits without room for their check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a block with {width} check bits has at least as many, got {got}")]
pub struct CrcError {
    /// Check bits.
    width: usize,
    /// Bits there were.
    got: usize,
}

impl Crc {
    /// Check bits, L of 5.1.
    pub fn width(self) -> usize {
        match self {
            Crc::Crc16 => 16,
            Crc::Crc24A | Crc::Crc24B => 24,
        }
    }

    /// The check bits of `bits`, first sent first (5.1). Any number of bits will do, none has the check 0.
    pub fn remainder(self, bits: &[bool]) -> Vec<bool> {
        // The register starts at zero, which zeros in front leave as it is: they fill the first byte.
        let (head, rest) = bits.split_at(bits.len() % 8);
        let byte = |bits: &[bool]| bits.iter().fold(0u8, |byte, &bit| byte << 1 | u8::from(bit));
        let bytes: Vec<u8> = std::iter::once(byte(head)).chain(rest.chunks_exact(8).map(byte)).collect();
        let value = match self {
            Crc::Crc16 => u32::from(CRC_16.checksum(&bytes)),
            Crc::Crc24A => CRC_24A.checksum(&bytes),
            Crc::Crc24B => CRC_24B.checksum(&bytes),
        };
        (0..self.width()).rev().map(|k| value >> k & 1 == 1).collect()
    }

    /// `bits` with their check behind them (5.1): a₀ … a_{A−1}, p₀ … p_{L−1}.
    pub fn append(self, bits: &[bool]) -> Vec<bool> {
        [bits, &self.remainder(bits)].concat()
    }

    /// The bits of a block as [`Crc::append`] made it, without their check; `None` if the check fails (5.1).
    ///
    /// # Errors
    /// If `block` has fewer bits than a check.
    pub fn strip(self, block: &[bool]) -> Result<Option<&[bool]>, CrcError> {
        let error = CrcError { width: self.width(), got: block.len() };
        let (bits, check) = block.split_at(block.len().checked_sub(self.width()).ok_or(error)?);
        Ok((self.remainder(bits) == check).then_some(bits))
    }
}
