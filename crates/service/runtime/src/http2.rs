//! HTTP/2 settings that servers and clients share.

use std::time::Duration;

/// A server's pings find a dead client; the timeout leaves room for a machine whose cores are all busy. A client sends none:
/// stock gRPC servers answer one every ten seconds with GOAWAY `too_many_pings`. Its socket probes the peer instead.
pub(crate) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// Time within which a ping has to be answered.
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Flow-control windows. A connection's holds the whole windows of many streams, so that one stream which nobody reads
/// does not hold up the others on its connection.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// Flow-control window of a connection, in bytes.
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 64 << 20;
