//! The page of metrics over HTTP, in the two formats that are read.

use super::Metrics;
use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;

/// Where the page is.
pub const PATH: &str = "/metrics";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Metrics {
    /// `GET /metrics`, to be merged into the routes of any server. It only reads, and what it shows is no secret between
    /// those who can reach the port, so it does not look at the Host header.
    pub fn router(&self) -> Router {
        Router::new().route(PATH, get(page)).with_state(self.clone())
    }

    /// The page in the OpenMetrics text format.
    pub fn page(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail, and our own metrics do not either.
        let _ = encode(&mut text, &self.lock());
        text
    }
}

/// OpenMetrics for who asks for it, as Prometheus does; for others the older format, which differs in the headers.
async fn page(State(observer): State<Metrics>, headers: HeaderMap) -> Response {
    let accepts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let open_metrics = accepts.into_iter().any(|value| value.contains("application/openmetrics-text"));
    let page = observer.page();
    let (content_type, page) = if open_metrics { (OPEN_METRICS, page) } else { (PLAIN, plain(&page)) };
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store"), (VARY, "Accept")];
    (StatusCode::OK, headers, page).into_response()
}

/// OpenMetrics text as Prometheus text: there a counter's headers name its samples, `_total` included, and units and the
/// end have no line.
fn plain(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("# UNIT ") || line == "# EOF" {
            continue;
        }
        let is_counter = |line: &str| line.starts_with("# TYPE ") && line.ends_with(" counter");
        // The help comes first and does not say of what kind the metric is.
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
