//! The journal: one committed row for every burst that was answered, in SQLite.
//!
//! A receipt promises that its row is committed and that its delivery key is counted once. Both are kept here, by one
//! thread that owns the database: it takes all entries that wait, writes them in one transaction, and only then hands
//! out the answers. A key that is there already, from an earlier transaction or from earlier in the same one, is
//! answered with what its row holds, so a burst sent again after a reconnect gets the bits it got the first time even if
//! it met another channel on the way.
//!
//! A journal may hold rows of several models, a history of what was served. Counts and latest rows are those of the model
//! being served; a key that another model has answered is refused ([`JournalError::OtherModel`]).

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

/// Entries that may wait for the writer; more make the senders wait.
const QUEUE: usize = 512;
/// Most entries in one transaction.
const COMMIT_MOST: usize = 512;

impl JournalError {
    fn open(path: &Path, error: &rusqlite::Error) -> Self {
        JournalError::Open { path: path.to_owned(), message: error.to_string() }
    }
}

/// An entry to be written and where its answer goes.
pub struct Job {
    /// What to write if the key is new.
    pub entry: Entry,
    /// When the burst came in; `receiver_us` is counted from here.
    pub arrived: Instant,
    /// Called with the answer once the row is committed.
    pub reply: Box<dyn FnOnce(Result<Answer, Refusal>) + Send>,
}

/// The way to the writer. Cheap to clone; the journal closes when the last one is dropped.
#[derive(Clone)]
pub struct Journal {
    jobs: mpsc::Sender<Job>,
    path: Arc<Path>,
    model_id: Arc<str>,
}

impl Journal {
    /// Opens or makes the journal at `path` and starts its writer, which counts for `meter`. Also gives the live view, and the writer's handle,
    /// which ends after the last [`Journal`] is dropped and what it was sent is committed.
    ///
    /// # Errors
    /// If the file cannot be used: [`JournalError::Open`], [`JournalError::Foreign`], [`JournalError::Version`].
    ///
    /// # Panics
    /// Outside a Tokio runtime, whose blocking threads the writer runs on.
    pub fn open(path: &Path, model_id: &str, meter: Meter) -> Result<(Self, Live, JoinHandle<()>), JournalError> {
        let (mut writer, live) = Writer::open(path, model_id)?;
        meter.rows.set(*writer.rows.borrow() as i64);
        writer.meter = meter;
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let thread = tokio::task::spawn_blocking(move || writer.run(waiting));
        Ok((Journal { jobs, path: path.into(), model_id: model_id.into() }, live, thread))
    }

    /// A way to look up what was answered before, for one thread.
    ///
    /// # Errors
    /// [`JournalError::Open`] if the file cannot be read.
    pub fn lookup(&self) -> Result<Lookup, JournalError> {
        Lookup::open(&self.path, &self.model_id)
    }

    /// Hands an entry to the writer, waiting on the calling thread while its queue is full. If the writer has ended, the
    /// reply is dropped.
    pub fn blocking_write(&self, job: Job) {
        let _ = self.jobs.blocking_send(job);
    }
}

/// The accuracy so far, for those who watch. Cheap to clone. The writer never waits for a watcher: it notes that there is
/// something new, and each watcher takes the state of the moment when it is ready for it.
#[derive(Clone)]
pub struct Live {
    accuracy: Arc<Mutex<Accuracy>>,
    changed: watch::Receiver<u64>,
}

impl Live {
    /// The state of this moment with the `latest` newest rows; marks it as seen.
    pub fn snapshot(&mut self, latest: usize) -> Snapshot {
        self.changed.mark_unchanged();
        lock(&self.accuracy).snapshot(latest)
    }

    /// Reads the accuracy of this moment. The writer waits meanwhile, so be quick.
    pub fn read<T>(&self, read: impl FnOnce(&Accuracy) -> T) -> T {
        read(&lock(&self.accuracy))
    }

    /// Waits until there are rows that [`Live::snapshot`] has not shown; `false` if the journal is closed.
    pub async fn changed(&mut self) -> bool {
        self.changed.changed().await.is_ok()
    }
}

fn lock(accuracy: &Mutex<Accuracy>) -> MutexGuard<'_, Accuracy> {
    accuracy.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The one who writes.
struct Writer {
    path: PathBuf,
    model_id: String,
    connection: Connection,
    accuracy: Arc<Mutex<Accuracy>>,
    /// Rows of this model, after each commit.
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

    /// Writes a batch in one transaction, then answers it.
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

    /// One transaction. `None` for a row that is new, else the one that was there with its model's id.
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
        // Before the replies: who has a receipt finds its row in the next snapshot.
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
