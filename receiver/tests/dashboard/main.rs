//! Tests of the dashboard over real sockets, with a receiver, an emulator and a transmitter small enough to check by
//! hand.

#[allow(dead_code)]
#[path = "../common/mod.rs"]
mod common;

mod conditions;
mod guard;
mod http;
mod now;
mod peers;
mod sentence;
mod state;
mod sweep;
mod video;

use common::{MODEL, Running};
use receiver::http::Args;
use runtime::PeerUrl;
use std::net::SocketAddr;
use std::time::Duration;
use tempfile::TempDir;

/// Time limit of every wait; generous, for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running receiver with a dashboard.
struct Site {
    receiver: Running,
    /// The address of the dashboard.
    address: SocketAddr,
    _folder: TempDir,
}

impl Site {
    async fn start(emulator: Option<PeerUrl>, transmitter: Option<PeerUrl>) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let http_host = vec!["dash.example".to_owned()];
        let dashboard_origin = vec!["https://proxy.example".parse().unwrap()];
        let http = Some("127.0.0.1:0".into());
        let args = Args { http, emulator, transmitter, http_host, dashboard_origin };
        let (receiver, address) = Running::showing(&folder.path().join("journal.sqlite"), MODEL, args).await;
        Site { address: address.unwrap(), receiver, _folder: folder }
    }
}
