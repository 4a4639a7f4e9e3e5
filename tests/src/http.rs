//! The least of HTTP that reading a page takes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Reads `http://host:port` + `target`: the status code and the body. `None` if nobody answers.
pub fn http_get(url: &str, target: &str) -> Option<(u16, String)> {
    let host = url.strip_prefix("http://")?;
    let mut stream = TcpStream::connect(host).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    // With version 1.0 the body comes whole and ends with the connection.
    write!(stream, "GET {target} HTTP/1.0\r\nHost: {host}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}
