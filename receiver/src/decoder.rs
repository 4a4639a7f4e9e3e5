//! The decoder: equalises bursts and decodes them in micro-batches on a thread of its own.
//!
//! Its queue is bounded; senders wait while it is full. A batch is whatever waits, so one burst alone is decoded at once
//! and the batches grow with the load. A prediction has the same bits in any batch.

use crate::burst::Reception;
use crate::journal::{Answer, Entry, Job, Journal};
use crate::meter::Meter;
use crate::refusal::Refusal;
use crate::tap::{Probe, Tap};
use metrics::Prediction;
use phy::{Equalised, equalise};
use schemes::scheme::{ReceiverHalf, TransportFormat};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use wire::Fault;
use wire::convert::{prediction_from_wire, prediction_to_wire};
use wire::fault::ErrorCode;

/// Bursts that may wait for the decoder; more make their streams wait.
const QUEUE: usize = 256;
/// Most bursts decoded at once.
const BATCH: usize = 64;

struct Task {
    reception: Reception,
    arrived: Instant,
    reply: oneshot::Sender<Result<Answer, Refusal>>,
}

/// The way to the decoder. Cheap to clone.
#[derive(Clone)]
pub struct Decoder {
    /// `None` ends the decoder.
    tasks: mpsc::Sender<Option<Task>>,
}

impl Decoder {
    /// Starts a decoder that writes what it decodes to `journal`, shows it to `tap` and counts its batches. The handle ends
    /// after [`Decoder::close`], or when the last [`Decoder`] is dropped, once what was sent before is decoded; or when a
    /// decode panics.
    ///
    /// # Panics
    /// Outside a Tokio runtime, whose blocking threads it runs on.
    pub fn start(half: Arc<dyn ReceiverHalf>, journal: Journal, tap: Tap, meter: Meter) -> (Self, JoinHandle<()>) {
        let (tasks, mut waiting) = mpsc::channel(QUEUE);
        let thread = tokio::task::spawn_blocking(move || {
            let mut batch = Vec::with_capacity(BATCH);
            let mut probe = Probe::new(tap);
            while waiting.blocking_recv_many(&mut batch, BATCH) > 0 {
                let received = batch.len();
                let tasks: Vec<Task> = batch.drain(..).map_while(|task| task).collect();
                let closed = tasks.len() < received;
                decode(&*half, &journal, &mut probe, &meter, tasks);
                if closed {
                    break;
                }
            }
        });
        (Decoder { tasks }, thread)
    }

    /// Decodes a burst and journals it; the answer is the journal's, and comes once the row is committed.
    ///
    /// # Errors
    /// Why there is no prediction.
    pub async fn answer(&self, reception: Reception, arrived: Instant) -> Result<Answer, Refusal> {
        let (reply, answer) = oneshot::channel();
        let ended = || Refusal::Unavailable("the receiver is ending".to_owned());
        self.tasks.send(Some(Task { reception, arrived, reply })).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// Lets the decoder finish what it was sent and end, and with it its journal, even if there are streams that still
    /// hold a [`Decoder`]: those of peers that were cut off because they would not drain.
    pub async fn close(&self) {
        // An error means that it has ended.
        let _ = self.tasks.send(None).await;
    }
}

fn decode(half: &dyn ReceiverHalf, journal: &Journal, probe: &mut Probe, meter: &Meter, batch: Vec<Task>) {
    if batch.is_empty() {
        return;
    }
    let began = Instant::now();
    meter.batch.observe(batch.len() as f64);
    let mut tasks = Vec::new();
    let (mut equalised, mut formats): (Vec<Equalised>, Vec<Option<TransportFormat>>) = Default::default();
    for task in batch {
        let Reception { symbols, h, n0, .. } = &task.reception;
        match equalise(symbols.reals(), *h, *n0, half.equaliser()) {
            Ok(burst) => {
                equalised.push(burst);
                formats.push(task.reception.format);
                tasks.push(task);
            }
            Err(error) => refuse(task, Fault::new(ErrorCode::NotFinite, "channel", error.to_string())),
        }
    }
    probe.see(tasks.iter().zip(&equalised).map(|(Task { reception, .. }, equalised)| {
        (reception.channel.conditions, reception.symbols.reals(), equalised)
    }));
    let predictions = predict(half, &equalised, &formats);
    meter.decoding.observe_since(began);
    for (task, prediction) in tasks.into_iter().zip(predictions) {
        match prediction {
            Ok(prediction) => journal.blocking_write(job(task, prediction)),
            Err(fault) => refuse(task, fault),
        }
    }
}

/// One result for each burst. What is wrong with one burst is no other's fault.
fn predict(
    half: &dyn ReceiverHalf,
    equalised: &[Equalised],
    formats: &[Option<TransportFormat>],
) -> Vec<Result<Prediction, Fault>> {
    if equalised.is_empty() {
        return Vec::new();
    }
    match half.decode_formatted(equalised, formats) {
        Ok(predictions) => predictions.into_iter().map(check).collect(),
        Err(error) if equalised.len() == 1 => vec![Err(Fault::new(ErrorCode::Internal, error.field, error.message))],
        Err(_) => {
            let each = equalised.chunks(1).zip(formats.chunks(1));
            each.flat_map(|(one, format)| predict(half, one, format)).collect()
        }
    }
}

/// What is no distribution is no answer, whatever the weights hold.
fn check(prediction: Prediction) -> Result<Prediction, Fault> {
    prediction_from_wire(&prediction_to_wire(&prediction)).map_err(|fault| Fault { code: ErrorCode::Internal, ..fault })
}

fn refuse(task: Task, fault: Fault) {
    let _ = task.reply.send(Err(fault.into()));
}

fn job(Task { reception, arrived, reply }: Task, prediction: Prediction) -> Job {
    let Reception { delivery, channel, timings, clip_id, label, caption, .. } = reception;
    let answer = Answer { prediction, channel, timings };
    Job { entry: Entry { delivery, clip_id, label, caption, written_at_ms: 0, answer }, arrived, reply }
}
