//! A sweep over a corpus: every clip at every point and draw, and what came of it.

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

/// What to send where.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The transmitter; it need not be there yet.
    pub to: &'a PeerUrl,
    /// Where the clips are from.
    pub corpus: &'a Corpus,
    /// Which of its splits.
    pub split: &'a str,
    /// The points of the sweep, each once, see [`phy::sweep`]; `None` for the emulator's live conditions.
    pub points: Option<&'a [Conditions]>,
    /// The numbers of the draws made at each point; the noiseless one gets the first.
    pub draws: Range<u32>,
    /// The seed of the channel.
    pub seed: u64,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// One record a point, in the order of [`metrics::records`].
    pub records: Vec<Record>,
    /// All predictions: point after point as requested, draw after draw, in row order.
    pub rows: Vec<PredictionRow>,
    /// Clips that were answered with an error, in the order in which they were sent.
    pub failures: Vec<Failure>,
    /// How many were sent, the noiseless pass for the reference included.
    pub clips: u64,
}

/// A clip that has no prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The clip.
    pub id: String,
    /// The point of the sweep, such as `awgn -12 dB`, or `live conditions`.
    pub point: String,
    /// What was answered.
    pub reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "clip `{}` at {}: {}", self.id, self.point, self.reason)
    }
}

impl Request<'_> {
    /// How many clips will be sent, the noiseless pass for the reference included.
    ///
    /// # Errors
    /// If the corpus lacks the split.
    pub fn clips(&self) -> Result<u64, CorpusError> {
        let draws: usize = self.passes().iter().map(|pass| pass.draws.len()).sum();
        Ok((self.corpus.split(self.split)?.len() * draws) as u64)
    }

    /// The points, and where they lack it the noiseless one, last: the reference needs it.
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

    /// Whether the noiseless pass was asked for.
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

/// Sends every clip of the split at every point and draw, and a noiseless pass for the reference, reported only where it
/// was asked for. `progress` is called at every outcome, [`Request::clips`] times in all.
///
/// Waits for a transmitter that is not there, and goes on where it was when one comes back.
///
/// # Errors
/// If the corpus lacks the split, the transmitter refuses the stream for good, or its weights change on the way. A clip
/// that is answered with an error is none, see [`Sent::failures`].
pub async fn send_corpus(request: &Request<'_>, progress: impl FnMut()) -> Result<Sent> {
    send_paced(request, None, progress).await
}

/// As [`send_corpus`], no faster than `rate`.
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

/// The clips of the split, as they are sent.
pub(super) fn prepared(request: &Request<'_>) -> Result<Arc<[Prepared]>, CorpusError> {
    let Corpus { origins, .. } = request.corpus;
    let origins = Modality::ALL.map(|modality| origins.get(modality).map(Identity::id));
    Ok(request.corpus.split(request.split)?.into_iter().map(|(row, clip)| prepare(row, clip, &origins)).collect())
}

/// Figures of two models must not get into one table.
pub(super) fn check_model(model: &Model, outcome: &Outcome) -> Result<()> {
    if !outcome.model_id.is_empty() && outcome.model_id != model.model_id {
        bail!("the transmitter's weights changed on the way, from {} to {}", model.model_id, outcome.model_id);
    }
    Ok(())
}

/// The row that an outcome makes, or why it makes none.
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

/// Counts the burst of a predicted clip, unless its transmitter does not say how long it was.
pub(super) fn count(uses: &mut ChannelUses, row: &PredictionRow, symbols: u64) {
    if symbols > 0 {
        uses.add(&row.channel, row.snr_db, symbols, 1);
    }
}

pub(super) fn failure(plan: &Plan, shot: Shot, reason: Fault) -> Failure {
    let point = plan.pass(shot).conditions.map_or("live conditions".to_owned(), |pinned| pinned.to_string());
    Failure { id: plan.clip(shot).message.id.clone(), point, reason: reason.to_string() }
}

/// The records, and the rows that were asked for.
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
