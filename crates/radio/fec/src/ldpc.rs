//! The low-density parity check codes of 5G NR (TS 38.212, 5.3.2): base graphs, encoder and decoder.

mod bg1;
mod bg2;
mod code;
mod decoder;
mod graph;

pub use code::Code;
pub use decoder::{CheckRule, Decoded, Decoder, MIN_SUM_FACTOR, PARABOLA_END};
pub use graph::{BaseGraph, lifting_sizes};

/// A code that is not, or words that are not its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LdpcError {
    /// Not in table 5.3.2-1.
    #[error("a lifting size is 2 to 384, an odd number up to 15 times a power of two, got {0}")]
    LiftingSize(usize),
    /// Information bits of another number.
    #[error("the code takes {expected} information bits, got {got}")]
    InfoBits {
        /// K = 22·Z or 10·Z.
        expected: usize,
        /// Bits there were.
        got: usize,
    },
    /// Log-likelihood ratios of another number.
    #[error("the code takes {expected} log-likelihood ratios, got {got}")]
    Llrs {
        /// 68·Z or 52·Z.
        expected: usize,
        /// Ratios there were.
        got: usize,
    },
    /// A log-likelihood ratio that is NaN or infinite.
    #[error("log-likelihood ratios must be finite, value {index} is not")]
    NotFinite {
        /// Position among the ratios.
        index: usize,
    },
}
