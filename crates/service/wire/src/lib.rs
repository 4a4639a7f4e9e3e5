//! Converts the messages of the wire to checked types, and back.
//!
//! Every message from the wire is treated as hostile. An invalid one gives a [`fault::Fault`], which becomes the error
//! in its answer. [`delivery`] checks delivery keys, [`chunks`] splits long items into messages and reassembles them,
//! [`message`] has the messages of each stream, and [`convert`] the other conversions.

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

/// The largest gRPC message that a service accepts, in bytes: 16 MiB.
pub const MAX_MESSAGE_BYTES: usize = 16 << 20;
