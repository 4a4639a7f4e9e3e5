//! One transcript of the user's own, and its prediction for people to read.

use super::Args;
use super::answer::{Answer, sentiment};
use super::client::Client;
use super::pace::Pace;
use super::plan::{Part, Pass, Plan, Prepared};
use anyhow::{Result, anyhow};
use metrics::Prediction;
use phy::Conditions;
use proto::v1::modality::Content;
use proto::v1::{self, ChannelReport, Outcome, Timings};
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
    let clips = [Prepared { message, row: 0, place: String::new() }].into();
    let plan = Arc::new(Plan::new(Part::begin(), clips, passes, seed));
    let mut outcomes: Vec<(u64, Outcome)> = Vec::new();
    Client::new(&args.to)
        .exchange(&plan, Pace::new(None), |sequence, outcome| {
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
    let (timings, model_id) = (outcome.timings, outcome.model_id.clone());
    let answer = Answer::of(outcome, None).map_err(|fault| anyhow!("the transcript was not predicted: {fault}"))?;
    let Answer { prediction, met, report } = answer;
    let mut out = format!("{text:?}\n");
    let sentiment = sentiment(&prediction);
    let Prediction { p_neg, p_zero, p_pos, classes, score } = prediction;
    let classes: Vec<String> = (-3..=3).zip(classes).map(|(class, p): (i8, f32)| format!("{class:+} {p:.3}")).collect();
    writeln!(out, "sentiment  {sentiment} (negative {p_neg:.3}, neutral {p_zero:.3}, positive {p_pos:.3})")?;
    writeln!(out, "score      {score:+.2} in -3 to +3")?;
    writeln!(out, "class      {:+} ({})", prediction.class(), classes.join(", "))?;
    writeln!(out, "channel    {}", channel(&met, &report))?;
    if let Some(Timings { transmitter_us, emulator_us, receiver_us }) = timings {
        let ms = |us: u64| us as f64 / 1e3;
        let (transmitter, emulator, receiver) = (ms(transmitter_us), ms(emulator_us), ms(receiver_us));
        writeln!(
            out,
            "time       transmitter {transmitter:.1} ms, emulator {emulator:.1} ms, receiver {receiver:.1} ms"
        )?;
    }
    if !model_id.is_empty() {
        writeln!(out, "model      {model_id}")?;
    }
    Ok(out)
}

/// The channel that was met.
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
