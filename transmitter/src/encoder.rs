//! The compute thread: encodes the clips that wait, up to 64 in a batch, off the async runtime.

use runtime::observe::Histogram;
use schemes::scheme::{ClipInput, Csit, InputError, InputErrorKind, Transmission, Transmit, TransportFormat, isolated};
use std::sync::Arc;
use tokio::sync::mpsc;
use wire::Fault;
use wire::chunks::MAX_SYMBOLS;
use wire::fault::ErrorCode;

/// Maximum number of clips in a batch.
const BATCH: usize = 64;
/// Maximum number of clips, of all clients together, that wait for the compute thread.
const QUEUE: usize = 2 * BATCH;

// The longest transmission of any scheme fits into a burst.
const _: () = assert!(TransportFormat::MAX_CHANNEL_USES <= MAX_SYMBOLS);

/// A clip for the compute thread, with a ticket `T` that comes back with the result.
pub struct Job<T> {
    /// The content to encode.
    pub input: ClipInput,
    /// The CSIT of the burst: the channel that it will pass; `None` for weights that do not need it.
    pub csit: Option<Csit>,
    /// The submitter's data, returned with the result.
    pub ticket: T,
    /// The channel for the result. Whoever submits a job must keep a place free in it.
    pub reply: mpsc::Sender<Encoded<T>>,
}

/// The result of a [`Job`].
pub struct Encoded<T> {
    /// The ticket of the job.
    pub ticket: T,
    /// The symbols to send with their format, or why the clip cannot be encoded.
    pub transmission: Result<Transmission, Fault>,
}

/// A handle to the compute thread. The thread ends when the last handle is dropped.
pub struct Encoder<T> {
    jobs: mpsc::Sender<Job<T>>,
}

impl<T> Clone for Encoder<T> {
    fn clone(&self) -> Self {
        Encoder { jobs: self.jobs.clone() }
    }
}

impl<T: Send + 'static> Encoder<T> {
    /// Starts the compute thread, which encodes with `half` and observes its batch sizes in `sizes`.
    ///
    /// # Errors
    /// Fails if the system cannot create a thread.
    pub fn start(half: Arc<dyn Transmit>, sizes: Histogram) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        std::thread::Builder::new().name("encoder".into()).spawn(move || work(&*half, queue, &sizes))?;
        Ok(Encoder { jobs })
    }

    /// Submits a job; waits while the queue is full. Returns `false` if the compute thread has ended.
    pub async fn submit(&self, job: Job<T>) -> bool {
        self.jobs.send(job).await.is_ok()
    }
}

fn work<T>(half: &dyn Transmit, mut queue: mpsc::Receiver<Job<T>>, sizes: &Histogram) {
    let mut jobs = Vec::with_capacity(BATCH);
    while queue.blocking_recv_many(&mut jobs, BATCH) > 0 {
        // Clips of a client that has disconnected need not be encoded.
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
            // Never full, see `Job::reply`; closed if the client has disconnected meanwhile.
            let _ = reply.try_send(Encoded { ticket, transmission });
        }
    }
}

/// The wire's fault for an error of a scheme's input.
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
