//! The decoder: equalises and decodes bursts, on threads of its own.
//!
//! ```text
//! burst ─▶ flights ─▶ short lane (one thread, micro-batches) ─▶ journal's answer, or equalise ─▶ decode ─▶ journal
//!                └──▶ long lane (transport blocks of videos, a few threads) ─────────┘
//! ```
//!
//! A delivery key that is being decoded is not decoded twice ([`flights`]), nor is one that the journal holds. Queues
//! are bounded; senders wait while they are full. A batch is whatever bursts wait, so one burst alone is decoded at
//! once and the batches grow with the load. A prediction has the same bits in any batch. A transport block that is long
//! enough for a video is decoded one at a time by a pool of threads of its own, so that no short burst waits behind it.
//!
//! A panic on a burst refuses that burst with INTERNAL; the other bursts of its batch are decoded and the process
//! lives.

pub mod flights;
mod lane;

use crate::burst::{Reception, fault_of};
use crate::caught::caught;
use crate::journal::{Answer, Entry, Job, Journal, JournalError, Lookup};
use crate::meter::Meter;
use crate::refusal::Refusal;
use crate::tap::{Probe, Tap};
use flights::{Entered, Flights};
use lane::{Lane, Task};
use metrics::Prediction;
use phy::equalise;
use schemes::scheme::{ChannelUses, Receive, ReceivedBurst, isolated};
use std::num::NonZero;
use std::sync::Arc;
use std::time::Instant;
use tokio::task::JoinHandle;
use wire::Fault;
use wire::convert::{prediction_from_wire, prediction_to_wire};
use wire::fault::ErrorCode;

/// Maximum number of short bursts that wait for the decoder; more make their streams wait.
const QUEUE: usize = 256;
/// Maximum number of short bursts in one batch of the decoder.
const BATCH: usize = 64;
/// Transport blocks of more than this many bytes go to the long lane: they hold some seconds of a video, more than the
/// features of a clip take.
const LONG_BLOCK: u32 = 4096;
/// Maximum number of long transport blocks that wait for the decoder; each may hold tens of megabytes.
const LONG_QUEUE: usize = 8;

/// A handle through which bursts are sent to the decoder. Cheap to clone.
#[derive(Clone)]
pub struct Decoder {
    flights: Flights,
    short: Lane,
    /// The lane of long transport blocks; `None` for weights whose bursts all have the same length.
    long: Option<Lane>,
    meter: Meter,
}

impl Decoder {
    /// Starts a decoder that writes its predictions to `journal`, shows symbols to `tap` and counts into `meter`. The
    /// returned handle ends after [`Decoder::close`], or when the last [`Decoder`] is dropped, once all bursts sent
    /// before are decoded.
    ///
    /// # Errors
    /// Fails if the journal cannot be read.
    ///
    /// # Panics
    /// Panics outside a Tokio runtime: the threads are blocking threads of the runtime.
    pub fn start(
        half: Arc<dyn Receive>,
        journal: Journal,
        tap: Tap,
        meter: Meter,
    ) -> Result<(Self, JoinHandle<()>), JournalError> {
        let worker = || -> Result<_, JournalError> {
            let lookup = journal.lookup()?;
            let (half, journal, meter) = (half.clone(), journal.clone(), meter.clone());
            let mut worker = Worker { half, lookup, journal, probe: Probe::new(tap.clone()), meter };
            Ok(move |tasks| worker.work(tasks))
        };
        let (short, mut threads) = Lane::start(QUEUE, BATCH, vec![worker()?]);
        let mut long = None;
        if half.card().channel_uses == ChannelUses::PerClip {
            // An extractor uses several cores itself.
            let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
            let workers = (0..cores.div_ceil(2)).map(|_| worker()).collect::<Result<Vec<_>, _>>()?;
            let (lane, more) = Lane::start(LONG_QUEUE, 1, workers);
            long = Some(lane);
            threads.extend(more);
        }
        let ended = tokio::spawn(async move {
            futures::future::try_join_all(threads).await.expect("a decoder's thread");
        });
        Ok((Decoder { flights: Flights::default(), short, long, meter }, ended))
    }

    /// Decodes a burst that arrived at `arrived` and journals the prediction, unless its delivery key is being decoded
    /// or was answered before. Returns the journal's answer once the row is committed. Work that was begun goes on if
    /// this future is dropped.
    ///
    /// # Errors
    /// Fails with the reason for which there is no prediction.
    pub async fn answer(&self, reception: Reception, arrived: Instant) -> Result<Answer, Refusal> {
        let ended = || Refusal::Unavailable("the receiver is ending".to_owned());
        loop {
            match self.flights.enter(reception.delivery) {
                Entered::Leads(flight, answer) => {
                    let lane = self.lane(&reception);
                    lane.send(Task { reception, arrived, flight }).await.map_err(|_| ended())?;
                    return answer.await.map_err(|_| ended())?;
                }
                Entered::Follows(answer) => {
                    // The leader of this key was called off before its burst was in the queue: try to lead in its
                    // place.
                    if let Ok(answer) = answer.await {
                        self.meter.repeated.inc();
                        return answer;
                    }
                }
            }
        }
    }

    fn lane(&self, reception: &Reception) -> &Lane {
        let long = reception.format.is_some_and(|format| format.bytes > LONG_BLOCK);
        self.long.as_ref().filter(|_| long).unwrap_or(&self.short)
    }

    /// Lets the decoder, and with it its journal, finish what it was sent and then end. It ends even if streams still
    /// hold a [`Decoder`]: streams of peers that were cut off because they did not drain.
    pub async fn close(&self) {
        self.short.close().await;
        if let Some(long) = &self.long {
            long.close().await;
        }
    }
}

/// The state of one decoder thread.
struct Worker {
    half: Arc<dyn Receive>,
    lookup: Lookup,
    journal: Journal,
    probe: Probe,
    meter: Meter,
}

impl Worker {
    fn work(&mut self, tasks: Vec<Task>) {
        let began = Instant::now();
        let (mut fresh, mut bursts) = (Vec::new(), Vec::new());
        for task in tasks {
            if let Some(reply) = self.lookup.find(task.reception.delivery) {
                if !matches!(reply, Err(Refusal::Unavailable(_))) {
                    self.meter.repeated.inc();
                }
                task.flight.land(reply);
                continue;
            }
            match equalised(&task.reception, &*self.half) {
                Ok(burst) => {
                    bursts.push(burst);
                    fresh.push(task);
                }
                Err(fault) => task.flight.land(Err(fault.into())),
            }
        }
        if fresh.is_empty() {
            return;
        }
        self.meter.batch.observe(fresh.len() as f64);
        let seen = fresh.iter().zip(&bursts).map(|(Task { reception, .. }, burst)| {
            (reception.channel.conditions, reception.symbols.reals(), &burst.equalised)
        });
        // A failure to show symbols must not cost an answer.
        let _ = caught("symbols", || self.probe.see(seen));
        let predictions = isolated::receive(&*self.half, &bursts);
        self.meter.decoding.observe_since(began);
        for (task, prediction) in fresh.into_iter().zip(predictions) {
            match prediction.map_err(fault_of).and_then(check) {
                Ok(prediction) => self.journal.blocking_write(job(task, prediction)),
                Err(fault) => task.flight.land(Err(fault.into())),
            }
        }
    }
}

fn equalised(reception: &Reception, half: &dyn Receive) -> Result<ReceivedBurst, Fault> {
    let Reception { symbols, h, n0, format, .. } = reception;
    let equalised = caught("symbols", || equalise(symbols.reals(), *h, *n0, half.card().equaliser))?;
    let equalised = equalised.map_err(|error| Fault::new(ErrorCode::NotFinite, "channel", error.to_string()))?;
    Ok(ReceivedBurst { equalised, format: *format })
}

/// Checks that a prediction is a valid distribution, whatever the weights hold; fails with INTERNAL if it is not.
fn check(prediction: Prediction) -> Result<Prediction, Fault> {
    prediction_from_wire(&prediction_to_wire(&prediction)).map_err(|fault| Fault { code: ErrorCode::Internal, ..fault })
}

fn job(Task { reception, arrived, flight }: Task, prediction: Prediction) -> Job {
    let Reception { delivery, channel, timings, clip_id, label, caption, .. } = reception;
    let answer = Answer { prediction, channel, timings };
    let entry = Entry { delivery, clip_id, label, caption, written_at_ms: 0, answer };
    Job { entry, arrived, reply: Box::new(move |answer| flight.land(answer)) }
}
