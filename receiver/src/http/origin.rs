//! Origins of web pages: scheme, host and port, as browsers send them.

use axum::http::Uri;
use std::fmt;
use std::str::FromStr;

/// Maximum length of a host in bytes; a DNS name has at most 253.
const MOST_BYTES: usize = 300;

/// The origin of a page: scheme, host and port. The port is the scheme's default unless the URL names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    https: bool,
    /// The host in lower case; an IPv6 address in brackets.
    host: String,
    port: u16,
}

/// The error that a string is not a valid origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected http://NAME or https://NAME, with :PORT if need be, such as https://example.org")]
pub struct NoOrigin;

impl Origin {
    /// The origin's host in lower case, without its port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Parses the value of an `Origin` header, which has scheme, host and port and nothing else; `None` if it is not
    /// valid.
    pub fn of_header(header: &str) -> Option<Origin> {
        let bare = header.split_once("://").is_some_and(|(_, rest)| !rest.contains(['/', '?', '#']));
        header.parse().ok().filter(|_| bare)
    }

    fn default_port(https: bool) -> u16 {
        if https { 443 } else { 80 }
    }
}

impl FromStr for Origin {
    type Err = NoOrigin;

    /// Parses a URL as people copy it from a browser: path and query are ignored.
    fn from_str(url: &str) -> Result<Origin, NoOrigin> {
        let uri: Uri = url.trim().parse().map_err(|_| NoOrigin)?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(NoOrigin),
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or(NoOrigin)?;
        let host = authority.host().to_ascii_lowercase();
        // After the host only a port may follow.
        let port = match authority.as_str()[host.len()..].strip_prefix(':') {
            Some(port) => port.parse().map_err(|_| NoOrigin)?,
            None => Origin::default_port(https),
        };
        if host.is_empty() || host.len() > MOST_BYTES {
            return Err(NoOrigin);
        }
        Ok(Origin { https, host, port })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.https { "https" } else { "http" }, self.host)?;
        if self.port == Origin::default_port(self.https) { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_as_browsers_do() {
        let origin = |text: &str| text.parse::<Origin>().unwrap();
        assert_eq!(origin("https://Dash.Example"), origin("https://dash.example:443/latentlink/?x#y"));
        assert_eq!(origin("http://[::1]:8080").host(), "[::1]");
        assert_ne!(origin("https://dash.example"), origin("http://dash.example"));
        assert_ne!(origin("https://dash.example"), origin("https://dash.example:8443"));
        assert_eq!(origin("https://dash.example:8443/a").to_string(), "https://dash.example:8443");
        for none in [
            "",
            "null",
            "dash.example",
            "ftp://dash.example",
            "https://",
            "https://me@dash.example",
            "https://a:b",
            "/x",
        ] {
            assert_eq!(none.parse::<Origin>(), Err(NoOrigin), "{none}");
        }
    }

    #[test]
    fn a_header_is_an_origin_and_no_more() {
        assert_eq!(Origin::of_header("https://dash.example:443"), "https://dash.example".parse().ok());
        for none in ["null", "https://dash.example/", "https://dash.example?x", "dash.example:8080", ""] {
            assert_eq!(Origin::of_header(none), None, "{none}");
        }
    }
}
