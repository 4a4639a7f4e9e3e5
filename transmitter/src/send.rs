//! The client that sends clips: a sweep over a corpus, once or repeatedly, or clips of the user's own.
//!
//! * [`Args`], [`run`]: the command `transmitter send`.
//! * [`Request`], [`send_corpus`]: a sweep over a corpus as a library call that returns the predictions.
//!
//! A sweep is sent under a new run identifier with consecutive sequence numbers, so every clip at every point and draw
//! is one delivery. With pinned conditions the result does not depend on disconnections. [`client`] holds the stream,
//! [`plan`] assigns the sequence numbers, and [`pace`] limits the rate. [`sweep`], [`rounds`], [`transcript`] and
//! [`clips`] implement the kinds of input.

mod answer;
mod args;
mod client;
mod clips;
mod pace;
mod patience;
mod plan;
mod problems;
mod rounds;
mod sweep;
mod totals;
mod transcript;

pub use args::Args;
pub use pace::{Rate, RateError};
pub use sweep::{Failure, Request, Sent, send_corpus};

use anyhow::{Context, Result, bail};
use args::What;
use corpus::{Corpus, CorpusSpec};
use files::PendingFile;
use indicatif::{ProgressBar, ProgressStyle};
use metrics::{Record, write_csv};
use runtime::Drain;

/// Number of failures that are printed; further ones are only counted.
const SHOWN: usize = 5;

/// Runs `transmitter send`: sends the clips that `args` name and prints the results.
///
/// # Errors
/// Fails if the options, the corpus or a file cannot be used, if the transmitter refuses the stream for good, or if a
/// clip was answered with an error.
pub async fn run(args: Args) -> Result<()> {
    // Logging shows which peer the client waits for.
    runtime::telemetry::init("transmitter");
    match args.what()? {
        What::Corpus(spec) => send_split(&args, spec).await,
        What::Transcript(text) => transcript::send(&args, text).await,
        What::Clips(paths) => clips::send(&args, &paths).await,
    }
}

/// Sends the split of a corpus, once or, with `--forever`, repeatedly.
async fn send_split(args: &Args, spec: &CorpusSpec) -> Result<()> {
    // The files are opened first, so that a bad path costs no work.
    let json = args.json.as_deref().map(PendingFile::create_with_parents).transpose()?;
    let predictions = args.predictions.as_deref().map(PendingFile::create_with_parents).transpose()?;
    let corpus = Corpus::load(spec)?;
    let points = args.points()?;
    let request = Request {
        to: &args.to,
        corpus: &corpus,
        split: &args.split,
        points: points.as_deref(),
        draws: args.draws(),
        seed: args.seed(),
    };
    if args.forever {
        let drain = Drain::on_signals().context("cannot listen for signals")?;
        let sent = rounds::send(&request, args.rate, &drain, console::note).await?;
        write_records(&sent.records, json)?;
        return match sent.first_failure {
            None => Ok(()),
            Some(first) => bail!("{} of {} clips were not predicted, the first: {first}", sent.failed, sent.clips),
        };
    }
    let sent = with_progress(&request, args.rate).await?;
    write_records(&sent.records, json)?;
    if let Some(file) = predictions {
        file.commit(|out| write_csv(out, &sent.rows))?;
    }
    check(&sent)
}

/// Prints records to standard output as a table, and writes them to the file `json` if there is one.
fn write_records(records: &[Record], json: Option<PendingFile>) -> Result<()> {
    console::print(metrics::table(records))?;
    if let Some(file) = json {
        file.commit(|out| {
            serde_json::to_writer_pretty(&mut *out, records)?;
            out.write_all(b"\n")
        })?;
    }
    Ok(())
}

/// Sends the clips of a request with a progress bar on standard error, if that is a terminal.
async fn with_progress(request: &Request<'_>, rate: Option<Rate>) -> Result<Sent> {
    let bar = ProgressBar::new(request.clips()?)
        .with_style(ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} clips, {eta} left")?)
        .with_message("sending");
    let sent = sweep::send_paced(request, rate, || bar.inc(1)).await;
    bar.finish_and_clear();
    sent
}

/// Fails unless every clip was answered with a prediction; names the first failures.
fn check(sent: &Sent) -> Result<()> {
    if sent.failures.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = sent.failures.iter().take(SHOWN).map(Failure::to_string).collect();
    let more = sent.failures.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    bail!("{} of {} clips were not predicted: {}{more}", sent.failures.len(), sent.clips, shown.join("; "))
}

#[cfg(test)]
mod tests;
