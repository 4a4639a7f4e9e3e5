//! Evaluation of weights in one process: the same halves, channel, noise keys and metrics as over the wire, so that
//! both give the same bits.
//!
//! Every clip is encoded once. At each point of the sweep and each draw its burst then passes through the channel of
//! `phy` under the noise key (seed, draw, row), is equalised and decoded. With CSIT the burst is encoded anew for each
//! point and draw, from the channel that it will pass through; a scheme of transport blocks encodes at each point. The
//! work is cut into batches that do not depend on the number of threads.

mod args;
mod command;
mod constant;
mod loss;
mod seeds;
mod subject;
mod sweep_options;

use std::{num::NonZeroUsize, ops::Range};

use corpus::{Clip, Corpus, CorpusError, Modality, OtherOrigin};
use metrics::{ChannelUses, Context, Prediction, PredictionRow, Record};
use phy::{ChannelSpec, Complex, Conditions, EqualiserError, NoiseKey, draw, equalise};
use schemes::scheme::{ChannelKnowledge, ClipInput, Csit, InputError, Receive, ReceivedBurst, Transmission, Transmit};

use crate::parallel;

pub use args::EvaluateArgs;
pub use command::run;
pub use subject::{Subject, Sweep};
pub use sweep_options::{ScoredClips, SweepOptions};

/// Maximum number of clips or bursts that a half gets at once.
const BATCH: usize = 64;

/// What to evaluate: the two halves of a model, the clips, and the sweep of channels.
pub struct Request<'a> {
    /// The transmitter half, which encodes the clips.
    pub transmitter: &'a dyn Transmit,
    /// The receiver half of the same model, which decodes the bursts.
    pub receiver: &'a dyn Receive,
    /// Name of the scheme in the records.
    pub scheme: &'a str,
    /// Lowest and highest training SNR in dB, for the records; `None` if unknown.
    pub training_snr_db: Option<(f64, f64)>,
    /// Training seed of the weights, for the records; `None` if unknown.
    pub training_seed: Option<u64>,
    /// The corpus that the clips are taken from.
    pub corpus: &'a Corpus,
    /// Split of the corpus that is evaluated.
    pub split: &'a str,
    /// Modalities that are dropped from every clip. A clip that then has nothing left is left out.
    pub without: &'a [Modality],
    /// The points of the sweep, each channel and SNR once; see [`phy::sweep`].
    pub points: &'a [Conditions],
    /// Numbers of the channel draws made at each point; the noiseless point gets the first one only.
    pub draws: Range<u32>,
    /// Seed of the channel.
    pub seed: u64,
    /// Threads to use; all available ones if `None`. Results do not depend on it.
    pub threads: Option<NonZeroUsize>,
    /// Called with the number of bursts just decoded, of [`Request::bursts`] in all.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// Result of an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The scores, one record for each point, in the order of [`metrics::records`].
    pub records: Vec<Record>,
    /// All predictions: point after point as requested, draw after draw, clips in row order.
    pub rows: Vec<PredictionRow>,
}

/// Reasons why an evaluation fails.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The corpus lacks the requested split.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// The two halves are of different models.
    #[error("the halves do not belong together: transmitter {transmitter}, receiver {receiver}")]
    Halves {
        /// Model id of the transmitter half.
        transmitter: String,
        /// Model id of the receiver half.
        receiver: String,
    },
    /// The corpus has features of another provenance than those that the weights were trained on.
    #[error("corpus {corpus}: {source}")]
    Origin {
        /// Name of the corpus.
        corpus: String,
        /// The feature provenance that was expected and the one that was found.
        source: OtherOrigin,
    },
    /// The requested range of draws is empty.
    #[error("no draws: the range {0:?} is empty")]
    NoDraws(Range<u32>),
    /// After the requested modalities were dropped, no clip has anything left to send. Holds the name of the scheme
    /// with the dropped modalities.
    #[error("{0}: no clip has anything left to send")]
    NothingLeft(String),
    /// The transmitter does not accept a clip.
    #[error("clip `{id}` (row {row}): {source}")]
    Clip {
        /// Id of the clip.
        id: String,
        /// Row of the clip in the corpus.
        row: usize,
        /// What is wrong with the clip.
        source: InputError,
    },
    /// The receiver does not accept the bursts of one batch.
    #[error("decoding at {conditions}: {source}")]
    Decode {
        /// The point of the sweep that the bursts were sent at.
        conditions: Conditions,
        /// What is wrong with the bursts.
        source: InputError,
    },
    /// A received burst cannot be equalised.
    #[error("clip `{id}` at {conditions}: {source}")]
    Equalise {
        /// Id of the clip.
        id: String,
        /// The point of the sweep that the burst was sent at.
        conditions: Conditions,
        /// Why the burst cannot be equalised.
        source: EqualiserError,
    },
}

impl Request<'_> {
    /// Number of bursts that the evaluation decodes, including those of the noiseless pass for the matched-filter
    /// reference.
    ///
    /// # Errors
    /// If the corpus lacks the split.
    pub fn bursts(&self) -> Result<u64, CorpusError> {
        let clips = self.clips()?.len();
        let draws: usize = self.passes().iter().map(|p| p.draws(self.draws.clone()).len()).sum();
        Ok((clips * draws) as u64)
    }

    /// Row and clip of each clip of the split that has something left to send.
    fn clips(&self) -> Result<Vec<(usize, &Clip)>, CorpusError> {
        let mut clips = self.corpus.split(self.split)?;
        if !self.without.is_empty() {
            clips.retain(|(_, clip)| self.transmitter.card().finds_content(&self.input(clip)));
        }
        Ok(clips)
    }

    fn input(&self, clip: &Clip) -> ClipInput {
        ClipInput::from(clip).without(self.without)
    }

    /// The points that are evaluated: the requested ones, and the noiseless one last if it is not among them.
    fn passes(&self) -> Vec<Conditions> {
        let mut passes = self.points.to_vec();
        if !passes.contains(&Conditions::None) {
            passes.push(Conditions::None);
        }
        passes
    }

    /// Name of the scheme in the records, with the dropped modalities.
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
            equaliser: self.receiver.card().equaliser.to_string(),
            training_snr_db: self.training_snr_db,
            symbols: self.transmitter.card().channel_uses.fixed().unwrap_or(0),
            model_id: self.receiver.card().model_id.clone(),
            seed: self.seed,
            training_seed: self.training_seed,
        }
    }
}

/// One draw of the channel at one point, which all clips pass through.
#[derive(Clone, Copy)]
struct Round {
    conditions: Conditions,
    draw: u32,
}

impl Round {
    /// The noise key of the clip in the corpus row `row`.
    fn key(&self, request: &Request, row: usize) -> NoiseKey {
        NoiseKey { seed: request.seed, draw: self.draw, row: row as u64 }
    }
}

/// One batch of clips in one round.
struct Job<'a> {
    round: Round,
    clips: &'a [(usize, &'a Clip)],
    /// The bursts of the clips; `None` where they are encoded within the job, because they are long and belong to this
    /// round alone.
    bursts: Option<&'a [Transmission]>,
}

/// Evaluates a request. The noiseless pass, which the matched-filter reference needs, is always made, but its records
/// are returned only if the request has the noiseless point.
///
/// # Errors
/// The variants of [`EvaluateError`]; of several errors the first in the order of the work.
pub fn evaluate(request: &Request) -> Result<Evaluation, EvaluateError> {
    let (sent, received) = (request.transmitter.card(), request.receiver.card());
    if sent.model_id != received.model_id {
        return Err(EvaluateError::Halves { transmitter: sent.model_id.clone(), receiver: received.model_id.clone() });
    }
    sent.provenance()
        .check(&request.corpus.origins)
        .map_err(|source| EvaluateError::Origin { corpus: request.corpus.name.clone(), source })?;
    if request.draws.is_empty() {
        return Err(EvaluateError::NoDraws(request.draws.clone()));
    }
    let clips = request.clips()?;
    if clips.is_empty() {
        return Err(EvaluateError::NothingLeft(request.scheme()));
    }
    let batches: Vec<&[(usize, &Clip)]> = clips.chunks(BATCH).collect();
    let rounds = rounds(request);
    let bursts = match sent.needs == ChannelKnowledge::Conditions {
        true => vec![None; batches.len()],
        false => {
            parallel::map(batches.len(), request.threads, |batch| encode(request, batches[batch], &rounds).map(Some))?
        }
    };
    let jobs = jobs(&rounds, &batches, &bursts);
    let done = parallel::map(jobs.len(), request.threads, |job| transmit(request, &jobs[job]))?;
    let (done, symbols): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    let rows: Vec<PredictionRow> = done.into_iter().flatten().collect();
    let (noiseless, noisy): (Vec<_>, Vec<_>) = rows.iter().cloned().partition(|r| r.snr_db.is_none());
    let rows = if request.points.contains(&Conditions::None) { rows } else { noisy };
    let mut records = metrics::records(&rows, &request.context(), Some(&noiseless));
    channel_uses(&jobs, &symbols).fill(&mut records);
    Ok(Evaluation { records, rows })
}

/// Channel uses of each point, from the jobs and the number of complex symbols in all bursts of each job.
fn channel_uses(jobs: &[Job], symbols: &[usize]) -> ChannelUses {
    let mut uses = ChannelUses::default();
    for (job, symbols) in jobs.iter().zip(symbols) {
        let conditions = &job.round.conditions;
        let (channel, snr_db) = (ChannelSpec::from(conditions).to_string(), conditions.snr_db().map(phy::SnrDb::db));
        uses.add(&channel, snr_db, *symbols as u64, job.clips.len() as u64);
    }
    uses
}

/// Encodes a batch of clips: one burst for each clip, or, where bursts depend on the channel, one for each clip in
/// every round, round after round.
fn encode(request: &Request, clips: &[(usize, &Clip)], rounds: &[Round]) -> Result<Vec<Transmission>, EvaluateError> {
    let wrong = |(row, clip): (usize, &Clip)| {
        let id = clip.id.clone();
        move |source| EvaluateError::Clip { id, row, source }
    };
    let inputs: Vec<ClipInput> = clips.iter().map(|(_, clip)| request.input(clip)).collect();
    let knows_nothing = request.transmitter.card().needs == ChannelKnowledge::Nothing;
    let rounds = if knows_nothing { &[] } else { rounds };
    let known = |round: &Round, row| Some(Csit::ahead(round.key(request, row), &round.conditions));
    let csit: Vec<_> = rounds.iter().flat_map(|round| clips.iter().map(move |(row, _)| known(round, *row))).collect();
    let results = request.transmitter.transmit(&inputs, &csit).into_iter();
    results.zip(clips.iter().cycle()).map(|(result, clip)| result.map_err(wrong(*clip))).collect()
}

/// The rounds of the evaluation: point after point, draw after draw.
fn rounds(request: &Request) -> Vec<Round> {
    let of =
        |conditions: Conditions| conditions.draws(request.draws.clone()).map(move |draw| Round { conditions, draw });
    request.passes().into_iter().flat_map(of).collect()
}

/// The jobs of the evaluation: round after round all batches, with their bursts.
fn jobs<'a>(
    rounds: &[Round],
    batches: &[&'a [(usize, &'a Clip)]],
    bursts: &'a [Option<Vec<Transmission>>],
) -> Vec<Job<'a>> {
    let mut jobs = Vec::with_capacity(rounds.len() * batches.len());
    for (at, round) in rounds.iter().enumerate() {
        jobs.extend(batches.iter().zip(bursts).map(|(clips, bursts)| {
            let bursts = bursts.as_ref().map(|bursts| {
                // Without CSIT there is one set of bursts, for all rounds.
                let first = if bursts.len() == clips.len() { 0 } else { at * clips.len() };
                &bursts[first..first + clips.len()]
            });
            Job { round: *round, clips, bursts }
        }));
    }
    jobs
}

/// Sends one batch of clips through the channel and decodes it. Returns the predictions, and the number of complex
/// symbols in all bursts together.
fn transmit(request: &Request, job: &Job) -> Result<(Vec<PredictionRow>, usize), EvaluateError> {
    let Job { round, clips, bursts } = *job;
    let own;
    let bursts = match bursts {
        Some(bursts) => bursts,
        None => {
            own = encode(request, clips, &[round])?;
            own.as_slice()
        }
    };
    let conditions = round.conditions;
    let mut received = Vec::with_capacity(clips.len());
    let mut coefficients = Vec::with_capacity(clips.len());
    for ((row, clip), Transmission { symbols, format }) in clips.iter().zip(bursts) {
        let behind = draw(round.key(request, *row), &conditions, symbols.len()).apply(symbols);
        let y = behind.symbols.reals();
        let estimate = equalise(y, behind.h, behind.n0, request.receiver.card().equaliser);
        let wrong = |source| EvaluateError::Equalise { id: clip.id.clone(), conditions, source };
        received.push(ReceivedBurst { equalised: estimate.map_err(wrong)?, format: *format });
        coefficients.push(behind.h);
    }
    let wrong = |source| EvaluateError::Decode { conditions, source };
    let predictions = request.receiver.receive(&received).into_iter();
    let predictions = predictions.collect::<Result<Vec<Prediction>, _>>().map_err(wrong)?;
    (request.progress)(predictions.len() as u64);
    let row = |((clip, prediction), h)| prediction_row(&round, clip, prediction, h);
    let symbols = bursts.iter().map(|burst| burst.symbols.len()).sum();
    Ok((clips.iter().zip(predictions).zip(coefficients).map(row).collect(), symbols))
}

fn prediction_row(round: &Round, clip: &(usize, &Clip), prediction: Prediction, h: Complex) -> PredictionRow {
    PredictionRow {
        id: clip.1.id.clone(),
        row: clip.0 as u64,
        draw: round.draw,
        channel: ChannelSpec::from(&round.conditions).to_string(),
        snr_db: round.conditions.snr_db().map(phy::SnrDb::db),
        label: clip.1.label,
        prediction,
        h_re: h.re,
        h_im: h.im,
    }
}

#[cfg(test)]
mod tests;
