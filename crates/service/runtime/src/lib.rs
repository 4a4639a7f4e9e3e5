//! What every service runs on: how a process serves, how a hop connects, what it reports.
//!
//! * [`telemetry`]: logs on stderr.
//! * [`observe`] and [`trace`]: metrics, and one trace a clip through all processes.
//! * [`serve`] and [`drain`]: a bound port, health, reflection, limits, and the way a process ends.
//! * [`connect`] and [`backoff`]: a channel to a peer, and patience while it is away.
//! * [`hop`]: the sender that keeps every item until it is acknowledged and sends it again after a reconnect.

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
