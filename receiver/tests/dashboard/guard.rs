//! Tests of which requests are refused, and of the headers of every response.

use crate::Site;
use crate::http::{Events, call, get, send};
use std::io::Read;
use std::time::{Duration, Instant};

#[tokio::test]
async fn strangers_are_refused() {
    let site = Site::start(None, None).await;
    let at = site.address;
    let status = async |request: String| send(at, &request).await.problem().0;
    let host = |host: &str| format!("GET /api/state HTTP/1.1\r\nHost: {host}\r\n\r\n");
    assert_eq!(status(host("evil.example")).await, 403);
    assert_eq!(status("GET /api/state HTTP/1.0\r\n\r\n".to_owned()).await, 403);
    for known in [&at.to_string(), "localhost:1", "dash.example"] {
        assert_eq!(send(at, &host(known)).await.status, 200, "{known}");
    }
    let post = |headers: &str, body: &str| {
        let length = body.len();
        format!("POST /api/conditions HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
    };
    let json = "Content-Type: application/json\r\n";
    assert_eq!(status(post("", "{}")).await, 415);
    assert_eq!(status(post("Content-Type: text/plain\r\n", "{}")).await, 415);
    assert_eq!(status(post(&format!("{json}Origin: http://evil.example\r\n"), "{}")).await, 403);
    assert_eq!(status(post(&format!("{json}Origin: null\r\n"), "{}")).await, 403);
    assert_eq!(status("DELETE /api/sweep HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()).await, 415);
    assert_eq!(status(post(json, &"x".repeat(17_000))).await, 413);
    // A body of unknown length (chunked) that is too large.
    let chunks = format!("1000\r\n{}\r\n", " ".repeat(4096)).repeat(5);
    let head = format!("POST /api/conditions HTTP/1.1\r\nHost: localhost\r\n{json}");
    assert_eq!(status(format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")).await, 413);
    let (status, sentence) = call(at, "POST", "/api/conditions", "{").await.problem();
    assert!(status == 400 && sentence.contains("EOF"), "{sentence}");
    site.receiver.stop().await;
}

/// A request as nginx forwards it by default: HTTP/1.0, its own name as the host, and the browser's Origin.
#[tokio::test]
async fn a_proxy_that_names_itself_as_the_host_passes_with_its_origin() {
    let site = Site::start(None, None).await;
    let at = site.address;
    let post = async |origin: &str| {
        let head = "POST /api/conditions HTTP/1.0\r\nConnection: close\r\nContent-Type: application/json\r\n";
        send(at, &format!("{head}Host: {at}\r\nOrigin: {origin}\r\nContent-Length: 2\r\n\r\n{{}}")).await.problem()
    };
    // The request passes the guard and fails because there is no emulator.
    let (status, sentence) = post("https://proxy.example").await;
    assert!(status == 503 && sentence.contains("--emulator"), "{sentence}");
    let (status, sentence) = post("https://other.example").await;
    assert!(status == 403 && sentence.contains("--dashboard-origin https://other.example"), "{sentence}");
    // The page itself loads, so that it can show the reason: browsers request scripts that are modules with an Origin.
    // The state cannot be read.
    let read = |path: &str| format!("GET {path} HTTP/1.0\r\nHost: {at}\r\nOrigin: https://other.example\r\n\r\n");
    assert_eq!(send(at, &read("/app.js")).await.status, 200);
    assert_eq!(send(at, &read("/api/state")).await.status, 403);
    site.receiver.stop().await;
}

#[tokio::test]
async fn the_page_is_served_with_its_headers() {
    let site = Site::start(None, None).await;
    let at = site.address;
    let page = get(at, "/").await;
    assert!(page.status == 200 && page.body.starts_with(b"<!"), "{page:?}");
    assert_eq!(page.body, get(at, "/index.html").await.body);
    for (path, content_type) in [("/", "text/html"), ("/style.css", "text/css"), ("/app.js", "text/javascript")] {
        let file = get(at, path).await;
        assert!(file.header("content-type").starts_with(content_type), "{file:?}");
        let known = format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nIf-None-Match: {}\r\n\r\n", file.header("etag"));
        assert_eq!((send(at, &known).await.status, file.header("cache-control")), (304, "no-cache"));
    }
    for (path, status) in
        [("/", 200), ("/api/state", 200), ("/api/conditions", 503), ("/nothing", 404), ("/../Cargo.toml", 404)]
    {
        let answer = get(at, path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'self'; style-src"), "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(!answer.header("cache-control").is_empty());
    }
    assert_eq!(call(at, "PUT", "/api/state", "{}").await.problem().0, 405);
    assert_eq!(call(at, "POST", "/", "{}").await.problem().0, 405);
    site.receiver.stop().await;
}

#[tokio::test]
async fn plotly_is_served_packed_and_plain() {
    let site = Site::start(None, None).await;
    let at = site.address;
    let ask = async |headers: &str| send(at, &format!("GET /plotly.js HTTP/1.1\r\nHost: {at}\r\n{headers}\r\n")).await;
    let packed = ask("Accept-Encoding: br, gzip\r\n").await;
    assert_eq!((packed.status, packed.header("content-encoding")), (200, "gzip"));
    let mut script = Vec::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut script).unwrap();
    assert!(script.starts_with(b"/**\n* plotly.js v"));
    let plain = ask("").await;
    assert_eq!((plain.header("content-encoding"), plain.body == script), ("", true));
    assert_ne!(plain.header("etag"), packed.header("etag"));
    let again = ask(&format!("Accept-Encoding: gzip\r\nIf-None-Match: {}\r\n", packed.header("etag"))).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    site.receiver.stop().await;
}

#[tokio::test]
async fn event_streams_are_counted() {
    let site = Site::start(None, None).await;
    let mut streams = Vec::new();
    for _ in 0..64 {
        streams.push(Events::open(site.address).await);
    }
    let (status, sentence) = Events::try_open(site.address).await.err().unwrap().problem();
    assert!(status == 503 && sentence.contains("64"), "{sentence}");
    // Other requests still pass, and a stream that was closed can be opened again.
    assert_eq!(get(site.address, "/api/state").await.status, 200);
    streams.pop();
    let began = Instant::now();
    while Events::try_open(site.address).await.is_err() {
        assert!(began.elapsed() < crate::PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    site.receiver.stop().await;
}
