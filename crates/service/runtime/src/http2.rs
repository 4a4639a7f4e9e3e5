//! HTTP/2 settings that servers and clients share.

use std::time::Duration;

/// The interval between keepalive probes, with which a dead peer is found. A server sends HTTP/2 pings. A client sends
/// TCP probes instead, because some gRPC servers answer frequent pings with GOAWAY `too_many_pings`.
pub(crate) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// The time within which an HTTP/2 ping must be answered; it allows for a machine whose cores are all busy.
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// The flow-control window of an HTTP/2 stream, in bytes. It is much smaller than that of a connection, so that a
/// stream which nobody reads does not block the others on its connection.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// The flow-control window of an HTTP/2 connection, in bytes.
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 64 << 20;
