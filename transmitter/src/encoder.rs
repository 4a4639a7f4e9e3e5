//! The compute thread: encodes whatever clips wait, up to 64 at a time, and keeps that work off the runtime.

use runtime::observe::Histogram;
use schemes::scheme::{ChannelHint, ClipInput, Emission, InputError, InputErrorKind, TransmitterHalf};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::mpsc;
use wire::Fault;
use wire::chunks::MAX_SYMBOLS;
use wire::fault::ErrorCode;

/// Clips encoded at once at most.
const BATCH: usize = 64;
/// Clips of all clients that wait for the thread.
const QUEUE: usize = 2 * BATCH;

/// A clip to encode.
pub struct Job<T> {
    /// Has passed [`TransmitterHalf::check`].
    pub input: ClipInput,
    /// What the burst is going to meet, for a half that needs conditions or feedback.
    pub hint: Option<ChannelHint>,
    /// Comes back with the result.
    pub ticket: T,
    /// Where the result goes. Whoever submits a job keeps a place free there.
    pub reply: mpsc::Sender<Encoded<T>>,
}

/// What became of a job.
pub struct Encoded<T> {
    /// As it was submitted.
    pub ticket: T,
    /// The burst.
    pub emission: Result<Emission, Fault>,
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
    pub fn start(half: Arc<dyn TransmitterHalf>, sizes: Histogram) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        std::thread::Builder::new().name("encoder".into()).spawn(move || work(&*half, queue, &sizes))?;
        Ok(Encoder { jobs })
    }

    /// Waits for a place in the queue. `false` if the thread is gone.
    pub async fn submit(&self, job: Job<T>) -> bool {
        self.jobs.send(job).await.is_ok()
    }
}

fn work<T>(half: &dyn TransmitterHalf, mut queue: mpsc::Receiver<Job<T>>, sizes: &Histogram) {
    let mut jobs = Vec::with_capacity(BATCH);
    while queue.blocking_recv_many(&mut jobs, BATCH) > 0 {
        // Whose client has gone away need not be encoded.
        jobs.retain(|job| !job.reply.is_closed());
        sizes.observe(jobs.len() as f64);
        let hints: Vec<_> = jobs.iter().map(|job| job.hint).collect();
        let (inputs, owners): (Vec<_>, Vec<_>) = jobs.drain(..).map(|job| (job.input, (job.ticket, job.reply))).unzip();
        for (emission, (ticket, reply)) in encode(half, &inputs, &hints).into_iter().zip(owners) {
            let emission = emission.and_then(check_length);
            // Full never, see `Job::reply`; closed if the client has gone away meanwhile.
            let _ = reply.try_send(Encoded { ticket, emission });
        }
    }
}

/// One result for each input: a batch that fails as a whole is tried clip by clip.
fn encode(
    half: &dyn TransmitterHalf,
    inputs: &[ClipInput],
    hints: &[Option<ChannelHint>],
) -> Vec<Result<Emission, Fault>> {
    if inputs.is_empty() {
        return Vec::new();
    }
    let hints_of_all: Option<Vec<ChannelHint>> = hints.iter().copied().collect();
    let bursts = || half.emit(inputs, hints_of_all.as_deref());
    let fault = match catch_unwind(AssertUnwindSafe(bursts)) {
        Ok(Ok(bursts)) if bursts.len() == inputs.len() => {
            return bursts.into_iter().map(Ok).collect();
        }
        Ok(Ok(bursts)) => internal(format!("{} bursts for {} clips", bursts.len(), inputs.len())),
        Ok(Err(error)) => fault_of(error),
        // The panic hook has told the log where.
        Err(_) => internal("the encoder failed on this clip".into()),
    };
    match inputs {
        [_] => {
            tracing::error!(%fault, "a clip that had passed the check could not be encoded");
            vec![Err(fault)]
        }
        _ => inputs.chunks(1).zip(hints.chunks(1)).flat_map(|(input, hint)| encode(half, input, hint)).collect(),
    }
}

/// A transport block may take more symbols than a burst holds.
fn check_length(emission: Emission) -> Result<Emission, Fault> {
    let symbols = emission.symbols.len();
    if symbols <= MAX_SYMBOLS {
        return Ok(emission);
    }
    let problem = format!("it takes {symbols} symbols over this channel, a burst holds at most {MAX_SYMBOLS}");
    Err(Fault::new(ErrorCode::TooLong, "clip", problem))
}

fn internal(message: String) -> Fault {
    Fault::new(ErrorCode::Internal, "clip", message)
}

/// What a half says of an input, as the wire says it.
pub fn fault_of(error: InputError) -> Fault {
    let code = match error.kind {
        InputErrorKind::WrongWidth => ErrorCode::WrongWidth,
        InputErrorKind::NotFinite => ErrorCode::NotFinite,
        InputErrorKind::Empty => ErrorCode::Empty,
        InputErrorKind::TooLong => ErrorCode::TooLong,
        InputErrorKind::Unsupported => ErrorCode::Unsupported,
        InputErrorKind::WrongLength => ErrorCode::WrongLength,
    };
    Fault::new(code, error.field, error.message)
}
