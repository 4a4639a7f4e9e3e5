//! Progress bars on standard error, where it is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts bursts; its length is set by who knows it.
pub fn bar(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} bursts, {eta} left");
    let bar = ProgressBar::no_length().with_message(what);
    match style {
        Ok(style) => bar.with_style(style),
        // A bar in the default style is a bar.
        Err(_) => bar,
    }
}
