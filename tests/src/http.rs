//! A minimal HTTP client that reads a page.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Sends a GET request for `target` to `url` (`http://host:port`); returns the status code and the body, or `None` if
/// there is no valid answer.
pub fn http_get(url: &str, target: &str) -> Option<(u16, String)> {
    let host = url.strip_prefix("http://")?;
    let mut stream = TcpStream::connect(host).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    // With HTTP/1.0 the body is not chunked and ends with the connection.
    write!(stream, "GET {target} HTTP/1.0\r\nHost: {host}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}
