//! What the services share: how every process serves and how every hop connects.
//!
//! * [`telemetry`]: logs on stderr.
//! * [`observe`] and [`trace`]: metrics, and one trace a clip through all processes.
//! * [`serve`] and [`drain`]: a bound port, health, reflection, limits, and the way a process ends.
//! * [`connect`] and [`backoff`]: a channel to a peer, and patience while it is away.
//! * [`hop`]: the sender that keeps every item until it is acknowledged and sends it again after a reconnect.
//! * [`delivery`], [`chunks`] and [`convert`]: wire messages to checked types and back. Everything on the wire is taken
//!   for hostile; what is wrong with a message is a [`fault::Fault`] that goes into its error answer.

#![forbid(unsafe_code)]

pub mod backoff;
pub mod chunks;
pub mod connect;
pub mod convert;
pub mod delivery;
pub mod drain;
pub mod fault;
pub mod hop;
pub mod observe;
pub mod serve;
pub mod telemetry;
pub mod trace;

pub use connect::PeerUrl;
pub use delivery::Delivery;
pub use drain::Drain;
pub use fault::Fault;
pub use hop::{Exchange, Hop};
pub use observe::Observer;

/// Largest message that any of our services accepts, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 16 << 20;
