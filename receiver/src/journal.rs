//! The journal: one committed row for every burst that was answered with a prediction, in SQLite.
//!
//! An acknowledgement promises that its row is committed and that its delivery key is counted once. One thread, which
//! owns the database, keeps both promises: it takes all entries that wait, writes them in one transaction, and only
//! then hands out the answers. A key that has a row already, from an earlier transaction or from earlier in the same
//! one, is answered with what that row holds. So a burst sent again after a reconnect gets the same bits as the first
//! time, even if the channel was another one on the second transmission.
//!
//! A journal may hold rows of several models: the history of what was served. Counts and latest rows are those of the
//! model being served; a key that another model has answered is refused ([`JournalError::OtherModel`]).

mod error;
mod lookup;
mod row;
mod schema;
mod version;

pub use error::JournalError;
pub use lookup::Lookup;
pub use row::{Answer, Entry};

use crate::accuracy::{Accuracy, Latencies};
use crate::meter::Meter;
use crate::refusal::Refusal;
use proto::v1::Snapshot;
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Maximum number of entries that wait for the writer; more make the senders wait.
const QUEUE: usize = 512;
/// Maximum number of entries in one transaction.
const COMMIT_MOST: usize = 512;

impl JournalError {
    fn open(path: &Path, error: &rusqlite::Error) -> Self {
        JournalError::Open { path: path.to_owned(), message: error.to_string() }
    }
}

/// An entry for the journal's writer, and the callback for its answer.
pub struct Job {
    /// The row to write if its delivery key is new.
    pub entry: Entry,
    /// When the burst arrived at the receiver; the row's `receiver_us` is counted from here.
    pub arrived: Instant,
    /// Called once: with the journal's answer when the row is committed, or with why there is none.
    pub reply: Box<dyn FnOnce(Result<Answer, Refusal>) + Send>,
}

/// A handle to the journal's writer. Cheap to clone; the journal closes when the last one is dropped.
#[derive(Clone)]
pub struct Journal {
    jobs: mpsc::Sender<Job>,
    path: Arc<Path>,
    model_id: Arc<str>,
}

impl Journal {
    /// Opens the journal at `path`, or creates it, and starts its writer, which counts into `meter`. Rows are counted
    /// and written under `model_id`, the model being served. Also returns the live view and the writer's handle, which
    /// ends after the last [`Journal`] is dropped and all entries sent before are committed.
    ///
    /// # Errors
    /// Fails if the file cannot be used: [`JournalError::Open`], [`JournalError::Foreign`], [`JournalError::Version`].
    ///
    /// # Panics
    /// Panics outside a Tokio runtime: the writer is a blocking thread of the runtime.
    pub fn open(path: &Path, model_id: &str, meter: Meter) -> Result<(Self, Live, JoinHandle<()>), JournalError> {
        let (mut writer, live) = Writer::open(path, model_id)?;
        meter.rows.set(*writer.rows.borrow() as i64);
        writer.meter = meter;
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let thread = tokio::task::spawn_blocking(move || writer.run(waiting));
        Ok((Journal { jobs, path: path.into(), model_id: model_id.into() }, live, thread))
    }

    /// A read-only connection that looks up earlier answers by delivery key, for use by one thread.
    ///
    /// # Errors
    /// Fails with [`JournalError::Open`] if the file cannot be read.
    pub fn lookup(&self) -> Result<Lookup, JournalError> {
        Lookup::open(&self.path, &self.model_id)
    }

    /// Hands an entry to the writer, blocking the calling thread while the writer's queue is full. If the writer has
    /// ended, `job.reply` is dropped without a call.
    pub fn blocking_write(&self, job: Job) {
        let _ = self.jobs.blocking_send(job);
    }
}

/// The live view of the journal for watchers: counts, accuracy and latest rows of the model being served. Cheap to
/// clone. The writer never waits for a watcher: it signals that there is something new, and each watcher takes the
/// current state when it is ready for it.
#[derive(Clone)]
pub struct Live {
    accuracy: Arc<Mutex<Accuracy>>,
    changed: watch::Receiver<u64>,
}

impl Live {
    /// The current state with the `latest` newest rows; marks it as seen.
    pub fn snapshot(&mut self, latest: usize) -> Snapshot {
        self.changed.mark_unchanged();
        lock(&self.accuracy).snapshot(latest)
    }

    /// Calls `read` with the current accuracy and returns its result. The writer waits meanwhile, so `read` must be
    /// quick.
    pub fn read<T>(&self, read: impl FnOnce(&Accuracy) -> T) -> T {
        read(&lock(&self.accuracy))
    }

    /// Waits until there are rows that [`Live::snapshot`] has not returned; `false` if the journal is closed.
    pub async fn changed(&mut self) -> bool {
        self.changed.changed().await.is_ok()
    }
}

fn lock(accuracy: &Mutex<Accuracy>) -> MutexGuard<'_, Accuracy> {
    accuracy.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The journal's writer: the state of the one thread that owns the database.
struct Writer {
    path: PathBuf,
    model_id: String,
    connection: Connection,
    accuracy: Arc<Mutex<Accuracy>>,
    /// Number of rows of the model being served, sent after each commit.
    rows: watch::Sender<u64>,
    /// Whether the last transaction failed, so that a lasting failure is logged once.
    failing: bool,
    meter: Meter,
}

impl Writer {
    fn open(path: &Path, model_id: &str) -> Result<(Self, Live), JournalError> {
        let connection = schema::open(path)?;
        let failed = |error| JournalError::open(path, &error);
        let mut accuracy = Accuracy::default();
        row::tallies(&connection, model_id).map_err(failed)?.into_iter().for_each(|tally| accuracy.add_tally(tally));
        let seen = |conditions: &_, clip_id: &str, label| accuracy.add_clip(conditions, clip_id, label);
        row::clips(&connection, model_id, seen).map_err(failed)?;
        let latest = row::latest(&connection, model_id, Latencies::KEPT).map_err(failed)?;
        latest.iter().for_each(|entry| accuracy.add_latest(entry.row(), entry.verdict()));
        tracing::info!(journal = %path.display(), rows = accuracy.clips(), "journal open");
        for (other, rows) in row::other_models(&connection, model_id).map_err(failed)? {
            tracing::info!(
                model_id = other,
                rows,
                "the journal also holds rows of another model; they are not counted"
            );
        }
        let (rows, changed) = watch::channel(accuracy.clips());
        let accuracy = Arc::new(Mutex::new(accuracy));
        let live = Live { accuracy: accuracy.clone(), changed };
        let (path, model_id) = (path.to_owned(), model_id.to_owned());
        Ok((Writer { path, model_id, connection, accuracy, rows, failing: false, meter: Meter::default() }, live))
    }

    fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        let mut batch = Vec::new();
        while waiting.blocking_recv_many(&mut batch, COMMIT_MOST) > 0 {
            self.commit(std::mem::take(&mut batch));
        }
    }

    /// Writes a batch of entries in one transaction, then answers each.
    fn commit(&mut self, mut batch: Vec<Job>) {
        let written_at_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        for Job { entry, arrived, .. } in &mut batch {
            entry.written_at_ms = written_at_ms;
            entry.answer.timings.receiver_us = arrived.elapsed().as_micros() as u64;
            entry.normalise();
        }
        let entries: Vec<&Entry> = batch.iter().map(|job| &job.entry).collect();
        let began = Instant::now();
        let written = self.write(&entries);
        self.meter.commit.observe_since(began);
        self.meter.commit_rows.observe(entries.len() as f64);
        match written {
            Ok(fates) => {
                self.failing = false;
                self.answer(batch, fates);
            }
            Err(error) => {
                let message = error.to_string();
                self.meter.commit_failures.inc();
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!(journal = %self.path.display(), error = message, "cannot write; bursts are refused");
                }
                for job in batch {
                    let error = JournalError::Write { path: self.path.clone(), message: message.clone() };
                    (job.reply)(Err(error.into()));
                }
            }
        }
    }

    /// Writes entries in one transaction. For each: `None` if its row is new, else the row that its key had already and
    /// the id of that row's model.
    fn write(&mut self, entries: &[&Entry]) -> rusqlite::Result<Vec<Option<(Entry, String)>>> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut fates = Vec::with_capacity(entries.len());
        for entry in entries {
            let new = row::insert(&transaction, &self.model_id, entry)?;
            fates.push(if new { None } else { row::find(&transaction, entry.delivery)? });
        }
        transaction.commit()?;
        Ok(fates)
    }

    fn answer(&self, batch: Vec<Job>, fates: Vec<Option<(Entry, String)>>) {
        let mut accuracy = lock(&self.accuracy);
        let before = accuracy.clips();
        for (job, fate) in batch.iter().zip(&fates) {
            if fate.is_none() {
                let verdict = job.entry.verdict();
                self.meter.accuracy.count(job.entry.answer.channel.conditions.as_ref(), verdict.as_ref());
                accuracy.count(job.entry.row(), verdict);
            } else {
                self.meter.repeated.inc();
            }
        }
        let after = accuracy.clips();
        drop(accuracy);
        // Before the replies: a peer that has its acknowledgement finds the row in the next snapshot.
        self.meter.rows.set(after as i64);
        if after != before {
            self.rows.send_replace(after);
        }
        for (Job { entry, reply, .. }, fate) in batch.into_iter().zip(fates) {
            let answer = match fate {
                None => Ok(entry.answer),
                Some((first, theirs)) => first.answer_for(&self.model_id, theirs),
            };
            reply(answer);
        }
    }
}

#[cfg(test)]
mod tests;
