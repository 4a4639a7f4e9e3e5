//! A sweep over a corpus: every clip at every point and draw, and what came of it.

use super::client::Client;
use super::plan::{Pass, Plan, Prepared, Shot, prepare};
use anyhow::{Result, bail};
use corpus::{Corpus, CorpusError};
use link::PeerUrl;
use link::convert::{conditions_from_wire, prediction_from_wire};
use metrics::{Context, PredictionRow, Record};
use phy::{ChannelSpec, Conditions, SnrDb};
use proto::v1::{Model, Outcome, outcome};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

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

    fn context(&self, model: &Model) -> Context {
        Context {
            scheme: model.scheme.clone(),
            corpus: self.corpus.name.clone(),
            split: self.split.to_owned(),
            equaliser: model.equaliser.clone(),
            training_snr_db: model.training_snr_low_db.zip(model.training_snr_high_db),
            symbols: model.symbols as usize,
            model_id: model.model_id.clone(),
            seed: self.seed,
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
pub async fn send_corpus(request: &Request<'_>, mut progress: impl FnMut()) -> Result<Sent> {
    if request.draws.is_empty() {
        bail!("no draws: the range {:?} is empty", request.draws);
    }
    let clips: Vec<Prepared> =
        request.corpus.split(request.split)?.into_iter().map(|(row, clip)| prepare(row, clip)).collect();
    let mut client = Client::new(request.to);
    let model = client.model().await?;
    let plan = Arc::new(Plan::new(clips, request.passes(), Some(request.seed)));
    let mut rows: Vec<(u64, PredictionRow)> = Vec::new();
    let mut failures: Vec<(u64, Failure)> = Vec::new();
    client
        .exchange(&plan, |sequence, outcome| {
            let shot = plan.shot(sequence);
            check_model(&model, &outcome)?;
            match row(&plan, shot, outcome) {
                Ok(row) => rows.push((sequence, row)),
                Err(reason) => failures.push((sequence, failure(&plan, shot, reason))),
            }
            progress();
            Ok(())
        })
        .await?;
    rows.sort_by_key(|(sequence, _)| *sequence);
    failures.sort_by_key(|(sequence, _)| *sequence);
    let failures = failures.into_iter().map(|(_, failure)| failure).collect();
    let (records, rows) = score(request, &plan, &model, rows);
    Ok(Sent { records, rows, failures, clips: plan.len() })
}

/// Figures of two models must not get into one table.
fn check_model(model: &Model, outcome: &Outcome) -> Result<()> {
    if !outcome.model_id.is_empty() && outcome.model_id != model.model_id {
        bail!("the transmitter's weights changed on the way, from {} to {}", model.model_id, outcome.model_id);
    }
    Ok(())
}

/// The row that an outcome makes, or why it makes none.
fn row(plan: &Plan, shot: Shot, outcome: Outcome) -> Result<PredictionRow, String> {
    let prediction = match outcome.result {
        Some(outcome::Result::Prediction(prediction)) => {
            prediction_from_wire(&prediction).map_err(|e| e.to_string())?
        }
        Some(outcome::Result::Error(error)) => return Err(link::Fault::from(error).to_string()),
        None => return Err("an outcome with neither prediction nor error".into()),
    };
    let report = outcome.channel.ok_or("a prediction without the report of its channel")?;
    let met = report.conditions.as_ref().ok_or("a report without conditions")?;
    let met = conditions_from_wire(met).map_err(|fault| fault.to_string())?;
    if let Some(pinned) = plan.pass(shot).conditions.filter(|pinned| *pinned != met) {
        return Err(format!("the channel was {met}, though {pinned} was asked for"));
    }
    let Prepared { message, row } = plan.clip(shot);
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

fn failure(plan: &Plan, shot: Shot, reason: String) -> Failure {
    let point = plan.pass(shot).conditions.map_or("live conditions".to_owned(), |pinned| pinned.to_string());
    Failure { id: plan.clip(shot).message.id.clone(), point, reason }
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
    (metrics::records(&reported, &request.context(model), Some(&noiseless)), reported)
}
