//! `demo --live`: the three processes with a dashboard, and clips that stream until somebody ends it.

use std::path::Path;

use anyhow::{Result, bail};
use clap::Parser;

use super::Args;
use crate::stack::{Live, Stack};

/// Starts the processes, streams the split under the live conditions and, beside it, without noise and over the sweep asked
/// for, until a signal comes.
///
/// # Errors
/// If a process cannot be started or ends early, or a clip is refused.
pub async fn stream_for_ever(args: &Args, weights: &Path) -> Result<()> {
    eprintln!("starting receiver, channel emulator and transmitter");
    let live = Live { http: &args.http, port: args.port };
    let mut stack = Stack::live(weights, &args.out.join("processes"), &live).await?;
    eprintln!("dashboard on http://{}", args.http);
    eprintln!("turn the channel there, or with: latentlink channel-emulator set --channel awgn --snr -6");
    eprintln!("Ctrl-C ends it");
    let to = stack.url().to_owned();
    let channel = with_noiseless(&args.channel.to_string());
    let snr = args.snr.values().iter().map(|snr| snr.to_string()).collect::<Vec<_>>().join(",");
    let pinned = ["--channel", &channel, &format!("--snr={snr}")];
    let ended = tokio::select! {
        ended = async { tokio::try_join!(stream(args, &to, &[]), stream(args, &to, &pinned)) } => ended.map(|_| ()),
        error = stack.ended() => Err(error),
    };
    let stopped = stack.stop().await;
    ended.and(stopped)
}

/// The channels asked for and the noiseless one, which the reference is computed from.
fn with_noiseless(channels: &str) -> String {
    if channels.split(',').any(|channel| channel == "none") { channels.into() } else { format!("none,{channels}") }
}

/// One client that sends the split over and over.
async fn stream(args: &Args, to: &str, more: &[&str]) -> Result<()> {
    let (corpus, rate) = (args.corpus.to_string(), args.rate.to_string());
    let line = ["transmitter", "send", "--forever", "--to", to, "--corpus", &corpus, "--split", &args.split];
    let line = [&line[..], &["--rate", &rate], more].concat();
    match transmitter::Args::try_parse_from(line) {
        Ok(parsed) => transmitter::run(parsed).await,
        Err(error) => bail!("{error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noiseless_channel_is_streamed_once() {
        assert_eq!(with_noiseless("awgn,rician:4"), "none,awgn,rician:4");
        assert_eq!(with_noiseless("awgn,none"), "awgn,none");
    }
}
