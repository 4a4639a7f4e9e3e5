//! What every request has to pass: names that no stranger's page can put in place of ours, and headers on every answer.
//!
//! A page from anywhere may make a browser on this machine ask `localhost`. It can neither read the answer nor send JSON
//! or unnamed bytes without being asked about it first, unless its name is made to resolve to this machine (DNS rebinding).
//! So a request has to name an address, `localhost`, or a name that was given; what changes something has to carry one of
//! those; and a request that says which page it comes from has to come from ours: the host that it is for, or, behind a
//! reverse proxy that sends another host, an origin that was given. What a proxy forwards about itself (`X-Forwarded-Host`)
//! is not looked at: anybody can send it.

use super::origin::Origin;
use super::problem::Problem;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// What the page may load and do: its own files, the inline styles and data images that plotly makes, films that were
/// chosen or recorded in it; no frame holds it.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src blob:; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Of a request that asks for something.
pub const JSON: &str = "application/json";
/// Of a file. What it is, is told by its content.
pub const OCTETS: &str = "application/octet-stream";

/// The names that requests may be for.
#[derive(Clone, Debug)]
pub struct Hosts {
    bound: SocketAddr,
    names: Arc<[String]>,
    origins: Arc<[Origin]>,
}

impl Hosts {
    /// `localhost`, every IP address, `names`, and the hosts of `origins`, on a server bound to `bound`. Pages of `origins`
    /// may ask for anything, whatever host a proxy names.
    pub fn new(bound: SocketAddr, names: &[String], origins: &[Origin]) -> Self {
        let names = names.iter().map(|name| name.to_ascii_lowercase());
        let names = names.chain(origins.iter().map(|origin| origin.host().to_owned())).collect();
        Hosts { bound, names, origins: origins.into() }
    }

    /// Whether a Host header may have this value. Ports are not compared: they may be forwarded.
    fn allow(&self, host: &Authority) -> bool {
        if host.as_str().contains('@') {
            return false;
        }
        let name = host.host().to_ascii_lowercase();
        let literal = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name);
        name == "localhost" || literal.parse::<IpAddr>().is_ok() || self.names.contains(&name)
    }

    /// Checks a request's head.
    fn check(&self, method: &Method, target: Option<&Authority>, headers: &HeaderMap) -> Result<(), Problem> {
        let forbidden = |sentence: String| Problem::new(StatusCode::FORBIDDEN, sentence);
        let mut hosts = headers.get_all(HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()),
            _ => None,
        };
        let host = host.filter(|host| self.allow(host) && target.is_none_or(|target| target == host));
        let host = host.ok_or_else(|| {
            let address = self.bound;
            forbidden(format!(
                "This dashboard answers as {address}, localhost, or a name given with --http-host; the request is for another \
                 host. Start the receiver with --http-host NAME for the name in the address bar, or behind a reverse proxy \
                 with --dashboard-origin URL."
            ))
        })?;
        if let Some(origin) = headers.get(ORIGIN) {
            self.check_page(origin.to_str().unwrap_or_default(), &host).map_err(forbidden)?;
        }
        if matches!(*method, Method::GET | Method::HEAD) || carries(headers, JSON) || carries(headers, OCTETS) {
            return Ok(());
        }
        let sentence = "A request that changes something needs `Content-Type: application/json`, or `application/octet-stream` for a file.";
        Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence))
    }

    /// Checks the page that a request for `host` comes from, as its Origin header names it.
    fn check_page(&self, header: &str, host: &Authority) -> Result<(), String> {
        let page = header.strip_prefix("http://").or_else(|| header.strip_prefix("https://")).unwrap_or_default();
        if page.eq_ignore_ascii_case(host.as_str()) {
            return Ok(());
        }
        match Origin::of_header(header) {
            Some(origin) if self.origins.contains(&origin) => Ok(()),
            Some(origin) => Err(format!(
                "The request is for {host} and comes from a page of {origin}. If that is this dashboard behind a reverse \
                 proxy, start the receiver with --dashboard-origin {origin}, or let the proxy pass the Host header on."
            )),
            None => Err("The request comes from a page of another host.".into()),
        }
    }
}

/// Whether the body is of this type.
pub fn carries(headers: &HeaderMap, wanted: &str) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

/// Refuses what does not pass, and sets the headers of what is answered.
pub async fn guard(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    let mut headers = request.headers().clone();
    // Browsers name the page when they load its scripts as modules. The page's files hold no secret, and without them a page
    // behind a proxy could not show what is wrong.
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads && !request.uri().path().starts_with("/api/") {
        headers.remove(ORIGIN);
    }
    let checked = hosts.check(request.method(), request.uri().authority(), &headers);
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 3] =
        [(CONTENT_SECURITY_POLICY, POLICY), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (REFERRER_POLICY, "no-referrer")];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(method: Method, target: Option<&str>, headers: &[(HeaderName, &str)]) -> u16 {
        let origins = ["https://proxy.example/latentlink/".parse().unwrap()];
        let hosts = Hosts::new("127.0.0.1:8080".parse().unwrap(), &["Dash.example".into()], &origins);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        let target = target.map(|target| target.parse().unwrap());
        hosts.check(&method, target.as_ref(), &map).map_or_else(|problem| problem.status.as_u16(), |()| 200)
    }

    #[test]
    fn only_our_own_names_pass() {
        for host in ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "10.1.2.3:80", "[::1]:8080", "dash.EXAMPLE:9"] {
            assert_eq!(status(Method::GET, None, &[(HOST, host)]), 200, "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example", "localhost@evil.example", "me@127.0.0.1", "", "127.0.0.1.nip.io"]
        {
            assert_eq!(status(Method::GET, None, &[(HOST, host)]), 403, "{host}");
        }
        assert_eq!(status(Method::GET, None, &[]), 403);
        assert_eq!(status(Method::GET, None, &[(HOST, "localhost"), (HOST, "localhost")]), 403);
        assert_eq!(status(Method::GET, Some("localhost"), &[(HOST, "localhost")]), 200);
        assert_eq!(status(Method::GET, Some("evil.example"), &[(HOST, "localhost")]), 403);
    }

    #[test]
    fn a_proxy_that_names_itself_passes_for_the_origin_that_was_given() {
        let json = (CONTENT_TYPE, "application/json");
        let post = |host: &'static str, origin: &'static str| {
            status(Method::POST, None, &[(HOST, host), json.clone(), (ORIGIN, origin)])
        };
        // nginx unless told otherwise; and with `Host $host`, which leaves the port out.
        for host in ["127.0.0.1:8080", "localhost:8080", "proxy.example"] {
            assert_eq!(post(host, "https://proxy.example"), 200, "{host}");
        }
        for stranger in ["http://proxy.example", "https://proxy.example:8443", "https://evil.example", "null"] {
            assert_eq!(post("127.0.0.1:8080", stranger), 403, "{stranger}");
        }
        assert_eq!(post("evil.example", "https://proxy.example"), 403);
        // What anybody can send opens nothing.
        for forwarded in ["x-forwarded-host", "x-original-host", "forwarded"] {
            let forwarded = (HeaderName::from_static(forwarded), "evil.example");
            let headers = [(HOST, "127.0.0.1:8080"), json.clone(), (ORIGIN, "http://evil.example"), forwarded];
            assert_eq!(status(Method::POST, None, &headers), 403);
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let hosts = Hosts::new("127.0.0.1:8080".parse().unwrap(), &[], &[]);
        let sentence = |host: &'static str, origin: &'static str| {
            let headers = [(HOST, host), (CONTENT_TYPE, JSON), (ORIGIN, origin)];
            let headers = headers.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect();
            hosts.check(&Method::POST, None, &headers).unwrap_err().error
        };
        let behind_proxy = sentence("127.0.0.1:8080", "https://dash.example:8443");
        assert!(behind_proxy.contains("--dashboard-origin https://dash.example:8443"), "{behind_proxy}");
        assert!(sentence("dash.example", "https://dash.example").contains("--http-host NAME"));
        // What is no origin is not repeated.
        assert!(!sentence("127.0.0.1:8080", "https://<b>").contains("<b>"));
    }

    #[test]
    fn other_pages_and_forms_are_refused() {
        let host = (HOST, "localhost:8080");
        let json = (CONTENT_TYPE, "application/json; charset=utf-8");
        assert_eq!(status(Method::POST, None, &[host.clone(), json.clone()]), 200);
        let octets = (CONTENT_TYPE, "application/octet-stream");
        assert_eq!(status(Method::POST, None, &[host.clone(), octets]), 200);
        let origin = |origin: &'static str| status(Method::POST, None, &[host.clone(), json.clone(), (ORIGIN, origin)]);
        assert_eq!(origin("http://localhost:8080"), 200);
        for stranger in ["http://evil.example", "null", "http://localhost:9", "http://localhost", "localhost:8080", ""]
        {
            assert_eq!(origin(stranger), 403, "{stranger}");
        }
        // A stream of events is no change, yet no business of other pages.
        assert_eq!(status(Method::GET, None, &[host.clone(), (ORIGIN, "http://evil.example")]), 403);
        for method in [Method::POST, Method::DELETE, Method::PUT] {
            assert_eq!(status(method.clone(), None, std::slice::from_ref(&host)), 415, "{method}");
            for form in ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"] {
                assert_eq!(status(method.clone(), None, &[host.clone(), (CONTENT_TYPE, form)]), 415, "{form}");
            }
        }
    }
}
