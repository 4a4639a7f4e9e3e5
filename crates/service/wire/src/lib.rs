//! Messages of the wire to checked types and back.
//!
//! Everything on the wire is taken for hostile; what is wrong with a message is a [`fault::Fault`] that goes into its error
//! answer. [`delivery`] checks keys, [`chunks`] cuts long messages and puts them together, [`convert`] does the rest.

#![forbid(unsafe_code)]

pub mod chunks;
pub mod convert;
pub mod delivery;
pub mod fault;

pub use delivery::Delivery;
pub use fault::Fault;

/// Largest message that any of our services accepts, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 16 << 20;
