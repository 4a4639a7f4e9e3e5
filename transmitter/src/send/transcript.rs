//! `--text`: sends one transcript and prints its prediction.

use super::Args;
use super::answer::{Answer, channel, sentiment};
use super::client::Client;
use super::clips::outcome::{About, Line};
use super::pace::Pace;
use super::plan::{Part, Pass, Plan, Prepared};
use anyhow::{Result, anyhow, bail};
use metrics::Prediction;
use proto::v1::content::Kind;
use proto::v1::{self, Outcome, Timings};
use std::fmt::Write;
use std::sync::Arc;

/// Sends the transcript once at every requested point, or under the live conditions, and prints the outcomes: a few
/// lines of text for each or, with `--jsonl`, one JSON line for each.
///
/// # Errors
/// Fails if the options are not valid, the transmitter refuses the stream for good, or an outcome has no prediction.
pub(super) async fn send(args: &Args, text: &str) -> Result<()> {
    let plan = plan(args, text)?;
    let mut outcomes: Vec<(u64, Outcome)> = Vec::new();
    Client::new(&args.to)
        .exchange(&plan, Pace::new(None), |sequence, outcome| {
            outcomes.push((sequence, outcome));
            Ok(())
        })
        .await?;
    outcomes.sort_by_key(|(sequence, _)| *sequence);
    if args.jsonl {
        return print_json(&plan, outcomes);
    }
    for (index, (_, outcome)) in outcomes.into_iter().enumerate() {
        let separator = if index > 0 { "\n" } else { "" };
        console::print(separator.to_owned() + &readable(text, outcome)?)?;
    }
    Ok(())
}

/// The plan that sends the transcript at every requested point, or under the live conditions, in one draw.
///
/// # Errors
/// Fails if a channel lacks its SNR, or an SNR its channel.
pub(super) fn plan(args: &Args, text: &str) -> Result<Arc<Plan>> {
    let draw = args.draw.unwrap_or(0);
    let passes = match args.points()? {
        Some(points) => points.into_iter().map(Some).collect(),
        None => vec![None],
    };
    let passes = passes.into_iter().map(|conditions| Pass { conditions, draws: draw..draw + 1 }).collect();
    let modality = v1::Content { kind: Some(Kind::Transcript(text.to_owned())) };
    let modalities = [("text".to_owned(), modality)].into();
    let message = v1::Clip { id: "transcript".into(), modalities, ..v1::Clip::default() };
    // Without a given seed or draw the emulator chooses the noise.
    let seed = args.seed.or(args.draw.map(|_| args.seed()));
    let clips = [Prepared { message, row: 0, place: String::new() }].into();
    Ok(Arc::new(Plan::new(Part::begin(), clips, passes, seed)))
}

/// Prints each outcome as a JSON line, including those without a prediction. Fails if there is one without a
/// prediction.
fn print_json(plan: &Plan, outcomes: Vec<(u64, Outcome)>) -> Result<()> {
    let (sent, mut refused) = (outcomes.len(), 0);
    for (sequence, outcome) in outcomes {
        let (line, predicted) = json_line(plan, sequence, &outcome)?;
        console::print(line + "\n")?;
        refused += usize::from(!predicted);
    }
    if refused > 0 {
        bail!("the transcript was not predicted: {refused} of {sent} were answered with an error");
    }
    Ok(())
}

/// An outcome as a JSON object on one line, and whether it has a prediction.
pub(super) fn json_line(plan: &Plan, sequence: u64, outcome: &Outcome) -> Result<(String, bool)> {
    let shot = plan.shot(sequence);
    let id = plan.clip(shot).message.id.clone();
    let about = About { id, source: "--text".into(), draw: Some(shot.draw), label: None };
    let answer = Answer::of(outcome.clone(), plan.pass(shot).conditions);
    let line = serde_json::to_string(&Line::answered(about, outcome, &answer))?;
    Ok((line, answer.is_ok()))
}

/// An outcome as lines of text. Fails if it has no prediction.
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
