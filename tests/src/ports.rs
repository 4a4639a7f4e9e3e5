//! Fixed ports for processes that are restarted on the same port.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A loopback port that nobody listens on and that the system assigns to no one else. It lies below the range of ports
/// for outgoing connections, so it stays free while its process is down.
///
/// # Panics
/// Panics if no port from 20000 to 31999 is free.
pub fn free_port() -> u16 {
    let (first, count) = (20_000, 12_000);
    let start = (std::process::id() as u16 % 120) * 100;
    let free = (0..count).find_map(|_| {
        let port = first + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % count;
        TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(port)
    });
    free.expect("a free port between 20000 and 32000")
}
