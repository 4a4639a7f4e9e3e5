//! What the demo leaves: a table on standard output, and files.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use files::PendingFile;
use metrics::write_csv;

use super::sweep::Swept;
use super::{Args, figure};

/// Writes `results.json`, `predictions.csv`, `accuracy.png` and `accuracy.svg` to the output folder and prints the table.
///
/// # Errors
/// If a file cannot be written.
pub fn report(args: &Args, swept: &Swept) -> Result<()> {
    let constant = swept.labels.best_constant();
    let json = serde_json::to_string_pretty(&swept.records).context("results.json")?;
    PendingFile::create(&args.out.join("results.json"))?.commit(|out| writeln!(out, "{json}"))?;
    PendingFile::create(&args.out.join("predictions.csv"))?.commit(|out| write_csv(out, &swept.rows))?;
    // A sweep over nothing but `none` has nothing to draw against.
    let figure = figure::accuracy(&swept.records, constant, Some(swept.trained_db));
    let drawn = if figure.curves.is_empty() { "" } else { ", accuracy.png, accuracy.svg" };
    if !figure.curves.is_empty() {
        figure.save(&args.out.join("accuracy"))?;
    }

    let mut text = metrics::table(&swept.records) + "\n";
    let number = |value: Option<f64>| value.map_or("unknown".to_owned(), |v| format!("{v:.3}"));
    let noiseless = swept.records.iter().find(|r| r.channel == "none");
    if let Some(interval) = noiseless.and_then(|r| r.acc2_pos_interval) {
        let (estimate, low, high) = (interval.estimate, interval.low, interval.high);
        writeln!(text, "noiseless Acc-2 Non0 (pos): {estimate:.3} [{low:.3}, {high:.3}]")?;
    }
    writeln!(text, "majority/median baseline (best constant predictor, fitted on split train): {}", number(constant))?;
    writeln!(
        text,
        "streamed over three processes and computed in one: {} predictions at {} points, all equal, bit for bit",
        swept.rows.len(),
        swept.records.len()
    )?;
    writeln!(text, "{}: results.json, predictions.csv{drawn}", args.out.display())?;
    Ok(console::print(text)?)
}
