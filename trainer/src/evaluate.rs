//! Evaluation in one process: the same halves, channel, keys and metrics as over the wire, so that both give the same bits.
//!
//! Every clip is encoded once. Each point of the sweep and each draw then sends its burst through `phy` under the noise key
//! (seed, draw, row), equalises and decodes it. Work is cut into batches that do not depend on the number of threads.

mod command;
mod loss;
mod seeds;
mod subject;

use std::{num::NonZeroUsize, ops::Range};

use corpus::{Clip, Corpus, CorpusError, Modality, OtherOrigin};
use metrics::{Context, Prediction, PredictionRow, Record};
use model::scheme::{ClipInput, InputError, InputErrorKind, ReceiverHalf, TransmitterHalf};
use phy::{ChannelSpec, Complex, Conditions, EqualiserError, NoiseKey, Symbols, draw, equalise};

use crate::parallel;

pub use command::{EvaluateArgs, run};
pub use subject::{Subject, Sweep};

/// Clips or bursts handed to a half at once.
const BATCH: usize = 64;

/// What to evaluate, on what.
pub struct Request<'a> {
    /// The half that encodes.
    pub transmitter: &'a dyn TransmitterHalf,
    /// The half that decodes, of the same model.
    pub receiver: &'a dyn ReceiverHalf,
    /// The scheme's name, for the records.
    pub scheme: &'a str,
    /// Lowest and highest SNR trained at, in dB, for the records.
    pub training_snr_db: Option<(f64, f64)>,
    /// Where the clips are from.
    pub corpus: &'a Corpus,
    /// Which of its splits.
    pub split: &'a str,
    /// Modalities that the clips are sent without. A clip that has nothing left is left out.
    pub without: &'a [Modality],
    /// The points of the sweep, each once, see [`phy::sweep`].
    pub points: &'a [Conditions],
    /// The numbers of the draws made at each point; the noiseless one gets the first.
    pub draws: Range<u32>,
    /// The seed of the channel.
    pub seed: u64,
    /// Threads to use; all available ones if `None`. Results do not depend on it.
    pub threads: Option<NonZeroUsize>,
    /// Called with the number of bursts just decoded, of [`Request::bursts`] in all.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// One record a point, in the order of [`metrics::records`].
    pub records: Vec<Record>,
    /// All predictions: point after point as requested, draw after draw, in row order.
    pub rows: Vec<PredictionRow>,
}

/// Why a request cannot be met.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The corpus lacks the split.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// Two halves of different models.
    #[error("the halves do not belong together: transmitter {transmitter}, receiver {receiver}")]
    Halves {
        /// The transmitter's model id.
        transmitter: String,
        /// The receiver's model id.
        receiver: String,
    },
    /// Features that the weights were not trained on.
    #[error("corpus {corpus}: {source}")]
    Origin {
        /// The corpus.
        corpus: String,
        /// What was expected and what came.
        source: OtherOrigin,
    },
    /// No draws to make.
    #[error("no draws: the range {0:?} is empty")]
    NoDraws(Range<u32>),
    /// No clip has anything but what it is sent without.
    #[error("{0}: no clip has anything left to send")]
    NothingLeft(String),
    /// A clip that the transmitter does not take.
    #[error("clip `{id}` (row {row}): {source}")]
    Clip {
        /// The clip.
        id: String,
        /// Its row in the corpus.
        row: usize,
        /// What is wrong with it.
        source: InputError,
    },
    /// Bursts that the receiver does not take.
    #[error("decoding at {conditions}: {source}")]
    Decode {
        /// The point of the sweep.
        conditions: Conditions,
        /// What is wrong with them.
        source: InputError,
    },
    /// A burst that cannot be equalised.
    #[error("clip `{id}` at {conditions}: {source}")]
    Equalise {
        /// The clip.
        id: String,
        /// The point of the sweep.
        conditions: Conditions,
        /// What is wrong with it.
        source: EqualiserError,
    },
}

impl Request<'_> {
    /// How many bursts will be decoded, the noiseless pass for the reference included.
    ///
    /// # Errors
    /// If the corpus lacks the split.
    pub fn bursts(&self) -> Result<u64, CorpusError> {
        let clips = self.clips()?.len();
        let draws: usize = self.passes().iter().map(|p| p.draws(self.draws.clone()).len()).sum();
        Ok((clips * draws) as u64)
    }

    /// The clips of the split that have something to send.
    fn clips(&self) -> Result<Vec<(usize, &Clip)>, CorpusError> {
        let mut clips = self.corpus.split(self.split)?;
        if !self.without.is_empty() {
            clips.retain(|(_, clip)| match self.transmitter.check(&self.input(clip)) {
                Err(error) => error.kind != InputErrorKind::Empty,
                Ok(()) => true,
            });
        }
        Ok(clips)
    }

    fn input(&self, clip: &Clip) -> ClipInput {
        ClipInput::from(clip).without(self.without)
    }

    /// The points, and where they lack it the noiseless one, last.
    fn passes(&self) -> Vec<Conditions> {
        let mut passes = self.points.to_vec();
        if !passes.contains(&Conditions::None) {
            passes.push(Conditions::None);
        }
        passes
    }

    /// Its name, and what it does without.
    fn scheme(&self) -> String {
        let without: Vec<&str> = self.without.iter().map(|modality| modality.name()).collect();
        match without.is_empty() {
            true => self.scheme.to_owned(),
            false => format!("{} without {}", self.scheme, without.join(" and ")),
        }
    }

    fn context(&self) -> Context {
        Context {
            scheme: self.scheme(),
            corpus: self.corpus.name.clone(),
            split: self.split.to_owned(),
            equaliser: self.receiver.equaliser().to_string(),
            training_snr_db: self.training_snr_db,
            symbols: self.transmitter.symbols(),
            model_id: self.receiver.model_id().to_owned(),
            seed: self.seed,
        }
    }
}

/// One batch of clips at one point and draw.
struct Job {
    conditions: Conditions,
    draw: u32,
    clips: Range<usize>,
}

/// Evaluates the request. The noiseless pass, which the reference needs, is always made, but reported only where asked for.
///
/// # Errors
/// See [`EvaluateError`]; of several faults the first in the order of the work.
pub fn evaluate(request: &Request) -> Result<Evaluation, EvaluateError> {
    let (transmitter, receiver) = (request.transmitter, request.receiver);
    if transmitter.model_id() != receiver.model_id() {
        return Err(EvaluateError::Halves {
            transmitter: transmitter.model_id().to_owned(),
            receiver: receiver.model_id().to_owned(),
        });
    }
    transmitter
        .origins()
        .check(&request.corpus.origins)
        .map_err(|source| EvaluateError::Origin { corpus: request.corpus.name.clone(), source })?;
    if request.draws.is_empty() {
        return Err(EvaluateError::NoDraws(request.draws.clone()));
    }
    let clips = request.clips()?;
    if clips.is_empty() {
        return Err(EvaluateError::NothingLeft(request.scheme()));
    }
    let bursts = encode(request, &clips)?;
    let jobs = jobs(request, clips.len());
    let done = parallel::map(jobs.len(), request.threads, |job| transmit(request, &jobs[job], &clips, &bursts))?;
    let rows: Vec<PredictionRow> = done.into_iter().flatten().collect();
    let (noiseless, noisy): (Vec<_>, Vec<_>) = rows.iter().cloned().partition(|r| r.snr_db.is_none());
    let rows = if request.points.contains(&Conditions::None) { rows } else { noisy };
    let records = metrics::records(&rows, &request.context(), Some(&noiseless));
    Ok(Evaluation { records, rows })
}

/// All clips to bursts, batch by batch.
fn encode(request: &Request, clips: &[(usize, &Clip)]) -> Result<Vec<Symbols>, EvaluateError> {
    let batches = batches(clips.len());
    let encode = |batch: usize| {
        let clips = &clips[batches[batch].clone()];
        let wrong = |(row, clip): (usize, &Clip)| {
            let id = clip.id.clone();
            move |source| EvaluateError::Clip { id, row, source }
        };
        let inputs: Vec<ClipInput> = clips.iter().map(|(_, clip)| request.input(clip)).collect();
        for (input, clip) in inputs.iter().zip(clips) {
            request.transmitter.check(input).map_err(wrong(*clip))?;
        }
        request.transmitter.encode(&inputs).map_err(wrong(clips[0]))
    };
    Ok(parallel::map(batches.len(), request.threads, encode)?.into_iter().flatten().collect())
}

fn batches(clips: usize) -> Vec<Range<usize>> {
    (0..clips).step_by(BATCH).map(|first| first..clips.min(first + BATCH)).collect()
}

fn jobs(request: &Request, clips: usize) -> Vec<Job> {
    let mut jobs = Vec::new();
    for conditions in request.passes() {
        for draw in conditions.draws(request.draws.clone()) {
            jobs.extend(batches(clips).into_iter().map(|clips| Job { conditions, draw, clips }));
        }
    }
    jobs
}

/// Sends one batch through the channel and decodes it.
fn transmit(
    request: &Request,
    job: &Job,
    clips: &[(usize, &Clip)],
    bursts: &[Symbols],
) -> Result<Vec<PredictionRow>, EvaluateError> {
    let conditions = job.conditions;
    let (clips, bursts) = (&clips[job.clips.clone()], &bursts[job.clips.clone()]);
    let mut equalised = Vec::with_capacity(clips.len());
    let mut coefficients = Vec::with_capacity(clips.len());
    for ((row, clip), burst) in clips.iter().zip(bursts) {
        let key = NoiseKey { seed: request.seed, draw: job.draw, row: *row as u64 };
        let received = draw(key, &conditions, burst.len()).apply(burst);
        let y = received.symbols.reals();
        let estimate = equalise(y, received.h, received.n0, request.receiver.equaliser());
        let wrong = |source| EvaluateError::Equalise { id: clip.id.clone(), conditions, source };
        equalised.push(estimate.map_err(wrong)?);
        coefficients.push(received.h);
    }
    let wrong = |source| EvaluateError::Decode { conditions, source };
    let predictions = request.receiver.decode(&equalised).map_err(wrong)?;
    (request.progress)(predictions.len() as u64);
    let row = |((clip, prediction), h)| prediction_row(job, clip, prediction, h);
    Ok(clips.iter().zip(predictions).zip(coefficients).map(row).collect())
}

fn prediction_row(job: &Job, clip: &(usize, &Clip), prediction: Prediction, h: Complex) -> PredictionRow {
    PredictionRow {
        id: clip.1.id.clone(),
        row: clip.0 as u64,
        draw: job.draw,
        channel: ChannelSpec::from(&job.conditions).to_string(),
        snr_db: job.conditions.snr_db().map(phy::SnrDb::db),
        label: clip.1.label,
        prediction,
        h_re: h.re,
        h_im: h.im,
    }
}

#[cfg(test)]
mod tests;
