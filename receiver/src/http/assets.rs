//! The files of the dashboard's page, compiled into the binary.

use super::plotly;
use super::problem::Problem;
use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use std::hash::{DefaultHasher, Hash, Hasher};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// A file of the page: its path on the server, its content type, and its bytes.
struct Asset(&'static str, &'static str, &'static [u8]);

macro_rules! asset {
    ($path:literal, $content_type:ident) => {
        Asset(concat!("/", $path), $content_type, include_bytes!(concat!("../../assets/", $path)))
    };
}

/// Every file of the folder `assets/`. The first is also served at `/`.
const ASSETS: &[Asset] = &[
    asset!("index.html", HTML),
    asset!("style.css", CSS),
    asset!("app.js", JS),
    asset!("answers.js", JS),
    asset!("api.js", JS),
    asset!("clips.js", JS),
    asset!("conditions.js", JS),
    asset!("constellation.js", JS),
    asset!("curve.js", JS),
    asset!("film.js", JS),
    asset!("fold.js", JS),
    asset!("format.js", JS),
    asset!("latency.js", JS),
    asset!("latent.js", JS),
    asset!("microphone.js", JS),
    asset!("player.js", JS),
    asset!("plot.js", JS),
    asset!("recorder.js", JS),
    asset!("saves.js", JS),
    asset!("sentence.js", JS),
    asset!("sweep.js", JS),
    asset!("theme.js", JS),
    asset!("timeline.js", JS),
    asset!("voice.js", JS),
    asset!("wav.js", JS),
];

/// Serves `/`, the files beside it, and `/plotly.js`; status 404 for other paths.
pub async fn asset(uri: Uri, headers: HeaderMap) -> Response {
    let path = if uri.path() == "/" { ASSETS[0].0 } else { uri.path() };
    if path == "/plotly.js" {
        return plotly(&headers).await;
    }
    match ASSETS.iter().find(|Asset(known, ..)| *known == path) {
        Some(Asset(_, content_type, bytes)) => answer(&headers, &etag(bytes), content_type, Bytes::from_static(bytes)),
        None => Problem::new(StatusCode::NOT_FOUND, format!("There is nothing at {path}.")).into_response(),
    }
}

async fn plotly(headers: &HeaderMap) -> Response {
    // Compressing takes a while, the first time.
    let packed = tokio::task::spawn_blocking(plotly::packed).await;
    let Ok(packed) = packed else {
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "plotly.js cannot be packed.").into_response();
    };
    let accepts = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let takes_gzip = accepts.flat_map(|value| value.split(',')).any(takes_gzip);
    let tag = etag(&packed);
    let mut response = if takes_gzip {
        let mut response = answer(headers, &tag, JS, packed);
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response
    } else {
        answer(headers, &tag.replacen('"', "\"plain-", 1), JS, plotly::unpacked(&packed))
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    response
}

/// Whether one item of an Accept-Encoding header accepts gzip: by its name or by `*`, and not at weight 0.
fn takes_gzip(item: &str) -> bool {
    let mut parts = item.split(';').map(str::trim);
    let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
    let weight = parts.find_map(|part| part.strip_prefix("q=")).and_then(|weight| weight.parse::<f32>().ok());
    named && weight != Some(0.0)
}

fn etag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// A response with `bytes`, or 304 if the browser has them already.
fn answer(headers: &HeaderMap, tag: &str, content_type: &'static str, bytes: Bytes) -> Response {
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let known = known.flat_map(|value| value.split(',')).any(|value| value.trim().trim_start_matches("W/") == tag);
    let (status, body) = if known { (StatusCode::NOT_MODIFIED, Body::empty()) } else { (StatusCode::OK, bytes.into()) };
    // The browser keeps the file and asks each time whether it is current: another version may be served at the same
    // address later.
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-cache"), (ETAG, tag)];
    (status, headers, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        for file in std::fs::read_dir(folder).unwrap() {
            let path = format!("/{}", file.unwrap().file_name().display());
            assert!(ASSETS.iter().any(|Asset(known, ..)| *known == path), "{path} is not in ASSETS");
        }
    }

    /// A reverse proxy may show the page below a path of its own, so no file may use an absolute path.
    #[test]
    fn no_file_names_an_address_from_the_root() {
        for Asset(path, _, bytes) in ASSETS {
            let text = std::str::from_utf8(bytes).unwrap();
            for start in ["href=\"/", "src=\"/", "\"/api", "`/api", "(\"/", "(`/", "from \"/", "url(/"] {
                // A regular expression or a tag may begin with a slash, too; none of the files has one in these places.
                assert!(!text.contains(start), "{path} holds {start}");
            }
        }
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for item in ["gzip", " GZIP;q=0.5", "*", "gzip;q=1.0"] {
            assert!(takes_gzip(item), "{item}");
        }
        for item in ["", "br", "gzip;q=0", "gzip; q=0.0", "xgzip"] {
            assert!(!takes_gzip(item), "{item}");
        }
    }
}
