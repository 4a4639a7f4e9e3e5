//! Evaluation in one process: the same halves, channel, keys and metrics as over the wire, so that both give the same bits.
//!
//! Every clip is read once. Each point of the sweep and each draw then sends its burst through `phy` under the noise key
//! (seed, draw, row), equalises and decodes it. With feedback the burst is another at each point and draw, made knowing what it
//! will meet; a scheme of transport blocks makes its bursts point by point. Work is cut into batches that do not depend on the number of threads.

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

/// Clips or bursts handed to a half at once.
const BATCH: usize = 64;

/// What to evaluate, on what.
pub struct Request<'a> {
    /// The half that encodes.
    pub transmitter: &'a dyn Transmit,
    /// The half that decodes, of the same model.
    pub receiver: &'a dyn Receive,
    /// The scheme's name, for the records.
    pub scheme: &'a str,
    /// Lowest and highest SNR trained at, in dB, for the records.
    pub training_snr_db: Option<(f64, f64)>,
    /// The seed that the weights were trained with, for the records.
    pub training_seed: Option<u64>,
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
            clips.retain(|(_, clip)| self.transmitter.card().finds_content(&self.input(clip)));
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
            equaliser: self.receiver.card().equaliser.to_string(),
            training_snr_db: self.training_snr_db,
            symbols: self.transmitter.card().channel_uses.fixed().unwrap_or(0),
            model_id: self.receiver.card().model_id.clone(),
            seed: self.seed,
            training_seed: self.training_seed,
        }
    }
}

/// All clips over one point and draw.
#[derive(Clone, Copy)]
struct Round {
    conditions: Conditions,
    draw: u32,
}

impl Round {
    /// The noise key of the clip in `row`.
    fn key(&self, request: &Request, row: usize) -> NoiseKey {
        NoiseKey { seed: request.seed, draw: self.draw, row: row as u64 }
    }
}

/// One batch of clips in one round.
struct Job<'a> {
    round: Round,
    clips: &'a [(usize, &'a Clip)],
    /// `None`: they are made here, for they are long and of this round alone.
    bursts: Option<&'a [Transmission]>,
}

/// Evaluates the request. The noiseless pass, which the reference needs, is always made, but reported only where asked for.
///
/// # Errors
/// See [`EvaluateError`]; of several faults the first in the order of the work.
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

/// Of jobs and the complex symbols that the bursts of each have together.
fn channel_uses(jobs: &[Job], symbols: &[usize]) -> ChannelUses {
    let mut uses = ChannelUses::default();
    for (job, symbols) in jobs.iter().zip(symbols) {
        let conditions = &job.round.conditions;
        let (channel, snr_db) = (ChannelSpec::from(conditions).to_string(), conditions.snr_db().map(phy::SnrDb::db));
        uses.add(&channel, snr_db, *symbols as u64, job.clips.len() as u64);
    }
    uses
}

/// A batch of clips to bursts: one each, or where they depend on the channel one each for every round, round after round.
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

/// Every pass, draw after draw.
fn rounds(request: &Request) -> Vec<Round> {
    let of =
        |conditions: Conditions| conditions.draws(request.draws.clone()).map(move |draw| Round { conditions, draw });
    request.passes().into_iter().flat_map(of).collect()
}

/// Round after round all batches, with their bursts.
fn jobs<'a>(
    rounds: &[Round],
    batches: &[&'a [(usize, &'a Clip)]],
    bursts: &'a [Option<Vec<Transmission>>],
) -> Vec<Job<'a>> {
    let mut jobs = Vec::with_capacity(rounds.len() * batches.len());
    for (at, round) in rounds.iter().enumerate() {
        jobs.extend(batches.iter().zip(bursts).map(|(clips, bursts)| {
            let bursts = bursts.as_ref().map(|bursts| {
                // Without feedback there is one round of them, for all.
                let first = if bursts.len() == clips.len() { 0 } else { at * clips.len() };
                &bursts[first..first + clips.len()]
            });
            Job { round: *round, clips, bursts }
        }));
    }
    jobs
}

/// Sends one batch through the channel and decodes it. Gives the predictions, and the complex symbols of all bursts together.
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
