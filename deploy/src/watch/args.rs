//! Options of `latentlink watch`.

use std::time::Duration;

use runtime::PeerUrl;

/// Options of `latentlink watch`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The receiver, http://host:port.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50053")]
    pub receiver: PeerUrl,
    /// The channel emulator, http://host:port; with it, keys change the live conditions.
    #[arg(long, value_name = "URL")]
    pub emulator: Option<PeerUrl>,
    /// Least time between two updates.
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u32).range(50..=60_000), conflicts_with = "once")]
    pub interval: u32,
    /// Print one snapshot as a table and end; needs no terminal.
    #[arg(long)]
    pub once: bool,
    /// With --once: one JSON object instead of the table.
    #[arg(long, requires = "once")]
    pub json: bool,
}

impl Args {
    /// Between two samples of the throughput: a second, or the interval if that is longer.
    pub fn sampling(&self) -> Duration {
        Duration::from_millis(self.interval.max(1000).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn options_that_would_be_ignored_are_refused() {
        let parse = |words: &[&str]| Cli::try_parse_from([&["watch"], words].concat()).map(|cli| cli.args);
        assert_eq!(parse(&["--interval", "100"]).unwrap().interval, 100);
        assert!(parse(&["--once", "--json"]).unwrap().once);
        assert!(parse(&["--json"]).unwrap_err().to_string().contains("--once"));
        assert!(parse(&["--once", "--interval", "100"]).unwrap_err().to_string().contains("--interval"));
    }
}
