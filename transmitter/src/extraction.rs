//! Media files to features and what can be shown of them, off the runtime: one at a time for each two cores, as an extractor uses several itself. What a
//! file gave is remembered for a while, for the same one comes again at every point of a sweep.

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

/// What files that wait or are being read may take together, over all clients, in KiB.
const BUDGET_KIB: usize = 4 * (MAX_MEDIA_BYTES >> 10);
/// Files of which is remembered what was found in them. Ten minutes of speech and face take
/// 9 MB with Whisper tiny; most clips a fiftieth of that.
const REMEMBERED: usize = 32;

/// What a file gave, or what is wrong with it for good.
type Cell = Arc<OnceCell<Result<Arc<Read>, Fault>>>;
/// By the hash of the file, the newest first.
type Remembered = VecDeque<([u8; 32], Cell)>;

/// Part of the memory budget, for a file or the burst of a video. Shared by all that hold one of these: it is free again when the
/// last is dropped.
#[derive(Clone, Debug)]
pub struct Reservation {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// A reader at work. Cheap to clone.
#[derive(Clone)]
pub struct Extraction {
    /// Or what is said where there is none.
    reader: Result<Arc<dyn ReadMedia>, Arc<str>>,
    limits: Limits,
    budget: Arc<Semaphore>,
    places: Arc<Semaphore>,
    remembered: Arc<Mutex<Remembered>>,
    meter: Meter,
}

impl Extraction {
    /// With this reader; where there is none, every file is refused with the words given instead.
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

    /// Reserves memory for so many bytes. Waits while the budget is spent.
    pub async fn reserve(&self, bytes: usize) -> Reservation {
        let kib = (bytes / 1024 + 1).min(BUDGET_KIB) as u32;
        let permit = self.budget.clone().acquire_many_owned(kib).await.expect("never closed");
        Reservation { _permit: Arc::new(permit) }
    }

    /// What a file gives. Work on it that has begun goes on when this is dropped, and keeps its place among the readers and the
    /// file's `reservation` until it is done. What is wrong with the file is remembered like what it gives, unless it hangs on the
    /// moment ([`Unreadable::transient`]).
    ///
    /// # Errors
    /// What is wrong with it, or that there is no reader.
    pub async fn extract(&self, file: Vec<u8>, reservation: Option<Reservation>) -> Result<Arc<Read>, Fault> {
        let refused = |why: &Arc<str>| Fault::new(ErrorCode::Unsupported, "media", &**why);
        let reader = self.reader.as_ref().map_err(refused)?;
        // Tens of megabytes take a while, in which the runtime has other clips to move.
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

    /// Where what the file with this hash gives is or will be.
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
            // A blocking thread cannot be called off: what it takes is its own until it is done, whoever still waits for it.
            let _held = (place, reservation);
            let began = Instant::now();
            let done = catch_unwind(AssertUnwindSafe(|| reader.read(Media::from_bytes(file, &limits))));
            meter.extracting.observe_since(began);
            done
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(read)) => read,
            // The panic hook has told the log where.
            Ok(Err(_)) | Err(_) => Err(Unreadable { fault: internal(), transient: true }),
        }
    }
}

fn internal() -> Fault {
    Fault::new(ErrorCode::Internal, "media", "reading this file failed")
}

#[cfg(test)]
mod tests;
