//! The version of the journal's schema.

/// The version of the journal's tables, stored as SQLite's `user_version`; incremented whenever the tables change.
pub const VERSION: i32 = 2;
