//! Errors of transport blocks.

use crate::rate_limit::MAX_CODE_RATE;
use fec::QamError;
use fec::ldpc::LdpcError;

/// Why a transport block is not possible, its input is not valid, or its CRC failed.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum TransportError {
    /// The transport block would have no payload bits.
    #[error("a transport block has at least one payload bit, got none")]
    Empty,
    /// The nominal code rate, given here, is not between 0 and [`MAX_CODE_RATE`], both excluded.
    #[error("a code rate lies between 0 and {MAX_CODE_RATE}, got {0}")]
    CodeRate(f64),
    /// The payload is so short that with its check bits the code rate exceeds [`MAX_CODE_RATE`].
    #[error("with check bits the rate may be {MAX_CODE_RATE}, got {got:.3} for {payload_bits} payload bits")]
    TooShort {
        /// The number of payload bits requested.
        payload_bits: usize,
        /// The code rate with check bits: bits of a code block over bits sent for it.
        got: f64,
    },
    /// The number of payload bits to encode is not that of the transport block.
    #[error("the transport block takes {expected} payload bits, got {got}")]
    PayloadBits {
        /// The number of payload bits of the transport block.
        expected: usize,
        /// The number of bits given.
        got: usize,
    },
    /// The number of log-likelihood ratios to decode is not that of the bits sent.
    #[error("the transport block takes {expected} log-likelihood ratios, got {got}")]
    Llrs {
        /// The number of coded bits that the transport block sends.
        expected: usize,
        /// The number of ratios given.
        got: usize,
    },
    /// A code block did not decode, or its CRC or that of the transport block failed.
    #[error("the check of code block {block} of {blocks} failed")]
    CrcFailed {
        /// The index of the first code block that failed; equal to `blocks` if only the CRC of the transport block
        /// failed.
        block: usize,
        /// The number of code blocks.
        blocks: usize,
    },
    /// The LDPC code rejected its input, for example log-likelihood ratios that are not finite.
    #[error(transparent)]
    Ldpc(#[from] LdpcError),
    /// The modulation or the demapper rejected its input.
    #[error(transparent)]
    Qam(#[from] QamError),
}
