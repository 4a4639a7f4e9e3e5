//! gRPC channels to peers, and the classification of the statuses of failed calls.

use crate::http2::{CONNECTION_WINDOW_BYTES, KEEPALIVE_INTERVAL, STREAM_WINDOW_BYTES};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Status};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The time limit of unary calls, those with one response.
pub const UNARY_DEADLINE: Duration = Duration::from_secs(5);

/// The URL of a peer, `http://host:port`; it can be parsed from the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerUrl(Uri);

/// Why a text is not a [`PeerUrl`].
#[derive(Debug, thiserror::Error)]
#[error("`{url}` is not of the form http://host:port: {problem}")]
pub struct UrlError {
    url: String,
    problem: String,
}

impl FromStr for PeerUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        let wrong = |problem: &str| UrlError { url: url.into(), problem: problem.into() };
        let uri: Uri = url.parse().map_err(|error| wrong(&format!("{error}")))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some(other) => return Err(wrong(&format!("the scheme is {other}"))),
            None => return Err(wrong("the scheme is missing")),
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(wrong("the host is missing"));
        }
        if uri.port_u16().is_none_or(|port| port == 0) {
            return Err(wrong("the port is missing or out of range"));
        }
        if uri.path() != "/" || uri.query().is_some() {
            return Err(wrong("nothing may follow the port"));
        }
        Ok(PeerUrl(uri))
    }
}

impl fmt::Display for PeerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `Uri` would print a final slash, which the given URL need not have.
        write!(f, "http://{}", self.0.authority().map_or("", |authority| authority.as_str()))
    }
}

impl PeerUrl {
    /// Makes a gRPC channel, which connects at the first call and again after every disconnection. Making it neither
    /// blocks nor fails; calls fail with UNAVAILABLE while the peer is disconnected.
    pub fn channel(&self) -> Channel {
        Endpoint::from(self.0.clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .tcp_keepalive(Some(KEEPALIVE_INTERVAL))
            .tcp_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .tcp_keepalive_retries(Some(2))
            .connect_lazy()
    }
}

/// Whether a call that ended with `status` may succeed when tried again.
///
/// A status is transient if a disconnection, overload or restart of the peer can cause it. It is final if the peer
/// returned it deliberately because of the request.
pub fn is_transient(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::ResourceExhausted => true,
        // A reset of the HTTP/2 stream or connection is reported as INTERNAL too, and has this message.
        Code::Internal => status.message().starts_with("h2 protocol error"),
        _ => false,
    }
}

/// Describes the failure of a call in one line: the message of the status, and the root cause of its transport error if
/// it has one.
pub fn reason(status: &Status) -> String {
    let mut root: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(status);
    while let Some(deeper) = root.and_then(std::error::Error::source) {
        root = Some(deeper);
    }
    let message = if status.message().is_empty() { status.code().description() } else { status.message() };
    match root.map(ToString::to_string) {
        Some(root) if !message.contains(&root) => format!("{message}: {root}"),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_checked() {
        let good: PeerUrl = "http://127.0.0.1:50052".parse().unwrap();
        assert_eq!(good.to_string(), "http://127.0.0.1:50052");
        assert_eq!("http://[::1]:7/".parse::<PeerUrl>().unwrap().to_string(), "http://[::1]:7");
        for (url, problem) in [
            ("127.0.0.1:50052", "scheme is missing"),
            ("localhost:50052", "scheme is missing"),
            ("https://host:1", "scheme is https"),
            ("http://host", "port is missing"),
            ("http://host:0", "port is missing"),
            ("http://host:99999", "port"),
            ("http://host:1/path", "nothing may follow"),
            ("http://host:1?q=1", "nothing may follow"),
            ("http://:1", ""),
            ("", ""),
            ("http://a b:1", "invalid"),
        ] {
            let error = url.parse::<PeerUrl>().expect_err(url).to_string();
            assert!(error.contains(problem) && error.contains("http://host:port"), "{url}: {error}");
        }
    }

    #[test]
    fn statuses_are_told_apart() {
        assert!(is_transient(&Status::unavailable("gone")));
        assert!(is_transient(&Status::internal("h2 protocol error: stream reset")));
        for last in [
            Status::internal("a bug"),
            Status::failed_precondition("other weights"),
            Status::invalid_argument("no opening"),
            Status::unimplemented("no such service"),
            Status::permission_denied("no"),
            Status::out_of_range("too large"),
        ] {
            assert!(!is_transient(&last), "{last}");
        }
    }
}
