//! Checks outcomes and describes them in words.

use metrics::Prediction;
use phy::Conditions;
use proto::v1::{ChannelReport, Outcome, outcome};
use wire::Fault;
use wire::convert::{conditions_from_wire, prediction_from_wire};
use wire::fault::ErrorCode;

/// The checked prediction of an outcome, with the channel that its burst passed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub prediction: Prediction,
    pub met: Conditions,
    pub report: ChannelReport,
}

impl Answer {
    /// Checks the outcome of a clip that had the conditions `pinned`, if any.
    ///
    /// # Errors
    /// Fails with the error of the outcome, or if the outcome is not valid or reports other conditions than those
    /// pinned.
    pub fn of(outcome: Outcome, pinned: Option<Conditions>) -> Result<Answer, Fault> {
        let wrong = |message: &str| Fault::new(ErrorCode::Internal, "outcome", message);
        let prediction = match outcome.result {
            Some(outcome::Result::Prediction(prediction)) => prediction_from_wire(&prediction)?,
            Some(outcome::Result::Error(error)) => return Err(Fault::from(error)),
            None => return Err(wrong("it holds neither prediction nor error")),
        };
        let report = outcome.channel.ok_or_else(|| wrong("a prediction without the report of its channel"))?;
        let met = report.conditions.as_ref().ok_or_else(|| wrong("a report without conditions"))?;
        let met = conditions_from_wire(met)?;
        match pinned.filter(|pinned| *pinned != met) {
            Some(pinned) => Err(wrong(&format!("the channel was {met}, though {pinned} was asked for"))),
            None => Ok(Answer { prediction, met, report }),
        }
    }
}

/// The predicted sign as a word: `positive`, `negative`, or `undecided` if both are equally likely.
pub(super) fn sentiment(prediction: &Prediction) -> &'static str {
    match (prediction.is_pos(), prediction.p_neg == prediction.p_pos) {
        (_, true) => "undecided",
        (true, _) => "positive",
        (false, _) => "negative",
    }
}

/// The channel that a burst passed, in words: its conditions, h, N0 and the realised SNR.
pub(super) fn channel(met: &Conditions, report: &ChannelReport) -> String {
    let ChannelReport { h_re, h_im, n0, realised_snr_db, .. } = report;
    let mut text = met.to_string();
    if met.snr_db().is_some() {
        text += &format!(", h = {h_re:.3}{h_im:+.3}j, N0 = {n0:.3}");
    }
    if let Some(db) = realised_snr_db {
        text += &format!(", realised SNR {db:.1} dB");
    }
    text
}
