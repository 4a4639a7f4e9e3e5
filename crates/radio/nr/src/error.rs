//! What is wrong with a transport block.

use crate::rate_limit::MAX_CODE_RATE;
use fec::QamError;
use fec::ldpc::LdpcError;

/// A transport block that is not, or bits that are not its own.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum TransportError {
    /// No payload.
    #[error("a transport block has at least one payload bit, got none")]
    Empty,
    /// A nominal rate that has no code.
    #[error("a code rate lies between 0 and {MAX_CODE_RATE}, got {0}")]
    CodeRate(f64),
    /// So few bits that with their check they leave no room for parity.
    #[error("with check bits the rate may be {MAX_CODE_RATE}, got {got:.3} for {payload_bits} payload bits")]
    TooShort {
        /// Payload bits asked for.
        payload_bits: usize,
        /// Bits of code blocks over bits sent.
        got: f64,
    },
    /// Payload bits of another number.
    #[error("the transport block takes {expected} payload bits, got {got}")]
    PayloadBits {
        /// As constructed.
        expected: usize,
        /// Bits there were.
        got: usize,
    },
    /// Log-likelihood ratios of another number.
    #[error("the transport block takes {expected} log-likelihood ratios, got {got}")]
    Llrs {
        /// Bits sent.
        expected: usize,
        /// Ratios there were.
        got: usize,
    },
    /// The check of the block or of one of its code blocks failed.
    #[error("the check of code block {block} of {blocks} failed")]
    CrcFailed {
        /// The first code block that failed; all of them if it is `blocks`.
        block: usize,
        /// Code blocks there are.
        blocks: usize,
    },
    /// The code did not take the block.
    #[error(transparent)]
    Ldpc(#[from] LdpcError),
    /// The constellation did not take the bits.
    #[error(transparent)]
    Qam(#[from] QamError),
}
