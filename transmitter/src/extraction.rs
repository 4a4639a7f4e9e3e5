//! Turns media files into features and media analyses, off the async runtime: one file at a time for every two cores,
//! because an extractor uses several itself. The result of a file is remembered for a while, because the same file
//! comes again at every point of a sweep.

use crate::meter::Meter;
use crate::reader::{Read, ReadMedia, Unreadable};
use media::{Limits, Media};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use wire::Fault;
use wire::chunks::MAX_MEDIA_BYTES;
use wire::fault::ErrorCode;

/// Memory budget in KiB for all files that wait or are being read, over all clients together.
const BUDGET_KIB: usize = 4 * (MAX_MEDIA_BYTES >> 10);
/// Number of files whose results are remembered. Ten minutes of speech and face take 9 MB with Whisper tiny; most clips
/// take a fiftieth of that.
const REMEMBERED: usize = 32;

/// The result of reading a file, or the lasting fault of the file.
type Cell = Arc<OnceCell<Result<Arc<Read>, Fault>>>;
/// Results by the SHA-256 of the file, the most recently used first.
type Remembered = VecDeque<([u8; 32], Cell)>;

/// A reservation of part of the memory budget, for a file or the burst of a video. Clones share it; it is released when
/// the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Reservation {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// Reads media files within limits of memory and cores, and remembers the results. Cheap to clone.
#[derive(Clone)]
pub struct Extraction {
    /// The reader of media files, or the reason with which every file is refused.
    reader: Result<Arc<dyn ReadMedia>, Arc<str>>,
    limits: Limits,
    budget: Arc<Semaphore>,
    places: Arc<Semaphore>,
    remembered: Arc<Mutex<Remembered>>,
    meter: Meter,
}

impl Extraction {
    /// An extraction by `reader`; if that is an error, every file is refused with its text.
    pub fn new(reader: Result<Arc<dyn ReadMedia>, String>, meter: Meter) -> Extraction {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Extraction {
            reader: reader.map_err(Arc::from),
            limits: Limits { bytes: MAX_MEDIA_BYTES as u64, ..Limits::default() },
            budget: Arc::new(Semaphore::new(BUDGET_KIB)),
            places: Arc::new(Semaphore::new(cores.div_ceil(2))),
            remembered: Arc::default(),
            meter,
        }
    }

    /// Reserves memory for `bytes` bytes; waits while the budget is spent.
    pub async fn reserve(&self, bytes: usize) -> Reservation {
        let kib = (bytes / 1024 + 1).min(BUDGET_KIB) as u32;
        let permit = self.budget.clone().acquire_many_owned(kib).await.expect("never closed");
        Reservation { _permit: Arc::new(permit) }
    }

    /// Reads a media file, or returns the remembered result of an identical one. Work that was begun goes on if this
    /// future is dropped, and keeps its place among the readers and the file's `reservation` until it is done. A fault
    /// of the file is remembered too, unless it is transient ([`Unreadable::transient`]).
    ///
    /// # Errors
    /// Fails with the fault of the file, or with the reason why there is no reader.
    pub async fn extract(&self, file: Vec<u8>, reservation: Option<Reservation>) -> Result<Arc<Read>, Fault> {
        let refused = |why: &Arc<str>| Fault::new(ErrorCode::Unsupported, "media", &**why);
        let reader = self.reader.as_ref().map_err(refused)?;
        // Hashing tens of megabytes takes a while, in which the runtime has other clips to move.
        let hashed = tokio::task::spawn_blocking(move || (Sha256::digest(&file).into(), (file, reservation))).await;
        let (key, held) = hashed.map_err(|_| internal())?;
        let (cell, reader) = (self.cell(key), reader.clone());
        let read = || async move {
            match self.read(reader, held).await {
                Err(Unreadable { fault, transient: true }) => Err(fault),
                Err(Unreadable { fault, transient: false }) => Ok(Err(fault)),
                Ok(read) => Ok(Ok(Arc::new(read))),
            }
        };
        cell.get_or_try_init(read).await?.clone()
    }

    /// The cell that holds, or will hold, the result of the file with this hash.
    fn cell(&self, key: [u8; 32]) -> Cell {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let known = remembered.iter().position(|(known, _)| *known == key).and_then(|at| remembered.remove(at));
        let (key, cell) = known.unwrap_or_else(|| (key, Cell::default()));
        remembered.truncate(REMEMBERED - 1);
        remembered.push_front((key, cell.clone()));
        cell
    }

    async fn read(
        &self,
        reader: Arc<dyn ReadMedia>,
        (file, reservation): (Vec<u8>, Option<Reservation>),
    ) -> Result<Read, Unreadable> {
        let place = self.places.clone().acquire_owned().await.expect("never closed");
        let (limits, meter) = (self.limits.clone(), self.meter.clone());
        let work = move || {
            // A blocking thread cannot be cancelled: it keeps its place and its memory until it is done, whoever still
            // waits for it.
            let _held = (place, reservation);
            let began = Instant::now();
            let done = catch_unwind(AssertUnwindSafe(|| reader.read(Media::from_bytes(file, &limits))));
            meter.extracting.observe_since(began);
            done
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(read)) => read,
            // The panic hook has logged where.
            Ok(Err(_)) | Err(_) => Err(Unreadable { fault: internal(), transient: true }),
        }
    }
}

fn internal() -> Fault {
    Fault::new(ErrorCode::Internal, "media", "reading this file failed")
}

#[cfg(test)]
mod tests;
