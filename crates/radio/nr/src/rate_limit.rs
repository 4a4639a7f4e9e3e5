//! The highest code rate that a block may have.

/// The highest code rate, check bits included: bits of a code block over bits sent for it. TS 38.214, 5.1.3 allows a
/// receiver to skip blocks above it, so they are never sent.
pub const MAX_CODE_RATE: f64 = 0.95;
