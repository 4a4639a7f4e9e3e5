//! The highest code rate that a block may have.

/// Bits of code blocks over bits sent above which nothing is sent: TS 38.214, 5.1.3 lets a receiver skip such blocks.
pub const MAX_CODE_RATE: f64 = 0.95;
