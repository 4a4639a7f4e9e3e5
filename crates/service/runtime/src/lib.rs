//! The runtime that all services share: serving, connecting to peers, sending with acknowledgements, and observability.
//!
//! * [`telemetry`]: logs on stderr.
//! * [`observe`] and [`trace`]: metrics, and one trace per clip through all processes.
//! * [`serve`] and [`drain`]: a bound port, health, reflection, limits, and the orderly end of a process.
//! * [`connect`] and [`backoff`]: a gRPC channel to a peer, and the delays between retries while it is disconnected.
//! * [`hop`]: the sender that keeps every item until it is acknowledged, and sends it again after a reconnection.

#![forbid(unsafe_code)]

pub mod backoff;
pub mod connect;
pub mod drain;
pub mod hop;
mod http2;
pub mod observe;
mod observer;
pub mod serve;
pub mod telemetry;
pub mod trace;

pub use connect::PeerUrl;
pub use drain::Drain;
pub use hop::{Exchange, Hop};
pub use observer::Observer;
