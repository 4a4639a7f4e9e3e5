//! Logs: structured lines on stderr, so that stdout stays free for results and the bound address.

use std::fmt;
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    EnvFilter,
    fmt::{FmtContext, FormatEvent, FormatFields, format},
    registry::LookupSpan,
};

/// Starts logging to stderr for a process with the role `role`. `RUST_LOG` sets the filter (default `info`);
/// `LATENTLINK_LOG=json` writes one JSON object a line. A second call in a process has no effect.
pub fn init(role: &'static str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // If stderr is closed, logging fails silently: reporting the error to stderr would panic.
        .log_internal_errors(false);
    let json = std::env::var("LATENTLINK_LOG").is_ok_and(|value| value == "json");
    // An error means that logging was already started.
    let _ = if json {
        logs.json().flatten_event(true).try_init()
    } else {
        let line = format().with_target(false).with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
        logs.event_format(Prefixed { role, line }).try_init()
    };
}

/// A log format that puts the role before each line, because the processes of the launcher share one terminal.
struct Prefixed<F> {
    role: &'static str,
    line: F,
}

impl<S, N, F> FormatEvent<S, N> for Prefixed<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: format::Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        write!(writer, "{:<16} ", self.role)?;
        self.line.format_event(ctx, writer, event)
    }
}
