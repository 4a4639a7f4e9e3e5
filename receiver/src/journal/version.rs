//! The version of the journal's schema.

/// Counted up whenever the tables change.
pub const VERSION: i32 = 2;
