//! Media files to features and what can be shown of them, off the runtime: one at a time for each two cores, as an extractor uses several itself. What a
//! file gave is remembered for a while, for the same one comes again at every point of a sweep.

use crate::meter::Meter;
use crate::reader::{Read, Reader};
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

type Cell = Arc<OnceCell<Result<Arc<Read>, Fault>>>;
/// By the hash of the file, the newest first.
type Remembered = VecDeque<([u8; 32], Cell)>;

/// A reader at work. Cheap to clone.
#[derive(Clone)]
pub struct Extraction {
    /// Or what is said where there is none.
    reader: Result<Arc<Reader>, Arc<str>>,
    limits: Limits,
    budget: Arc<Semaphore>,
    places: Arc<Semaphore>,
    remembered: Arc<Mutex<Remembered>>,
    meter: Meter,
}

impl Extraction {
    /// With this reader; where there is none, every file is refused with the words given instead.
    pub fn new(reader: Result<Reader, String>, meter: Meter) -> Extraction {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Extraction {
            reader: reader.map(Arc::new).map_err(Arc::from),
            limits: Limits { bytes: MAX_MEDIA_BYTES as u64, ..Limits::default() },
            budget: Arc::new(Semaphore::new(BUDGET_KIB)),
            places: Arc::new(Semaphore::new(cores.div_ceil(2))),
            remembered: Arc::default(),
            meter,
        }
    }

    /// Room for a file of so many bytes, to be held until it has been read. Waits while there is none.
    pub async fn room(&self, bytes: usize) -> OwnedSemaphorePermit {
        let kib = (bytes / 1024 + 1).min(BUDGET_KIB) as u32;
        self.budget.clone().acquire_many_owned(kib).await.expect("never closed")
    }

    /// What a file gives.
    ///
    /// # Errors
    /// What is wrong with it, or that there is no reader.
    pub async fn extract(&self, file: Vec<u8>) -> Result<Arc<Read>, Fault> {
        let refused = |why: &Arc<str>| Fault::new(ErrorCode::Unsupported, "media", &**why);
        let reader = self.reader.as_ref().map_err(refused)?;
        // Tens of megabytes take a while, in which the runtime has other clips to move.
        let hashed = tokio::task::spawn_blocking(move || (Sha256::digest(&file).into(), file)).await;
        let (key, file) = hashed.map_err(|_| internal())?;
        self.cell(key).get_or_init(|| self.read(reader.clone(), file)).await.clone()
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

    async fn read(&self, reader: Arc<Reader>, file: Vec<u8>) -> Result<Arc<Read>, Fault> {
        let _place = self.places.acquire().await.expect("never closed");
        let (limits, began) = (self.limits.clone(), Instant::now());
        let work = move || {
            let read = || reader.read(Media::from_bytes(file, &limits));
            catch_unwind(AssertUnwindSafe(read))
        };
        let done = tokio::task::spawn_blocking(work).await.ok();
        self.meter.extracting.observe_since(began);
        match done {
            Some(Ok(read)) => read.map(Arc::new),
            // The panic hook has told the log where.
            Some(Err(_)) | None => Err(internal()),
        }
    }
}

fn internal() -> Fault {
    Fault::new(ErrorCode::Internal, "media", "reading this file failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_extractors_a_file_is_refused_by_field() {
        let extraction = Extraction::new(Err("start with --extractors".into()), Meter::default());
        let fault = extraction.extract(vec![1]).await.unwrap_err();
        assert_eq!(fault, Fault::new(ErrorCode::Unsupported, "media", "start with --extractors"));
    }

    #[test]
    fn the_newest_files_are_remembered() {
        let extraction = Extraction::new(Err(String::new()), Meter::default());
        let first = extraction.cell([0; 32]);
        (1..REMEMBERED as u8).for_each(|n| drop(extraction.cell([n; 32])));
        assert!(Arc::ptr_eq(&first, &extraction.cell([0; 32])), "asked for again, it is the newest");
        let second = extraction.cell([1; 32]);
        drop(extraction.cell([99; 32]));
        assert!(Arc::ptr_eq(&second, &extraction.cell([1; 32])));
        assert_eq!(extraction.remembered.lock().unwrap().len(), REMEMBERED);
    }
}
