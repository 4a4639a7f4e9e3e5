//! Prints the outcome of a clip: as a JSON line, or as a line of text.

use super::super::answer::{Answer, channel, sentiment};
use phy::{ChannelKind, SnrDb};
use proto::v1::{self, Timings};
use serde::Serialize;
use wire::Fault;

/// One outcome as a JSON object. Every key is always present, null where it has no meaning.
#[derive(Debug, Serialize)]
pub(in crate::send) struct Line {
    pub id: String,
    /// Where the clip was read from: `clips.jsonl:3`, `stdin:3` or `clip.json`; `--text` for a transcript of the
    /// command line.
    pub source: String,
    pub draw: Option<u32>,
    sentiment: Option<&'static str>,
    p_neg: Option<f32>,
    p_zero: Option<f32>,
    p_pos: Option<f32>,
    /// Probabilities of the seven classes −3 to 3.
    classes: Option<[f32; 7]>,
    class: Option<i8>,
    score: Option<f32>,
    pub label: Option<f32>,
    channel: Option<Channel>,
    timings: Option<Micros>,
    model_id: Option<String>,
    trace_id: Option<String>,
    error: Option<Problem>,
    #[serde(skip)]
    met: String,
}

#[derive(Debug, Serialize)]
struct Channel {
    kind: ChannelKind,
    snr_db: Option<f64>,
    k_factor: Option<f64>,
    h_re: f32,
    h_im: f32,
    n0: f32,
    realised_snr_db: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Micros {
    transmitter_us: u64,
    emulator_us: u64,
    receiver_us: u64,
}

#[derive(Debug, Serialize)]
struct Problem {
    /// The error code of the wire without its prefix, such as `WRONG_WIDTH`; `UNREADABLE` for a clip that was never
    /// sent.
    code: String,
    field: Option<String>,
    message: String,
}

/// The properties of a clip that its line repeats.
pub(in crate::send) struct About {
    pub id: String,
    pub source: String,
    pub draw: Option<u32>,
    pub label: Option<f32>,
}

impl Line {
    fn new(about: About) -> Line {
        let About { id, source, draw, label } = about;
        Line {
            id,
            source,
            draw,
            sentiment: None,
            p_neg: None,
            p_zero: None,
            p_pos: None,
            classes: None,
            class: None,
            score: None,
            label,
            channel: None,
            timings: None,
            model_id: None,
            trace_id: None,
            error: None,
            met: String::new(),
        }
    }

    /// The line of a clip that could not be read.
    pub fn unreadable(place: String, message: String) -> Line {
        let about = About { id: place.clone(), source: place, draw: None, label: None };
        let error = Some(Problem { code: "UNREADABLE".into(), field: None, message });
        Line { error, ..Line::new(about) }
    }

    /// The line of a clip that was sent and answered.
    pub fn answered(about: About, outcome: &v1::Outcome, answer: &Result<Answer, Fault>) -> Line {
        let named = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let timings = outcome.timings.map(|Timings { transmitter_us, emulator_us, receiver_us }| Micros {
            transmitter_us,
            emulator_us,
            receiver_us,
        });
        let (model_id, trace_id) = (named(&outcome.model_id), named(&outcome.trace_id));
        let line = Line { timings, model_id, trace_id, ..Line::new(about) };
        match answer {
            Ok(Answer { prediction, met, report }) => Line {
                sentiment: Some(sentiment(prediction)),
                p_neg: Some(prediction.p_neg),
                p_zero: Some(prediction.p_zero),
                p_pos: Some(prediction.p_pos),
                classes: Some(prediction.classes),
                class: Some(prediction.class()),
                score: Some(prediction.score),
                channel: Some(Channel {
                    kind: met.kind(),
                    snr_db: met.snr_db().map(SnrDb::db),
                    k_factor: met.k_factor(),
                    h_re: report.h_re,
                    h_im: report.h_im,
                    n0: report.n0,
                    realised_snr_db: report.realised_snr_db,
                }),
                met: channel(met, report),
                ..line
            },
            Err(fault) => {
                let code = fault.code.as_str_name();
                let code = code.strip_prefix("ERROR_CODE_").unwrap_or(code).to_owned();
                let field = Some(fault.field.clone()).filter(|field| !field.is_empty());
                Line { error: Some(Problem { code, field, message: fault.message.clone() }), ..line }
            }
        }
    }

    /// The outcome as one line of text.
    pub fn readable(&self) -> String {
        // A name from a file may contain anything, such as control codes of the terminal.
        let id = self.id.escape_debug();
        if let Some(Problem { field, message, .. }) = &self.error {
            let field = field.as_ref().map_or(String::new(), |field| format!("{field}: "));
            let place = if self.source == self.id { String::new() } else { format!(" ({})", self.source) };
            return format!("{id}{}  error      {}", place.escape_debug(), (field + message).escape_debug());
        }
        let number = |value: Option<f32>| value.unwrap_or(f32::NAN);
        let label = self.label.map_or(String::new(), |label| format!("  label {label:+.2}"));
        format!(
            "{id}  {:<9}  score {:+.2}  - {:.3}  0 {:.3}  + {:.3}  {}{label}",
            self.sentiment.unwrap_or_default(),
            number(self.score),
            number(self.p_neg),
            number(self.p_zero),
            number(self.p_pos),
            self.met
        )
    }
}
