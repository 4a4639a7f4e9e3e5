//! Recordings: what went into the channel and what came out, as SigMF.
//!
//! ```text
//! relay ─ Take::keep ─▶ queue of bounded bytes ─▶ writer thread ─▶ STEM-in, STEM-out
//! ```
//!
//! **The promise** is that a recording holds every burst that was relayed, or says that it does not. A relay that finds
//! the queue full waits for the disk, but not longer than [`PATIENCE`]: then the recording ends, marked incomplete, and
//! relaying goes on, for a link that stands still with a broken disk serves nobody. The same happens when a write fails.
//! A hole in the middle never happens: what is recorded is a beginning of what was relayed.

pub mod annotation;
mod clock;
mod meta;
pub mod names;
mod pair;
mod writer;

pub use pair::DATATYPE;

use bytes::Bytes;
use names::Stem;
use phy::NoiseKey;
use proto::v1::Burst;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// How long a burst may wait for a place in the queue.
const PATIENCE: Duration = Duration::from_secs(1);
/// What the queue holds, in KiB; a burst counts its symbols on both sides and one more.
const QUEUE_KIB: usize = 64 << 10;
/// How long the end of the process may wait for the writer.
const CLOSING: Duration = Duration::from_secs(10);

/// A burst on its way to the disk.
#[derive(Debug)]
pub struct Kept {
    /// The symbols that came in.
    pub input: Bytes,
    /// The burst that went out.
    pub burst: Burst,
    /// The noise key that was used.
    pub noise: NoiseKey,
    /// Of the weights it was sent with.
    pub model_id: Arc<str>,
    /// When it went out.
    pub at: Instant,
}

struct Queued {
    kept: Kept,
    /// Given back when it is written.
    _room: OwnedSemaphorePermit,
}

/// A cheaply cloned handle to a recording that is being made.
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

struct Shared {
    stem: Stem,
    room: Arc<Semaphore>,
    /// `None` once nothing more is recorded.
    queue: Mutex<Option<mpsc::Sender<Queued>>>,
    /// Why the recording ended before its time.
    problem: Mutex<Option<String>>,
    finished: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Recorder {
    /// Creates the files, under a name that none has yet, and starts the writer.
    ///
    /// # Errors
    /// If they cannot be created.
    pub fn start(stem: &Path) -> anyhow::Result<Recorder> {
        files::create_parents(stem)?;
        let (stem, data) = Stem::new(stem).claim()?;
        let (sender, queue) = mpsc::channel(QUEUE_KIB);
        let (done, finished) = oneshot::channel();
        let shared = Arc::new(Shared {
            stem: stem.clone(),
            room: Arc::new(Semaphore::new(QUEUE_KIB)),
            queue: Mutex::new(Some(sender)),
            problem: Mutex::new(None),
            finished: Mutex::new(Some(finished)),
        });
        let writer = writer::Writer::create(&stem, data)?;
        tracing::info!(recording = %stem, "recording");
        let of_writer = Recorder(shared.clone());
        std::thread::Builder::new().name("recorder".into()).spawn(move || {
            writer.run(queue, &of_writer);
            let _ = done.send(());
        })?;
        Ok(Recorder(shared))
    }

    /// For the bursts of a stream that was opened for `model_id`, which get their noise from `seed` if they bring none.
    pub fn tape(&self, model_id: &str, seed: u64) -> Tape {
        Tape { recorder: self.clone(), model_id: model_id.into(), seed }
    }

    /// Records a burst. Waits while the queue is full, for at most [`PATIENCE`].
    async fn keep(&self, kept: Kept) {
        let Some(queue) = lock(&self.0.queue).clone() else { return };
        let kib = (1 + (kept.input.len() + kept.burst.symbols.len()) / 1024).min(QUEUE_KIB);
        match tokio::time::timeout(PATIENCE, self.0.room.clone().acquire_many_owned(kib as u32)).await {
            // Never full: there are as many places as KiB. Closed if the recording has ended.
            Ok(Ok(room)) => drop(queue.try_send(Queued { kept, _room: room })),
            Ok(Err(_)) => {}
            Err(_) => self.end(format!("the disk did not take {} MiB within {PATIENCE:?}", QUEUE_KIB >> 10)),
        }
    }

    /// Nothing more is recorded, and what is says so. Logged once.
    fn end(&self, problem: String) {
        let mut known = lock(&self.0.problem);
        if known.is_none() {
            tracing::error!(recording = %self.0.stem, "the recording has ended, incomplete: {problem}; relaying goes on");
            *known = Some(problem);
        }
        lock(&self.0.queue).take();
    }

    /// Ends the recording in order: what is queued is written, then how it ended.
    pub async fn close(&self) {
        lock(&self.0.queue).take();
        let Some(finished) = lock(&self.0.finished).take() else { return };
        if tokio::time::timeout(CLOSING, finished).await.is_err() {
            tracing::error!(recording = %self.0.stem, "the disk did not take the rest of the recording in {CLOSING:?}");
        }
    }
}

/// What one stream records to.
pub struct Tape {
    recorder: Recorder,
    model_id: Arc<str>,
    seed: u64,
}

impl Tape {
    /// Keeps what a burst brings before the channel takes it.
    pub fn take(&self, burst: &Burst) -> Take<'_> {
        Take { tape: self, input: burst.symbols.clone() }
    }
}

/// One burst between coming in and going out.
pub struct Take<'a> {
    tape: &'a Tape,
    input: Bytes,
}

impl Take<'_> {
    /// Records the burst as it went out.
    pub async fn keep(self, burst: Burst) {
        let noise = crate::channel::noise_key(&burst, self.tape.seed);
        let model_id = self.tape.model_id.clone();
        self.tape.recorder.keep(Kept { input: self.input, burst, noise, model_id, at: Instant::now() }).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
