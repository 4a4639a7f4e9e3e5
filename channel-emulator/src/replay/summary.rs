//! What became of a replay.

use metrics::Binary;
use proto::v1::Acknowledgement;
use serde::Serialize;
use std::time::Duration;
use wire::convert;

/// Counts over the bursts of a replay.
#[derive(Debug, Default)]
pub struct Tally {
    predictions: u64,
    errors: u64,
    first_error: Option<String>,
    labelled: u64,
    pos: Binary,
    nonneg: Binary,
    class_correct: u64,
}

impl Tally {
    /// Counts the answer to a burst with this reference label.
    pub fn count(&mut self, label: Option<f32>, acknowledgement: Acknowledgement) {
        let prediction = wire::answer_from_wire(acknowledgement)
            .and_then(|answer| convert::prediction_from_wire(&answer.prediction.unwrap_or_default()));
        match prediction {
            Ok(prediction) => {
                self.predictions += 1;
                if let Some(label) = label {
                    self.labelled += 1;
                    add(&mut self.pos, &Binary::pos([(&prediction, label)]));
                    add(&mut self.nonneg, &Binary::nonneg([(&prediction, label)]));
                    self.class_correct += u64::from(prediction.class() == metrics::label_class(label));
                }
            }
            Err(fault) => {
                self.errors += 1;
                self.first_error.get_or_insert_with(|| fault.to_string());
            }
        }
    }

    /// Bursts that were answered.
    pub fn answered(&self) -> u64 {
        self.predictions + self.errors
    }

    /// Of `bursts` that were sent within `time`.
    pub fn summary(self, recording: String, peer: String, bursts: u64, time: Duration) -> Summary {
        let seconds = time.as_secs_f64();
        Summary {
            recording,
            peer,
            bursts,
            unanswered: bursts.saturating_sub(self.answered()),
            rate: if seconds > 0.0 { self.answered() as f64 / seconds } else { 0.0 },
            seconds,
            predictions: self.predictions,
            errors: self.errors,
            first_error: self.first_error,
            labelled: self.labelled,
            acc2_pos: self.pos.accuracy(),
            acc2_nonneg: self.nonneg.accuracy(),
            acc7: (self.labelled > 0).then(|| self.class_correct as f64 / self.labelled as f64),
        }
    }
}

fn add(sum: &mut Binary, one: &Binary) {
    sum.true_pos += one.true_pos;
    sum.false_pos += one.false_pos;
    sum.true_neg += one.true_neg;
    sum.false_neg += one.false_neg;
}

/// What is printed at the end.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// What was replayed.
    pub recording: String,
    /// To whom.
    pub peer: String,
    /// Bursts that were sent.
    pub bursts: u64,
    /// Those of them that no answer came to: repeated keys, and what was out when the replay was broken off.
    pub unanswered: u64,
    pub predictions: u64,
    pub errors: u64,
    pub first_error: Option<String>,
    /// Predictions of bursts with a reference label; the accuracies are theirs, and null where they have no meaning.
    pub labelled: u64,
    pub acc2_pos: Option<f64>,
    pub acc2_nonneg: Option<f64>,
    pub acc7: Option<f64>,
    pub seconds: f64,
    /// Answers a second.
    pub rate: f64,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "replayed {} to the {}", self.recording, self.peer)?;
        write!(f, "{} bursts, {} predictions, {} errors", self.bursts, self.predictions, self.errors)?;
        if self.unanswered > 0 {
            write!(f, ", {} without an answer", self.unanswered)?;
        }
        write!(f, " in {:.2} s, {:.0} a second", self.seconds, self.rate)?;
        if self.labelled > 0 {
            let shown = |value: Option<f64>| value.map_or("none".into(), |value| format!("{value:.4}"));
            let (pos, nonneg, acc7) = (shown(self.acc2_pos), shown(self.acc2_nonneg), shown(self.acc7));
            write!(f, "\n{} labelled: Acc-2 {pos} (pos), {nonneg} (nonneg), Acc-7 {acc7}", self.labelled)?;
        }
        Ok(())
    }
}
