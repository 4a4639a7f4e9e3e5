//! Cyclic redundancy checks over bits (TS 38.212, 5.1).

use crc::{Algorithm, CRC_16_XMODEM, CRC_24_LTE_A, CRC_24_LTE_B, Table};

static CRC_16: crc::Crc<u16, Table<1>> = crc::Crc::<u16, Table<1>>::new(&CRC_16_XMODEM);
static CRC_24A: crc::Crc<u32, Table<1>> = table(&CRC_24_LTE_A);
static CRC_24B: crc::Crc<u32, Table<1>> = table(&CRC_24_LTE_B);

const fn table(algorithm: &'static Algorithm<u32>) -> crc::Crc<u32, Table<1>> {
    crc::Crc::<u32, Table<1>>::new(algorithm)
}

/// A cyclic redundancy check, given by its generator polynomial of TS 38.212, 5.1; its register starts at zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Crc {
    /// 16 check bits, D¹⁶ + D¹² + D⁵ + 1: the check of transport blocks of up to 3824 bits.
    Crc16,
    /// 24 check bits, polynomial 0x864CFB: the check of transport blocks of more than 3824 bits.
    Crc24A,
    /// 24 check bits, polynomial 0x800063: the check of each code block where a transport block has several.
    Crc24B,
}

/// A block that is too short to contain the check bits of its CRC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a block with {width} check bits has at least as many, got {got}")]
pub struct CrcError {
    /// The number of check bits of the CRC.
    width: usize,
    /// The number of bits in the block, which is less.
    got: usize,
}

impl Crc {
    /// The number of check bits, L of TS 38.212, 5.1: 16 or 24.
    pub fn width(self) -> usize {
        match self {
            Crc::Crc16 => 16,
            Crc::Crc24A | Crc::Crc24B => 24,
        }
    }

    /// The check bits of `bits`, `[L]`, in the order of transmission (TS 38.212, 5.1). Any number of bits is accepted;
    /// the check bits of none are zeros.
    pub fn remainder(self, bits: &[bool]) -> Vec<bool> {
        // Leading zeros do not change a register that starts at zero, so they fill up the first byte.
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

    /// Appends the check bits to `bits`, `[A]` to `[A + L]` (TS 38.212, 5.1): a₀ … a_{A−1}, p₀ … p_{L−1}.
    pub fn append(self, bits: &[bool]) -> Vec<bool> {
        [bits, &self.remainder(bits)].concat()
    }

    /// Checks a block made by [`Crc::append`] and removes its check bits, `[A + L]` to `[A]` (TS 38.212, 5.1); `None`
    /// if the check fails.
    ///
    /// # Errors
    /// If `block` has fewer than L bits.
    pub fn strip(self, block: &[bool]) -> Result<Option<&[bool]>, CrcError> {
        let error = CrcError { width: self.width(), got: block.len() };
        let (bits, check) = block.split_at(block.len().checked_sub(self.width()).ok_or(error)?);
        Ok((self.remainder(bits) == check).then_some(bits))
    }
}
