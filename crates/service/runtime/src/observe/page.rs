//! The page of metrics over HTTP, in the OpenMetrics and the Prometheus text format.

use super::Metrics;
use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;

/// The path of the page of metrics.
pub const PATH: &str = "/metrics";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Metrics {
    /// A router with `GET /metrics`, to be merged into the routes of any server. The page is read-only and not secret
    /// to anyone who can reach the port, so the Host header is not checked.
    pub fn router(&self) -> Router {
        Router::new().route(PATH, get(page)).with_state(self.clone())
    }

    /// The current page of metrics in the OpenMetrics text format.
    pub fn page(&self) -> String {
        let mut text = String::new();
        // Neither writing to a string nor encoding these metrics fails.
        let _ = encode(&mut text, &self.lock());
        text
    }
}

/// Handles a request for the page: in the OpenMetrics format if the request accepts it, as those of Prometheus do, else
/// in the older Prometheus text format.
async fn page(State(observer): State<Metrics>, headers: HeaderMap) -> Response {
    let accepts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let open_metrics = accepts.into_iter().any(|value| value.contains("application/openmetrics-text"));
    let page = observer.page();
    let (content_type, page) = if open_metrics { (OPEN_METRICS, page) } else { (PLAIN, plain(&page)) };
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store"), (VARY, "Accept")];
    (StatusCode::OK, headers, page).into_response()
}

/// Converts the OpenMetrics text format to the Prometheus text format: the headers of a counter get the suffix
/// `_total`, and the lines of units and of the end are left out.
fn plain(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("# UNIT ") || line == "# EOF" {
            continue;
        }
        let is_counter = |line: &str| line.starts_with("# TYPE ") && line.ends_with(" counter");
        // The HELP line comes first and does not have the type of the metric, which the next line has.
        let counter =
            is_counter(line) || line.starts_with("# HELP ") && lines.peek().is_some_and(|next| is_counter(next));
        match line.splitn(4, ' ').collect::<Vec<_>>()[..] {
            ["#", keyword, name, rest] if counter => out.push_str(&format!("# {keyword} {name}_total {rest}")),
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_format_names_counters_by_their_samples() {
        let observer = Metrics::new("test");
        observer.counter("latentlink_clips", "Clips").inc_by(3);
        observer.latency("latentlink_wait", "Waiting").observe(0.5);
        let open = observer.page();
        assert!(open.contains("# TYPE latentlink_clips counter\nlatentlink_clips_total 3\n"), "{open}");
        assert!(open.contains("# UNIT latentlink_wait_seconds seconds\n") && open.ends_with("# EOF\n"), "{open}");
        let plain = plain(&open);
        let counter =
            "# HELP latentlink_clips_total Clips.\n# TYPE latentlink_clips_total counter\nlatentlink_clips_total 3\n";
        assert!(plain.contains(counter), "{plain}");
        assert!(plain.contains("# TYPE latentlink_wait_seconds histogram\n"), "{plain}");
        assert!(!plain.contains("UNIT") && !plain.contains("EOF"), "{plain}");
        assert!(plain.contains("latentlink_build_info{process=\"test\",version=\""), "{plain}");
    }
}
