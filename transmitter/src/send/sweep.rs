//! A sweep over a corpus: sends every clip at every point and draw, and scores the predictions.

use super::answer::Answer;
use super::client::Client;
use super::pace::{Pace, Rate};
use super::plan::{Part, Pass, Plan, Prepared, Shot, prepare};
use anyhow::{Result, bail};
use corpus::{Corpus, CorpusError, Identity, Modality};
use metrics::{ChannelUses, Context, PredictionRow, Record};
use phy::{ChannelSpec, Conditions, SnrDb};
use proto::v1::{Model, Outcome};
use runtime::PeerUrl;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use wire::Fault;

/// A request for a sweep over the split of a corpus.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The URL of the transmitter, which need not be reachable yet.
    pub to: &'a PeerUrl,
    /// The corpus that the clips are from.
    pub corpus: &'a Corpus,
    /// The name of the split to send.
    pub split: &'a str,
    /// The channel conditions of the sweep, each once, see [`phy::sweep`]; `None` for the emulator's live conditions.
    pub points: Option<&'a [Conditions]>,
    /// The numbers of the draws at each point; the noiseless point has only the first of them.
    pub draws: Range<u32>,
    /// The seed of the channel noise.
    pub seed: u64,
}

/// The result of a [`Request`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The metrics: one record for each point, in the order of [`metrics::records`].
    pub records: Vec<Record>,
    /// All requested predictions: by point in the order of the request, then by draw, then by row.
    pub rows: Vec<PredictionRow>,
    /// The clips that were answered with an error, in the order in which they were sent.
    pub failures: Vec<Failure>,
    /// Number of clips sent, including the noiseless pass for the matched-filter reference.
    pub clips: u64,
}

/// A clip that was answered without a prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The identifier of the clip.
    pub id: String,
    /// The point of the sweep, such as `awgn -12 dB`, or `live conditions`.
    pub point: String,
    /// The error that the clip was answered with.
    pub reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "clip `{}` at {}: {}", self.id, self.point, self.reason)
    }
}

impl Request<'_> {
    /// Number of clips that will be sent, including the noiseless pass for the matched-filter reference.
    ///
    /// # Errors
    /// Fails if the corpus lacks the split.
    pub fn clips(&self) -> Result<u64, CorpusError> {
        let draws: usize = self.passes().iter().map(|pass| pass.draws.len()).sum();
        Ok((self.corpus.split(self.split)?.len() * draws) as u64)
    }

    /// One pass for each point; if no point is noiseless, a noiseless pass is added at the end for the matched-filter
    /// reference.
    fn passes(&self) -> Vec<Pass> {
        let pinned = |conditions: &Conditions| {
            let draws = conditions.draws(self.draws.clone());
            Pass { conditions: Some(*conditions), draws }
        };
        let mut passes = match self.points {
            Some(points) => points.iter().map(pinned).collect(),
            None => vec![Pass { conditions: None, draws: self.draws.clone() }],
        };
        if !self.reports_noiseless() {
            passes.push(pinned(&Conditions::None));
        }
        passes
    }

    /// Whether the noiseless point was requested and is therefore reported.
    fn reports_noiseless(&self) -> bool {
        self.points.is_some_and(|points| points.contains(&Conditions::None))
    }

    pub(super) fn context(&self, model: &Model) -> Context {
        Context {
            scheme: model.scheme.clone().unwrap_or_default(),
            corpus: self.corpus.name.clone(),
            split: self.split.to_owned(),
            equaliser: model.equaliser.clone().unwrap_or_default(),
            training_snr_db: model.training_snr_low_db.zip(model.training_snr_high_db),
            symbols: model.symbols.unwrap_or(0) as usize,
            model_id: model.model_id.clone(),
            seed: self.seed,
            training_seed: model.training_seed,
        }
    }
}

/// Sends every clip of the split at every point and draw, and a noiseless pass for the matched-filter reference, which
/// is reported only if it was requested. `progress` is called at every outcome, [`Request::clips`] times in total.
///
/// Waits while the transmitter cannot be reached, and continues after a disconnection with the clips that are not
/// answered.
///
/// # Errors
/// Fails if the corpus lacks the split, the draws are empty, the transmitter refuses the stream for good, or its
/// weights change during the sweep. A clip that is answered with an error is not a failure of the sweep, see
/// [`Sent::failures`].
pub async fn send_corpus(request: &Request<'_>, progress: impl FnMut()) -> Result<Sent> {
    send_paced(request, None, progress).await
}

/// Sends a sweep like [`send_corpus`], at most at `rate` clips per second if that is given.
pub(super) async fn send_paced(request: &Request<'_>, rate: Option<Rate>, mut progress: impl FnMut()) -> Result<Sent> {
    if request.draws.is_empty() {
        bail!("no draws: the range {:?} is empty", request.draws);
    }
    let clips = prepared(request)?;
    let mut client = Client::new(request.to);
    let model = client.model().await?;
    let plan = Arc::new(Plan::new(Part::begin(), clips, request.passes(), Some(request.seed)));
    let mut rows: Vec<(u64, PredictionRow)> = Vec::new();
    let mut failures: Vec<(u64, Failure)> = Vec::new();
    let mut uses = ChannelUses::default();
    client
        .exchange(&plan, Pace::new(rate), |sequence, outcome| {
            let shot = plan.shot(sequence);
            check_model(&model, &outcome)?;
            let symbols = outcome.symbols;
            match row(&plan, shot, outcome) {
                Ok(row) => {
                    count(&mut uses, &row, symbols);
                    rows.push((sequence, row));
                }
                Err(reason) => failures.push((sequence, failure(&plan, shot, reason))),
            }
            progress();
            Ok(())
        })
        .await?;
    rows.sort_by_key(|(sequence, _)| *sequence);
    failures.sort_by_key(|(sequence, _)| *sequence);
    let failures = failures.into_iter().map(|(_, failure)| failure).collect();
    let (mut records, rows) = score(request, &plan, &model, rows);
    uses.fill(&mut records);
    Ok(Sent { records, rows, failures, clips: plan.len() })
}

/// The clips of the requested split as messages to send.
pub(super) fn prepared(request: &Request<'_>) -> Result<Arc<[Prepared]>, CorpusError> {
    let Corpus { origins, .. } = request.corpus;
    let origins = Modality::ALL.map(|modality| origins.get(modality).map(Identity::id));
    Ok(request.corpus.split(request.split)?.into_iter().map(|(row, clip)| prepare(row, clip, &origins)).collect())
}

/// Fails if an outcome was given by a model other than `model`: results of two models must not be mixed in one table.
pub(super) fn check_model(model: &Model, outcome: &Outcome) -> Result<()> {
    if !outcome.model_id.is_empty() && outcome.model_id != model.model_id {
        bail!("the transmitter's weights changed on the way, from {} to {}", model.model_id, outcome.model_id);
    }
    Ok(())
}

/// The prediction row of an outcome, or the fault for which it has none.
pub(super) fn row(plan: &Plan, shot: Shot, outcome: Outcome) -> Result<PredictionRow, Fault> {
    let Answer { prediction, met, report } = Answer::of(outcome, plan.pass(shot).conditions)?;
    let Prepared { message, row, .. } = plan.clip(shot);
    Ok(PredictionRow {
        id: message.id.clone(),
        row: *row,
        draw: shot.draw,
        channel: ChannelSpec::from(&met).to_string(),
        snr_db: met.snr_db().map(SnrDb::db),
        label: message.label.unwrap_or_default(),
        prediction,
        h_re: report.h_re,
        h_im: report.h_im,
    })
}

/// Counts the complex channel uses (`symbols`) of a predicted clip; 0 means that the transmitter did not report them.
pub(super) fn count(uses: &mut ChannelUses, row: &PredictionRow, symbols: u64) {
    if symbols > 0 {
        uses.add(&row.channel, row.snr_db, symbols, 1);
    }
}

pub(super) fn failure(plan: &Plan, shot: Shot, reason: Fault) -> Failure {
    let point = plan.pass(shot).conditions.map_or("live conditions".to_owned(), |pinned| pinned.to_string());
    Failure { id: plan.clip(shot).message.id.clone(), point, reason: reason.to_string() }
}

/// The records of all points, and the rows of the requested points.
fn score(
    request: &Request<'_>,
    plan: &Plan,
    model: &Model,
    rows: Vec<(u64, PredictionRow)>,
) -> (Vec<Record>, Vec<PredictionRow>) {
    let pinned_noiseless = |sequence: u64| plan.pass(plan.shot(sequence)).conditions == Some(Conditions::None);
    let keep = request.reports_noiseless();
    let (mut reported, mut noiseless) = (Vec::with_capacity(rows.len()), Vec::new());
    for (sequence, row) in rows {
        match pinned_noiseless(sequence) {
            true if keep => {
                noiseless.push(row.clone());
                reported.push(row);
            }
            true => noiseless.push(row),
            false => reported.push(row),
        }
    }
    let records = metrics::records(&reported, &request.context(model), Some(&noiseless));
    (records, reported)
}
