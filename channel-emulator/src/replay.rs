//! Sends a recording again: what came out to a receiver, or what went in through an emulator.
//!
//! ```text
//! reader thread ─ a few bursts ─▶ pace ─▶ hop ─▶ peer
//!                                 tally ◀─ receipts
//! ```
//!
//! The hop keeps every burst until its receipt, so the peer may be away, die and come back.

mod hop;
mod pace;
mod reader;
mod summary;

use crate::record::annotation::Recorded;
use anyhow::{Context, anyhow, bail, ensure};
use hop::{Item, Replay, Target};
use indicatif::{ProgressBar, ProgressStyle};
use pace::{Pace, Rate};
use proto::v1::{Burst, Timings};
use reader::Source;
use runtime::backoff::Disconnection;
use runtime::connect::reason;
use runtime::hop::{HopConfig, HopReceiver, HopSender};
use runtime::{Drain, Hop, PeerUrl};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use summary::Tally;
use tokio::sync::{Semaphore, mpsc};
use uuid::Uuid;
use wire::Delivery;

/// Bursts between the reader and the hop.
const READ_AHEAD: usize = 8;
/// Symbols that are out at most, in KiB; a burst counts one more than it has.
const OUT_KIB: usize = 64 << 10;

/// Arguments of `channel-emulator replay`.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct ReplayArgs {
    /// The recording: its stem, or any of its files.
    #[arg(value_name = "RECORDING")]
    pub recording: PathBuf,
    /// Send what came out of the channel to this receiver, http://host:port.
    #[arg(long, value_name = "URL", required_unless_present = "emulator", conflicts_with = "emulator")]
    pub receiver: Option<PeerUrl>,
    /// Send what went in through this channel emulator, http://host:port, with the noise keys recorded.
    #[arg(long, value_name = "URL", required_unless_present = "receiver")]
    pub emulator: Option<PeerUrl>,
    /// Pin the conditions that each burst met; otherwise the emulator's live ones apply.
    #[arg(long, requires = "emulator")]
    pub pinned: bool,
    /// Keep the recorded delivery keys: a receiver that has them answers from its journal. Otherwise a new run counts
    /// anew.
    #[arg(long, conflicts_with = "repeat")]
    pub same_keys: bool,
    /// Bursts a second [default: as fast as the peer takes them].
    #[arg(long, value_name = "N")]
    pub rate: Option<Rate>,
    /// Begin again at the end, until interrupted or --count is reached.
    #[arg(long = "loop")]
    pub repeat: bool,
    /// Send so many bursts at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Send only bursts of these weights, if the recording has bursts of several.
    #[arg(long, value_name = "MODEL_ID")]
    pub model: Option<String>,
    /// Print the summary as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl ReplayArgs {
    fn target(&self) -> anyhow::Result<Target> {
        match (&self.receiver, &self.emulator) {
            (Some(url), None) => Ok(Target::Receiver(url.clone())),
            (None, Some(url)) => Ok(Target::Emulator(url.clone())),
            _ => bail!("expected either a receiver or an emulator"),
        }
    }
}

/// Replays and prints what became of it. SIGTERM or SIGINT ends it in order.
///
/// # Errors
/// If the recording cannot be read, the peer refuses it for good, or a burst got no prediction.
pub async fn replay(args: &ReplayArgs) -> anyhow::Result<()> {
    let drain = Drain::on_signals()?;
    let target = args.target()?;
    let source = Source::open(&args.recording, target.side())?;
    let mut bursts = Bursts::start(source.clone(), args.model.clone());
    // The first tells which weights the stream is for.
    let Some((_, first)) = bursts.peek().await? else {
        bail!("there is no burst to replay in {}", args.recording.display());
    };
    let exchange = target.exchange(&first.model_id);
    let disconnection = Arc::new(Disconnection::new(target.to_string()));
    let Hop { sender, receiver } = Hop::start(exchange, HopConfig::new(disconnection.clone()));

    let bar =
        ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{msg} {human_pos} bursts, {per_sec}")?);
    let bar = bar.with_message("replaying");
    let began = Instant::now();
    let mut tally = Tally::default();
    let feed = feed(args, &target, &source, bursts, sender, &drain);
    let collect = collect(receiver, &disconnection, &drain, &bar, &mut tally);
    let (sent, ()) = tokio::try_join!(feed, collect)?;
    bar.finish_and_clear();

    let recording = args.recording.display().to_string();
    let summary = tally.summary(recording, target.to_string(), sent, began.elapsed());
    let line = if args.json { serde_json::to_string(&summary)? } else { summary.to_string() };
    console::print(line + "\n")?;
    ensure!(
        summary.errors == 0,
        "{} of {sent} bursts were not predicted; the first: {}",
        summary.errors,
        summary.first_error.unwrap_or_default()
    );
    Ok(())
}

/// Hands bursts to the hop; gives how many.
async fn feed(
    args: &ReplayArgs,
    target: &Target,
    source: &Source,
    mut bursts: Bursts,
    sender: HopSender<Replay>,
    drain: &Drain,
) -> anyhow::Result<u64> {
    let out = Arc::new(Semaphore::new(OUT_KIB));
    let mut pace = Pace::new(args.rate);
    let model_id = bursts.peek().await?.map(|(_, first)| first.model_id.clone()).unwrap_or_default();
    let run = Uuid::new_v4();
    let mut sent = 0;
    while args.count.is_none_or(|count| sent < count) {
        let Some((number, recorded)) = bursts.next().await? else {
            if !args.repeat {
                break;
            }
            bursts = Bursts::start(source.clone(), args.model.clone());
            continue;
        };
        ensure!(
            recorded.model_id == model_id,
            "annotation {number} is of a burst of the weights {}, those before it of {model_id}; --model takes one of them",
            recorded.model_id
        );
        let fresh = (!args.same_keys).then_some(Delivery { run, sequence: sent });
        let kib = (1 + recorded.burst.symbols.len() / 1024).min(OUT_KIB) as u32;
        let ready = async {
            pace.next().await;
            let room = out.clone().acquire_many_owned(kib).await;
            (room, sender.reserve().await)
        };
        let (Ok(room), Ok(slot)) = (tokio::select! {
            biased;
            () = drain.started() => break,
            ready = ready => ready,
        }) else {
            // The hop has ended; its receiver says why.
            break;
        };
        let (delivery, burst) = again(recorded, target, args.pinned, fresh);
        if slot.send(Item { delivery, burst, _room: room }).is_err() {
            break;
        }
        sent += 1;
    }
    Ok(sent)
}

/// The burst as it is sent now: with a `fresh` delivery key as part of no trace, or as it was.
fn again(recorded: Recorded, target: &Target, pinned: bool, fresh: Option<Delivery>) -> (Delivery, Burst) {
    let Recorded { delivery, mut burst, noise, .. } = recorded;
    let delivery = fresh.unwrap_or(delivery);
    if fresh.is_some() {
        burst.delivery = Some(delivery.to_wire());
        burst.traceparent = None;
    }
    if let Target::Emulator(_) = target {
        let report = burst.channel.take();
        burst.noise = Some(noise);
        burst.conditions = report.and_then(|report| report.conditions).filter(|_| pinned);
        burst.timings = burst.timings.map(|timings| Timings { emulator_us: 0, ..timings });
    }
    (delivery, burst)
}

/// Counts the answers. Once the process is asked to end, waits for them no longer than a drain may take.
async fn collect(
    mut receiver: HopReceiver<Replay>,
    disconnection: &Disconnection,
    drain: &Drain,
    bar: &ProgressBar,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let expired = async {
        drain.started().await;
        tokio::time::sleep(drain.deadline()).await;
    };
    tokio::pin!(expired);
    let mut shown = Instant::now();
    loop {
        let answer = tokio::select! {
            answer = receiver.recv() => answer,
            () = &mut expired => return Ok(()),
        };
        let Some(answer) = answer else { return Ok(()) };
        let answer = answer
            .map_err(|status| anyhow!(reason(&status)))
            .with_context(|| format!("the {} ended the stream", disconnection.peer()))?;
        let payload = wire::payload_from_wire(&answer.item.burst).unwrap_or_default();
        tally.count(payload.reference.and_then(|reference| reference.label), answer.response);
        if shown.elapsed() > Duration::from_millis(100) {
            bar.set_position(tally.answered());
            shown = Instant::now();
        }
    }
}

/// The bursts of one way through a recording, read by a thread of its own.
struct Bursts {
    receiver: mpsc::Receiver<anyhow::Result<(u64, Recorded)>>,
    peeked: Option<(u64, Recorded)>,
}

impl Bursts {
    /// Those of the weights `model`, if that is given.
    fn start(source: Source, model: Option<String>) -> Bursts {
        let (sender, receiver) = mpsc::channel(READ_AHEAD);
        std::thread::spawn(move || {
            let read = source.read(|number, recorded| {
                if model.as_ref().is_some_and(|model| *model != recorded.model_id) {
                    return ControlFlow::Continue(());
                }
                match sender.blocking_send(Ok((number, recorded))) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            });
            if let Err(error) = read {
                // An error means that nobody wants to know.
                let _ = sender.blocking_send(Err(error));
            }
        });
        Bursts { receiver, peeked: None }
    }

    async fn next(&mut self) -> anyhow::Result<Option<(u64, Recorded)>> {
        match self.peeked.take() {
            Some(peeked) => Ok(Some(peeked)),
            None => self.receiver.recv().await.transpose(),
        }
    }

    async fn peek(&mut self) -> anyhow::Result<Option<&(u64, Recorded)>> {
        if self.peeked.is_none() {
            self.peeked = self.receiver.recv().await.transpose()?;
        }
        Ok(self.peeked.as_ref())
    }
}
