//! The low-density parity check codes of 5G NR (TS 38.212, 5.3.2): base graphs, encoder and decoder.

mod bg1;
mod bg2;
mod code;
mod decoder;
mod graph;

pub use code::Code;
pub use decoder::{CheckRule, Decoded, Decoder, MIN_SUM_FACTOR, PARABOLA_END};
pub use graph::{BaseGraph, lifting_sizes};

/// Why there is no such LDPC code, or why bits or log-likelihood ratios do not fit a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LdpcError {
    /// The lifting size, given here, is not in table 5.3.2-1 of TS 38.212.
    #[error("a lifting size is 2 to 384, an odd number up to 15 times a power of two, got {0}")]
    LiftingSize(usize),
    /// The number of information bits to encode is not that of the code.
    #[error("the code takes {expected} information bits, got {got}")]
    InfoBits {
        /// The number of information bits of the code: K = 22·Z (base graph 1) or 10·Z (base graph 2).
        expected: usize,
        /// The number of bits given.
        got: usize,
    },
    /// The number of log-likelihood ratios to decode is not that of the bits of a codeword.
    #[error("the code takes {expected} log-likelihood ratios, got {got}")]
    Llrs {
        /// The number of bits of a codeword: 68·Z (base graph 1) or 52·Z (base graph 2).
        expected: usize,
        /// The number of ratios given.
        got: usize,
    },
    /// A log-likelihood ratio to decode is NaN or infinite.
    #[error("log-likelihood ratios must be finite, value {index} is not")]
    NotFinite {
        /// The index of the first such ratio.
        index: usize,
    },
}
