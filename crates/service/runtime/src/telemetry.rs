//! Logs: structured lines on stderr, so that stdout stays free for results and the bound address.

use std::fmt;
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    EnvFilter,
    fmt::{FmtContext, FormatEvent, FormatFields, format},
    registry::LookupSpan,
};

/// Starts logging for a process that plays `role`. `RUST_LOG` filters (default `info`), `LATENTLINK_LOG=json` gives one
/// JSON object a line. A second call changes nothing, so a launcher may call it before it plays a role.
pub fn init(role: &'static str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A log that nobody reads any more is no reason to fail; the complaint about it would panic.
        .log_internal_errors(false);
    let json = std::env::var("LATENTLINK_LOG").is_ok_and(|value| value == "json");
    // An error means that logging runs already.
    let _ = if json {
        logs.json().flatten_event(true).try_init()
    } else {
        let line = format().with_target(false).with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
        logs.event_format(Prefixed { role, line }).try_init()
    };
}

/// Puts the role before each line: the launcher's children share one terminal.
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
