//! Messages of the wire to checked types and back.
//!
//! Everything on the wire is taken for hostile; what is wrong with a message is a [`fault::Fault`] that goes into its error
//! answer. [`delivery`] checks keys, [`chunks`] cuts long messages and puts them together, [`message`]
//! knows the messages of each stream, [`convert`] does the rest.

#![forbid(unsafe_code)]

pub mod chunks;
pub mod convert;
pub mod delivery;
pub mod fault;
pub mod message;

pub use delivery::Delivery;
pub use fault::Fault;
pub use message::{
    BurstRequest, BurstResponse, Message, acknowledge, acknowledgements, answer_from_wire, clip_part, misplaced,
    payload_from_wire, payload_to_wire, refuse, requests, stream_header,
};

/// Largest message that any of our services accepts, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 16 << 20;
