//! The sweep, once over three processes and once in this one, and that both say the same.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use corpus::Corpus;
use metrics::{PredictionRow, Record};
use phy::Conditions;
use runtime::PeerUrl;
use schemes::weights::{self, Manifest};
use trainer::evaluate::{Evaluation, Request, evaluate};
use transmitter::send::{self, Sent};

use super::labels::Labels;
use super::{Args, progress};
use crate::stack::Stack;

/// The demo has one draw: a link that one clip crosses once.
const DRAWS: std::ops::Range<u32> = 0..1;
/// The seed of the channel.
const SEED: u64 = 0;

/// What came of it.
pub struct Swept {
    /// One record a point.
    pub records: Vec<Record>,
    /// All predictions.
    pub rows: Vec<PredictionRow>,
    /// Lowest and highest SNR trained at.
    pub trained_db: (f64, f64),
    /// To compare with a constant.
    pub labels: Labels,
}

/// Streams the split at every point, evaluates it here, and compares.
///
/// # Errors
/// If a process ends early or does not stop in order, or if the two differ.
pub async fn stream_and_compare(args: &Args, corpus: Corpus, folder: &Path) -> Result<Swept> {
    let manifest = weights::receiver_manifest(folder)?;
    let labels = Labels::of(&corpus, &args.split)?;
    let points = points(args);
    let corpus = Arc::new(corpus);
    let streamed = stream(args, &corpus, &points, folder).await?;
    let inside = {
        let (folder, split, manifest) = (folder.to_owned(), args.split.clone(), manifest.clone());
        let work = move || inside(&corpus, &split, &points, &folder, &manifest);
        tokio::task::spawn_blocking(work).await.context("the evaluation in this process broke")??
    };
    compare(&streamed, &inside)?;
    Ok(Swept { records: inside.records, rows: inside.rows, trained_db: manifest.training.snr_db, labels })
}

/// The noiseless channel first, then what was asked for.
fn points(args: &Args) -> Vec<Conditions> {
    let mut points = phy::sweep(&args.channel, &args.snr);
    points.retain(|point| *point != Conditions::None);
    points.insert(0, Conditions::None);
    points
}

/// The sweep over three processes, which are stopped when it is through.
async fn stream(args: &Args, corpus: &Corpus, points: &[Conditions], weights: &Path) -> Result<Sent> {
    console::note("starting receiver, channel emulator and transmitter");
    let mut stack = Stack::start(weights, &args.out.join("processes")).await?;
    let to: PeerUrl = stack.url().parse()?;
    let request = send::Request { to: &to, corpus, split: &args.split, points: Some(points), draws: DRAWS, seed: SEED };
    let bar = progress::bar("streaming over three processes");
    bar.set_length(request.clips()?);
    if bar.is_hidden() {
        console::note(format_args!("streaming {} clips", request.clips()?));
    }
    let sent = tokio::select! {
        sent = send::send_corpus(&request, || bar.inc(1)) => sent,
        error = stack.ended() => Err(error),
    };
    bar.finish_and_clear();
    let stopped = stack.stop().await;
    // Why the sweep failed says more than how the processes then ended.
    let sent = sent?;
    stopped?;
    if let Some(failure) = sent.failures.first() {
        bail!("{} of {} clips were not predicted, the first: {failure}", sent.failures.len(), sent.clips);
    }
    Ok(sent)
}

/// The same sweep without a wire.
fn inside(
    corpus: &Corpus,
    split: &str,
    points: &[Conditions],
    folder: &Path,
    manifest: &Manifest,
) -> Result<Evaluation> {
    let (transmitter, receiver) = weights::load(folder)?;
    let bar = progress::bar("computing the same here");
    let request = Request {
        transmitter: transmitter.as_ref(),
        receiver: receiver.as_ref(),
        scheme: &manifest.scheme_name(),
        training_snr_db: Some(manifest.training.snr_db),
        training_seed: Some(manifest.training.seed),
        corpus,
        split,
        without: &[],
        points,
        draws: DRAWS,
        seed: SEED,
        threads: None,
        progress: &|bursts| bar.inc(bursts),
    };
    bar.set_length(request.bursts()?);
    let evaluation = evaluate(&request);
    bar.finish_and_clear();
    Ok(evaluation?)
}

/// Predictions and records are the same bits.
fn compare(streamed: &Sent, inside: &Evaluation) -> Result<()> {
    if streamed.rows.len() != inside.rows.len() {
        bail!("{} predictions were streamed, {} computed here", streamed.rows.len(), inside.rows.len());
    }
    let differing = sorted(&streamed.rows).into_iter().zip(sorted(&inside.rows)).find(|(s, i)| s != i);
    if let Some((streamed, inside)) = differing {
        bail!("streamed and computed here differ: {streamed:?} against {inside:?}");
    }
    if streamed.records.len() != inside.records.len() {
        bail!(
            "{} records of what was streamed, {} of what was computed here",
            streamed.records.len(),
            inside.records.len()
        );
    }
    let differing = streamed.records.iter().zip(&inside.records).find(|(s, i)| s != i);
    if let Some((streamed, inside)) = differing {
        bail!("records streamed and computed here differ: {streamed:?} against {inside:?}");
    }
    Ok(())
}

/// By point, draw and clip.
fn sorted(rows: &[PredictionRow]) -> Vec<&PredictionRow> {
    let mut rows: Vec<&PredictionRow> = rows.iter().collect();
    let snr = |row: &PredictionRow| row.snr_db.unwrap_or(f64::NEG_INFINITY);
    rows.sort_by(|a, b| {
        let keys = (&a.channel, a.draw, a.row).cmp(&(&b.channel, b.draw, b.row));
        keys.then_with(|| snr(a).total_cmp(&snr(b)))
    });
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics::{Context, Prediction};

    fn rows() -> Vec<PredictionRow> {
        let prediction = Prediction { p_neg: 0.25, p_zero: 0.25, p_pos: 0.5, classes: [0.0; 7], score: 0.5 };
        let row = |row: u64, snr_db: Option<f64>| PredictionRow {
            id: row.to_string(),
            row,
            draw: 0,
            channel: if snr_db.is_some() { "awgn" } else { "none" }.into(),
            snr_db,
            label: 1.0,
            prediction,
            h_re: 1.0,
            h_im: 0.0,
        };
        vec![row(0, None), row(1, None), row(0, Some(-12.0)), row(1, Some(-12.0)), row(0, Some(0.0)), row(1, Some(0.0))]
    }

    fn both(streamed: Vec<PredictionRow>, inside: Vec<PredictionRow>) -> (Sent, Evaluation) {
        let context = Context {
            scheme: "proposed".into(),
            corpus: "toy".into(),
            split: "test".into(),
            equaliser: "mmse".into(),
            training_snr_db: None,
            symbols: 25,
            model_id: "id".into(),
            seed: 0,
            training_seed: None,
        };
        let records = |rows: &[PredictionRow]| metrics::records(rows, &context, None);
        let sent =
            Sent { records: records(&streamed), clips: streamed.len() as u64, rows: streamed, failures: Vec::new() };
        let evaluation = Evaluation { records: records(&inside), rows: inside };
        (sent, evaluation)
    }

    #[test]
    fn the_order_of_arrival_does_not_matter() {
        let mut arrived = rows();
        arrived.reverse();
        arrived.swap(0, 3);
        let (sent, evaluation) = both(arrived, rows());
        compare(&sent, &evaluation).unwrap();
    }

    #[test]
    fn one_bit_in_one_prediction_is_found() {
        let mut other = rows();
        other[4].prediction.p_pos = 0.5f32.next_up();
        let (sent, evaluation) = both(other, rows());
        let error = compare(&sent, &evaluation).unwrap_err().to_string();
        assert!(error.contains("differ") && error.contains("0.50000006"), "{error}");
    }

    #[test]
    fn a_missing_prediction_and_another_record_are_found() {
        let (sent, evaluation) = both(rows()[1..].to_vec(), rows());
        let error = compare(&sent, &evaluation).unwrap_err().to_string();
        assert_eq!(error, "5 predictions were streamed, 6 computed here");
        let (mut sent, evaluation) = both(rows(), rows());
        sent.records[1].model_id = "another".into();
        assert!(compare(&sent, &evaluation).unwrap_err().to_string().starts_with("records"));
    }
}
