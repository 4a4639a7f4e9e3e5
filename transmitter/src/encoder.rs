//! The compute thread: encodes whatever clips wait, up to 64 at a time, and keeps that work off the runtime.

use runtime::observe::Histogram;
use schemes::scheme::{ClipInput, Csit, InputError, InputErrorKind, Transmission, Transmit, TransportFormat, isolated};
use std::sync::Arc;
use tokio::sync::mpsc;
use wire::Fault;
use wire::chunks::MAX_SYMBOLS;
use wire::fault::ErrorCode;

/// Clips encoded at once at most.
const BATCH: usize = 64;
/// Clips of all clients that wait for the thread.
const QUEUE: usize = 2 * BATCH;

// What a scheme sends at most, a burst holds.
const _: () = assert!(TransportFormat::MAX_CHANNEL_USES <= MAX_SYMBOLS);

/// A clip to encode.
pub struct Job<T> {
    /// What is encoded.
    pub input: ClipInput,
    /// What the burst is going to meet, for weights that need to know it.
    pub csit: Option<Csit>,
    /// Comes back with the result.
    pub ticket: T,
    /// Where the result goes. Whoever submits a job keeps a place free there.
    pub reply: mpsc::Sender<Encoded<T>>,
}

/// What became of a job.
pub struct Encoded<T> {
    /// As it was submitted.
    pub ticket: T,
    /// What is sent.
    pub transmission: Result<Transmission, Fault>,
}

/// A handle to the compute thread, which ends with the last handle.
pub struct Encoder<T> {
    jobs: mpsc::Sender<Job<T>>,
}

impl<T> Clone for Encoder<T> {
    fn clone(&self) -> Self {
        Encoder { jobs: self.jobs.clone() }
    }
}

impl<T: Send + 'static> Encoder<T> {
    /// Starts the thread. The sizes of its batches go to `sizes`.
    ///
    /// # Errors
    /// If the system has no thread to give.
    pub fn start(half: Arc<dyn Transmit>, sizes: Histogram) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        std::thread::Builder::new().name("encoder".into()).spawn(move || work(&*half, queue, &sizes))?;
        Ok(Encoder { jobs })
    }

    /// Waits for a place in the queue. `false` if the thread is gone.
    pub async fn submit(&self, job: Job<T>) -> bool {
        self.jobs.send(job).await.is_ok()
    }
}

fn work<T>(half: &dyn Transmit, mut queue: mpsc::Receiver<Job<T>>, sizes: &Histogram) {
    let mut jobs = Vec::with_capacity(BATCH);
    while queue.blocking_recv_many(&mut jobs, BATCH) > 0 {
        // Whose client has gone away need not be encoded.
        jobs.retain(|job| !job.reply.is_closed());
        sizes.observe(jobs.len() as f64);
        let csit: Vec<_> = jobs.iter().map(|job| job.csit).collect();
        let (inputs, owners): (Vec<_>, Vec<_>) = jobs.drain(..).map(|job| (job.input, (job.ticket, job.reply))).unzip();
        for (result, (ticket, reply)) in isolated::transmit(half, &inputs, &csit).into_iter().zip(owners) {
            let transmission = result.map_err(fault_of);
            if let Err(fault) = &transmission
                && fault.code == ErrorCode::Internal
            {
                tracing::error!(%fault, "a clip could not be encoded");
            }
            // Full never, see `Job::reply`; closed if the client has gone away meanwhile.
            let _ = reply.try_send(Encoded { ticket, transmission });
        }
    }
}

/// Why an item is refused, as the wire says it.
pub fn fault_of(error: InputError) -> Fault {
    let code = match error.kind {
        InputErrorKind::WrongWidth => ErrorCode::WrongWidth,
        InputErrorKind::NotFinite => ErrorCode::NotFinite,
        InputErrorKind::Empty => ErrorCode::Empty,
        InputErrorKind::TooLong => ErrorCode::TooLong,
        InputErrorKind::Unsupported => ErrorCode::Unsupported,
        InputErrorKind::WrongLength => ErrorCode::WrongLength,
        InputErrorKind::Damaged => ErrorCode::Malformed,
        InputErrorKind::Internal => ErrorCode::Internal,
    };
    Fault::new(code, error.field, error.message)
}
