//! The checks that every request has to pass, against pages of other sites, and the headers of every response.
//!
//! A page of any site can make a browser on this machine send requests to `localhost`. Such a page cannot read the
//! response, and it cannot send JSON or octets without a preflight request, unless its host name is made to resolve to
//! this machine (DNS rebinding). Therefore: a request has to name as its host an IP address, `localhost`, or a
//! configured name; a request that changes something has to have one of those two content types; and a request that
//! names the origin of its page has to come from the dashboard's own page. That is a page of the host that the request
//! is for or, behind a reverse proxy that sends another host, of a configured origin. Headers in which a proxy
//! describes itself (`X-Forwarded-Host`) are ignored: anybody can send them.

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

/// The content security policy: what the page may load. It may load its own files, the inline styles and data images
/// that plotly makes, and videos chosen or recorded in it; no page may embed it in a frame.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src blob:; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// The content type of a request with a JSON body.
pub const JSON: &str = "application/json";
/// The content type of a request whose body is a file. The file's format is detected from its content.
pub const OCTETS: &str = "application/octet-stream";

/// The host names and origins that requests may have.
#[derive(Clone, Debug)]
pub struct Hosts {
    bound: SocketAddr,
    names: Arc<[String]>,
    origins: Arc<[Origin]>,
}

impl Hosts {
    /// Accepts the hosts `localhost`, every IP address, `names`, and the hosts of `origins`, on a server bound to
    /// `bound`. Pages of `origins` may send any request, whatever host a proxy names.
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

    /// Checks a request's method, target and headers. Fails with 403 for a wrong host or page, and with 415 for a wrong
    /// content type of a request that changes something.
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

    /// Checks the origin of the page that sends a request to `host`; `header` is the value of the Origin header. Fails
    /// with a sentence for people.
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

/// Whether the Content-Type header names the type `wanted`, ignoring parameters and case.
pub fn carries(headers: &HeaderMap, wanted: &str) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

/// Middleware that refuses requests which do not pass the checks, and sets the security headers of every response.
pub async fn guard(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    let mut headers = request.headers().clone();
    // Browsers send the origin when they load scripts as modules. The page's files hold no secret, and without them a
    // page behind a proxy could not show what is wrong.
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
        // nginx by default, and with `Host $host`, which leaves the port out.
        for host in ["127.0.0.1:8080", "localhost:8080", "proxy.example"] {
            assert_eq!(post(host, "https://proxy.example"), 200, "{host}");
        }
        for stranger in ["http://proxy.example", "https://proxy.example:8443", "https://evil.example", "null"] {
            assert_eq!(post("127.0.0.1:8080", stranger), 403, "{stranger}");
        }
        assert_eq!(post("evil.example", "https://proxy.example"), 403);
        // Headers that anybody can send change nothing.
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
        // A value that is not an origin is not repeated.
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
        // Other pages may not open a stream of events either, although it changes nothing.
        assert_eq!(status(Method::GET, None, &[host.clone(), (ORIGIN, "http://evil.example")]), 403);
        for method in [Method::POST, Method::DELETE, Method::PUT] {
            assert_eq!(status(method.clone(), None, std::slice::from_ref(&host)), 415, "{method}");
            for form in ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"] {
                assert_eq!(status(method.clone(), None, &[host.clone(), (CONTENT_TYPE, form)]), 415, "{form}");
            }
        }
    }
}
