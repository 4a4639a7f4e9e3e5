//! Sends clips from files or standard input (`--clips` and paths), and prints each outcome as it arrives.
//!
//! ```text
//! thread: read, parse ─▶ [1 clip] ─▶ feed: budget, keys, points ─▶ hop ─▶ … ─▶ outcome ─▶ a line
//! ```
//!
//! Clips are read no faster than the link accepts them: a process that writes faster into a pipe waits.

mod json;
pub(super) mod outcome;
mod source;
#[cfg(test)]
mod tests;
mod transcripts;

use super::Args;
use super::answer::Answer;
use super::client::{Client, Feed, Item};
use super::pace::Pace;
use super::plan::{Part, Pass, Plan, Prepared};
use anyhow::{Context as _, Result, bail};
use files::PendingFile;
use json::OwnClip;
use metrics::{ChannelUses, Context, PredictionRow, write_csv};
use outcome::{About, Line};
use phy::{ChannelSpec, Conditions, SnrDb};
use proto::v1::{Model, Outcome};
use runtime::Drain;
use source::{Entry, Source};
use std::cell::RefCell;
use std::fmt;
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};
use transcripts::Transcripts;

/// Memory budget in KiB for the clips that are sent and not answered.
const BUDGET_KIB: usize = 64 << 10;
/// Maximum number of predictions that are kept for `--json` and `--predictions`.
const MAX_ROWS: usize = 1_000_000;

/// Sends the clips at `paths` and prints the outcome of each.
///
/// # Errors
/// Fails if the options or a path cannot be used, the transmitter refuses the stream for good, or a clip gets no
/// prediction.
pub(super) async fn send(args: &Args, paths: &[&Path]) -> Result<()> {
    let json = args.json.as_deref().map(PendingFile::create_with_parents).transpose()?;
    let predictions = args.predictions.as_deref().map(PendingFile::create_with_parents).transpose()?;
    let points = args.points()?;
    let transcripts = match (&args.transcripts, &args.text) {
        (Some(path), _) => Transcripts::read(path)?,
        (None, Some(text)) => Transcripts::of_all(text),
        (None, None) => Transcripts::default(),
    };
    let (source, warnings) = Source::find(paths)?;
    for warning in warnings {
        console::note(format_args!("warning: {warning}"));
    }
    let drain = Drain::on_signals().context("cannot listen for signals")?;
    let mut client = Client::new(&args.to);
    let model = tokio::select! {
        biased;
        () = drain.started() => return Ok(()),
        model = client.model() => model?,
    };
    let keep = json.is_some() || predictions.is_some();
    let report = RefCell::new(Report::new(model, keep, args.jsonl || !std::io::stdout().is_terminal()));
    let numbering = Numbering {
        part: Part::begin(),
        row: 0,
        points,
        draws: args.draws(),
        seed: args.clips_seed(),
        pace: Pace::new(args.rate),
    };
    let entries = reader(source, transcripts)?;
    let feed = async |to: Feed| numbering.feed(entries, to, &report).await;
    let sent = client.stream(Some(&drain), feed, |item, outcome| report.borrow_mut().outcome(&item, outcome)).await;
    match sent {
        // The reader of the outcomes has closed the pipe; that is no failure.
        Err(error) if error.is::<NobodyReads>() => {}
        sent => sent?,
    }
    let report = report.into_inner();
    let shown = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    report.write(&shown, args.seed(), json, predictions)?;
    report.check()
}

/// The error that standard output is closed.
#[derive(Debug)]
struct NobodyReads;

impl fmt::Display for NobodyReads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads the outcomes")
    }
}

impl std::error::Error for NobodyReads {}

/// Reads the clips on a separate thread, which is not joined: a read from a pipe or terminal cannot be cancelled.
fn reader(source: Source, transcripts: Transcripts) -> Result<mpsc::Receiver<Entry>> {
    let (sender, entries) = mpsc::channel(1);
    let read = move || source.read(&transcripts, |entry| sender.blocking_send(entry).is_ok());
    std::thread::Builder::new().name("clips".into()).spawn(read).context("starting the thread that reads clips")?;
    Ok(entries)
}

/// Assigns clips their delivery keys, noise keys and conditions.
struct Numbering {
    part: Part,
    /// The row number of the next clip.
    row: u64,
    points: Option<Vec<Conditions>>,
    draws: std::ops::Range<u32>,
    seed: Option<u64>,
    pace: Pace,
}

impl Numbering {
    async fn feed(mut self, mut entries: mpsc::Receiver<Entry>, to: Feed, report: &RefCell<Report>) -> Result<()> {
        let budget = Arc::new(Semaphore::new(BUDGET_KIB));
        while let Some(Entry { place, clip }) = entries.recv().await {
            let row = self.row;
            self.row += 1;
            let clip = match clip {
                Ok(clip) => clip,
                Err(problem) => {
                    report.borrow_mut().unreadable(place, problem)?;
                    continue;
                }
            };
            // A clip larger than the budget is sent alone.
            let share = (clip.size() / 1024 + 1).min(BUDGET_KIB) as u32;
            let Ok(held) = budget.clone().acquire_many_owned(share).await else { break };
            let plan = self.plan(clip, row, place);
            if !to.plan(&plan, &mut self.pace, Some(Arc::new(held))).await {
                break;
            }
            self.part = plan.next_part();
        }
        Ok(())
    }

    /// The deliveries of one clip: at the conditions that it pins itself, else at every point.
    fn plan(&self, clip: OwnClip, row: u64, place: String) -> Arc<Plan> {
        let pinned = |point: &Conditions| Pass { conditions: Some(*point), draws: point.draws(self.draws.clone()) };
        let passes = match (&clip.conditions, &self.points) {
            (Some(own), _) => vec![pinned(own)],
            (None, Some(points)) => points.iter().map(pinned).collect(),
            (None, None) => vec![Pass { conditions: None, draws: self.draws.clone() }],
        };
        let prepared = Prepared { message: clip.message, row, place };
        Arc::new(Plan::new(self.part, [prepared].into(), passes, self.seed))
    }
}

/// The results so far.
struct Report {
    model: Model,
    /// Whether outcomes are printed as JSON lines, not as text.
    jsonl: bool,
    /// Prediction rows of clips with a label; `None` if no file of them is to be written.
    rows: Option<Vec<PredictionRow>>,
    /// Channel uses of the predicted clips.
    uses: ChannelUses,
    unlabelled: u64,
    predicted: u64,
    refused: u64,
    unreadable: u64,
}

impl Report {
    fn new(model: Model, keep: bool, jsonl: bool) -> Report {
        let rows = keep.then(Vec::new);
        Report {
            model,
            jsonl,
            rows,
            uses: ChannelUses::default(),
            unlabelled: 0,
            predicted: 0,
            refused: 0,
            unreadable: 0,
        }
    }

    fn unreadable(&mut self, place: String, problem: String) -> Result<()> {
        self.unreadable += 1;
        self.print(&Line::unreadable(place, problem))
    }

    fn outcome(&mut self, item: &Item, outcome: Outcome) -> Result<()> {
        if self.rows.is_some() {
            super::sweep::check_model(&self.model, &outcome)?;
        }
        let shot = item.plan.shot(item.sequence);
        let Prepared { message, row, place } = item.plan.clip(shot);
        let about =
            About { id: message.id.clone(), source: place.clone(), draw: Some(shot.draw), label: message.label };
        let answer = Answer::of(outcome.clone(), item.plan.pass(shot).conditions);
        let line = Line::answered(about, &outcome, &answer);
        match &answer {
            Ok(answer) => {
                self.predicted += 1;
                if outcome.symbols > 0 {
                    let (channel, snr_db) = (ChannelSpec::from(&answer.met), answer.met.snr_db().map(SnrDb::db));
                    self.uses.add(&channel.to_string(), snr_db, outcome.symbols, 1);
                }
                self.keep(message.label, |label| PredictionRow {
                    id: message.id.clone(),
                    row: *row,
                    draw: shot.draw,
                    channel: ChannelSpec::from(&answer.met).to_string(),
                    snr_db: answer.met.snr_db().map(SnrDb::db),
                    label,
                    prediction: answer.prediction,
                    h_re: answer.report.h_re,
                    h_im: answer.report.h_im,
                })?;
            }
            Err(_) => self.refused += 1,
        }
        self.print(&line)
    }

    fn keep(&mut self, label: Option<f32>, row: impl FnOnce(f32) -> PredictionRow) -> Result<()> {
        match (&mut self.rows, label) {
            (None, _) => {}
            (Some(_), None) => self.unlabelled += 1,
            (Some(rows), Some(_)) if rows.len() >= MAX_ROWS => {
                bail!("--json and --predictions hold at most {MAX_ROWS} predictions; send the rest on its own")
            }
            (Some(rows), Some(label)) => rows.push(row(label)),
        }
        Ok(())
    }

    fn print(&self, line: &Line) -> Result<()> {
        let text = if self.jsonl { serde_json::to_string(line)? } else { line.readable() };
        match console::stream(text + "\n")? {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(NobodyReads.into()),
        }
    }

    fn write(&self, paths: &str, seed: u64, json: Option<PendingFile>, predictions: Option<PendingFile>) -> Result<()> {
        let rows = self.rows.as_deref().unwrap_or_default();
        if self.unlabelled > 0 {
            console::note(format_args!("{} predictions of clips without a label are in no file", self.unlabelled));
        }
        if let Some(file) = json {
            let mut records = metrics::records(rows, &self.context(paths, seed), None);
            self.uses.fill(&mut records);
            file.commit(|out| {
                serde_json::to_writer_pretty(&mut *out, &records)?;
                out.write_all(b"\n")
            })?;
        }
        if let Some(file) = predictions {
            file.commit(|out| write_csv(out, rows))?;
        }
        Ok(())
    }

    fn context(&self, paths: &str, seed: u64) -> Context {
        let model = &self.model;
        Context {
            scheme: model.scheme.clone().unwrap_or_default(),
            corpus: paths.to_owned(),
            split: "clips".into(),
            equaliser: model.equaliser.clone().unwrap_or_default(),
            training_snr_db: model.training_snr_low_db.zip(model.training_snr_high_db),
            symbols: model.symbols.unwrap_or(0) as usize,
            model_id: model.model_id.clone(),
            seed,
            training_seed: model.training_seed,
        }
    }

    /// Prints the counts. Fails if not every clip was predicted.
    fn check(&self) -> Result<()> {
        let Report { predicted, refused, unreadable, .. } = self;
        let counts = format!("{predicted} predicted, {refused} answered with an error, {unreadable} unreadable");
        if refused + unreadable > 0 {
            bail!("not every clip was predicted: {counts}");
        }
        console::note(counts);
        Ok(())
    }
}
