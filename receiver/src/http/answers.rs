//! The predictions for one clip that a user sends: over the noiseless channel, over a sweep of SNRs, and over the live
//! channel.

use super::problem::Problem;
use super::view::{ConditionsView, PredictionView, TimingsView};
use axum::http::StatusCode;
use phy::{Conditions, SnrList};
use proto::v1::{Clip, NoiseKey, Outcome, outcome};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::Range;
use uuid::Uuid;
use wire::convert::{conditions_from_wire, conditions_to_wire, prediction_from_wire};
use wire::{Delivery, Fault};

/// The SNRs of the sweep in dB, as start:stop:step.
const SWEEP: &str = "-12:21:3";

/// The predictions for one clip over all channels of a [`Course`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answers {
    noiseless: Answer,
    live: Answer,
    sweep: Vec<AtPoint>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct AtPoint {
    conditions: ConditionsView,
    answer: Answer,
}

/// The prediction for one clip over one channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    sentiment: &'static str,
    #[serde(flatten)]
    prediction: PredictionView,
    conditions: ConditionsView,
    realised_snr_db: Option<f64>,
    timings: TimingsView,
}

/// One clip sent over several channels as a run of its own; the noise is the same in each, up to its scale.
pub struct Course {
    run: Uuid,
    /// The pinned conditions: the noiseless channel, then the sweep. The index is the sequence number.
    pinned: Vec<Conditions>,
    /// Turns a fault of the clip into a sentence for people.
    refused: fn(&Fault) -> Problem,
}

impl Course {
    /// A course with a new run identifier. `refused` turns a fault of the clip into a sentence for people.
    pub fn new(refused: fn(&Fault) -> Problem) -> Course {
        let snrs: SnrList = SWEEP.parse().expect("a constant");
        let noisy = snrs.values().iter().map(|snr_db| Conditions::Rayleigh(*snr_db));
        Course { run: Uuid::new_v4(), pinned: std::iter::once(Conditions::None).chain(noisy).collect(), refused }
    }

    /// The sequence numbers of the clips of [`Course::pinned`].
    pub fn pinned_keys(&self) -> Range<u64> {
        0..self.pinned.len() as u64
    }

    /// The sequence number of the clip of [`Course::live`], as a range of one.
    pub fn live_key(&self) -> Range<u64> {
        let key = self.pinned.len() as u64;
        key..key + 1
    }

    /// Copies of `clip` to send, one for each pinned channel.
    pub fn pinned(&self, clip: &Clip) -> Vec<Clip> {
        let pinned = self.pinned_keys().zip(&self.pinned);
        pinned.map(|(sequence, conditions)| self.clip(clip, sequence, Some(conditions))).collect()
    }

    /// A copy of `clip` to send over the live channel.
    pub fn live(&self, clip: &Clip) -> Clip {
        self.clip(clip, self.live_key().start, None)
    }

    fn clip(&self, clip: &Clip, sequence: u64, conditions: Option<&Conditions>) -> Clip {
        Clip {
            delivery: Some(Delivery { run: self.run, sequence }.to_wire()),
            noise: Some(NoiseKey { seed: self.run.as_u64_pair().1, draw: 0, row: 0 }),
            conditions: conditions.map(conditions_to_wire),
            ..clip.clone()
        }
    }

    /// The prediction over the live channel, from outcomes by sequence number.
    ///
    /// # Errors
    /// Fails if the outcome is missing, is not valid, or holds an error.
    pub fn live_answer(&self, outcomes: &BTreeMap<u64, Outcome>) -> Result<Answer, Problem> {
        self.answer(outcomes, self.live_key().start)
    }

    /// The predictions over all channels, from outcomes by sequence number.
    ///
    /// # Errors
    /// Fails if an outcome is missing, is not valid, or holds an error.
    pub fn answers(&self, outcomes: &BTreeMap<u64, Outcome>) -> Result<Answers, Problem> {
        let live = self.live_answer(outcomes)?;
        let noiseless = self.answer(outcomes, 0)?;
        let sweep = self.pinned_keys().zip(&self.pinned).skip(1).map(|(sequence, conditions)| {
            Ok(AtPoint { conditions: conditions.into(), answer: self.answer(outcomes, sequence)? })
        });
        Ok(Answers { live, noiseless, sweep: sweep.collect::<Result<_, Problem>>()? })
    }

    fn answer(&self, outcomes: &BTreeMap<u64, Outcome>, sequence: u64) -> Result<Answer, Problem> {
        let missing = || Problem::new(StatusCode::BAD_GATEWAY, "An answer is missing.");
        let outcome = outcomes.get(&sequence).ok_or_else(missing)?;
        let prediction = match &outcome.result {
            Some(outcome::Result::Prediction(prediction)) => prediction.clone(),
            Some(outcome::Result::Error(error)) => return Err((self.refused)(&Fault::from(error.clone()))),
            None => return Err(broken("it holds neither prediction nor error")),
        };
        prediction_from_wire(&prediction).map_err(broken)?;
        let channel = outcome.channel.unwrap_or_default();
        let conditions = conditions_from_wire(&channel.conditions.unwrap_or_default()).map_err(broken)?;
        let prediction = PredictionView::from(prediction);
        Ok(Answer {
            sentiment: prediction.sentiment(),
            prediction,
            conditions: (&conditions).into(),
            realised_snr_db: channel.realised_snr_db,
            timings: outcome.timings.unwrap_or_default().into(),
        })
    }
}

/// The problem that an answer is not valid, because of `what`; status 502.
pub fn broken(what: impl ToString) -> Problem {
    Problem::new(StatusCode::BAD_GATEWAY, format!("The answer is none: {}.", what.to_string()))
}
