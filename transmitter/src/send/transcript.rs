//! One transcript of the user's own, and its prediction for people to read.

use super::Args;
use super::client::Client;
use super::plan::{Pass, Plan, Prepared};
use anyhow::{Result, anyhow, bail};
use link::convert::{conditions_from_wire, prediction_from_wire};
use metrics::Prediction;
use proto::v1::modality::Content;
use proto::v1::{self, ChannelReport, Outcome, Timings, outcome};
use std::fmt::Write;
use std::sync::Arc;

/// Sends the transcript once at every point asked for, or under the live conditions, and prints what came.
pub(super) async fn send(args: &Args, text: &str) -> Result<()> {
    let draw = args.draw.unwrap_or(0);
    let passes = match args.points()? {
        Some(points) => points.into_iter().map(Some).collect(),
        None => vec![None],
    };
    let passes = passes.into_iter().map(|conditions| Pass { conditions, draws: draw..draw + 1 }).collect();
    let text_modality = v1::Modality { content: Some(Content::Transcript(text.to_owned())) };
    let message = v1::Clip { id: "transcript".into(), text: Some(text_modality), ..v1::Clip::default() };
    // Without a seed or draw of ours the emulator chooses the noise.
    let seed = args.seed.or(args.draw.map(|_| args.seed()));
    let plan = Arc::new(Plan::new(vec![Prepared { message, row: 0 }], passes, seed));
    let mut outcomes: Vec<(u64, Outcome)> = Vec::new();
    Client::new(&args.to)
        .exchange(&plan, |sequence, outcome| {
            outcomes.push((sequence, outcome));
            Ok(())
        })
        .await?;
    outcomes.sort_by_key(|(sequence, _)| *sequence);
    for (index, (_, outcome)) in outcomes.into_iter().enumerate() {
        let separator = if index > 0 { "\n" } else { "" };
        console::print(separator.to_owned() + &readable(text, outcome)?)?;
    }
    Ok(())
}

/// An outcome in lines.
pub(super) fn readable(text: &str, outcome: Outcome) -> Result<String> {
    let prediction = match outcome.result {
        Some(outcome::Result::Prediction(prediction)) => prediction_from_wire(&prediction)?,
        Some(outcome::Result::Error(error)) => bail!("the transcript was not predicted: {}", link::Fault::from(error)),
        None => bail!("the transcript was answered with neither prediction nor error"),
    };
    let report = outcome.channel.ok_or_else(|| anyhow!("the answer lacks the report of its channel"))?;
    let mut out = format!("{text:?}\n");
    let Prediction { p_neg, p_zero, p_pos, classes, score } = prediction;
    let sentiment = match (prediction.is_pos(), p_neg == p_pos) {
        (_, true) => "undecided",
        (true, _) => "positive",
        (false, _) => "negative",
    };
    let classes: Vec<String> = (-3..=3).zip(classes).map(|(class, p): (i8, f32)| format!("{class:+} {p:.3}")).collect();
    writeln!(out, "sentiment  {sentiment} (negative {p_neg:.3}, neutral {p_zero:.3}, positive {p_pos:.3})")?;
    writeln!(out, "score      {score:+.2} in -3 to +3")?;
    writeln!(out, "class      {:+} ({})", prediction.class(), classes.join(", "))?;
    writeln!(out, "channel    {}", channel(&report)?)?;
    if let Some(Timings { transmitter_us, emulator_us, receiver_us }) = outcome.timings {
        let ms = |us: u64| us as f64 / 1e3;
        let (transmitter, emulator, receiver) = (ms(transmitter_us), ms(emulator_us), ms(receiver_us));
        writeln!(
            out,
            "time       transmitter {transmitter:.1} ms, emulator {emulator:.1} ms, receiver {receiver:.1} ms"
        )?;
    }
    if !outcome.model_id.is_empty() {
        writeln!(out, "model      {}", outcome.model_id)?;
    }
    Ok(out)
}

/// The channel that was met.
fn channel(report: &ChannelReport) -> Result<String> {
    let conditions = conditions_from_wire(report.conditions.as_ref().unwrap_or(&v1::Conditions::default()))?;
    let ChannelReport { h_re, h_im, n0, realised_snr_db, .. } = *report;
    let mut text = conditions.to_string();
    if conditions.snr_db().is_some() {
        write!(text, ", h = {h_re:.3}{h_im:+.3}j, N0 = {n0:.3}")?;
    }
    if let Some(db) = realised_snr_db {
        write!(text, ", realised SNR {db:.1} dB")?;
    }
    Ok(text)
}
