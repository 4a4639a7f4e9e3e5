//! The table of an ablation: scores of each variation, and their differences to the base, paired by seed.

use super::variations::Variation;
use metrics::{Interval, Record, Spread, student_interval};
use serde::Serialize;
use std::fmt::Write;

/// A score of one run, computed from the run's records; `None` where it is undefined.
type Score = fn(&[Record]) -> Option<f64>;

/// Columns of the table, each with its title.
const COLUMNS: [(&str, Score); 6] = [
    ("Acc-2 noiseless", |records| noiseless(records)?.acc2_pos),
    ("Acc-2 worst", |records| noisy(records, |r| r.acc2_pos)?.into_iter().reduce(f64::min)),
    ("Acc-2 mean", |records| mean(records, |r| r.acc2_pos)),
    ("Acc-7 mean", |records| mean(records, |r| r.acc7)),
    ("MAE mean", |records| mean(records, |r| r.mae)),
    ("ECE mean", |records| mean(records, |r| r.ece)),
];

fn noiseless(records: &[Record]) -> Option<&Record> {
    records.iter().find(|r| r.snr_db.is_none())
}

fn noisy(records: &[Record], value: fn(&Record) -> Option<f64>) -> Option<Vec<f64>> {
    records.iter().filter(|r| r.snr_db.is_some()).map(value).collect()
}

fn mean(records: &[Record], value: fn(&Record) -> Option<f64>) -> Option<f64> {
    let values = noisy(records, value)?;
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The results of one variation over its training seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Name of the variation.
    pub variation: &'static str,
    /// Settings that the variation changes, as `FIELD=VALUE`.
    pub set: &'static [&'static str],
    /// The runs in the order of their seeds, each as its records, one for each point.
    pub runs: Vec<Vec<Record>>,
}

impl Outcome {
    /// The results of `variation` from the records of its runs.
    pub fn new(variation: &Variation, runs: Vec<Vec<Record>>) -> Self {
        Outcome { variation: variation.name, set: variation.set(), runs }
    }

    fn values(&self, column: usize) -> Vec<Option<f64>> {
        self.runs.iter().map(|records| COLUMNS[column].1(records)).collect()
    }
}

/// Mean difference between two outcomes in a column, paired by seed, with Student's 95 % interval; `None` if a value
/// is undefined or there is only one seed.
fn difference(outcome: &Outcome, base: &Outcome, column: usize) -> Option<Interval> {
    let pairs = outcome.values(column).into_iter().zip(base.values(column));
    let differences: Option<Vec<f64>> = pairs.map(|(a, b)| Some(a? - b?)).collect();
    student_interval(&differences?)
}

/// The table of the ablation in Markdown. The first outcome is the base.
pub fn table(outcomes: &[Outcome], variations: &[Variation]) -> String {
    let Some(base) = outcomes.first() else { return String::new() };
    let mut out = String::from("| variation |");
    COLUMNS.iter().for_each(|(name, _)| _ = write!(out, " {name} |"));
    out += "\n|---|";
    COLUMNS.iter().for_each(|_| out += "---|");
    out.push('\n');
    for (index, outcome) in outcomes.iter().enumerate() {
        _ = write!(out, "| {} |", outcome.variation);
        for column in 0..COLUMNS.len() {
            let spread = Spread::of(outcome.values(column));
            let mut cell = spread.map_or("-".to_owned(), |s| s.text());
            if let Some(interval) = (index > 0).then(|| difference(outcome, base, column)).flatten() {
                // Differences whose interval excludes zero are bold.
                let sure = if interval.low > 0.0 || interval.high < 0.0 { "**" } else { "" };
                let half = (interval.high - interval.low) / 2.0;
                _ = write!(cell, " ({sure}{:+.3}{sure} ± {half:.3})", interval.estimate);
            }
            _ = write!(out, " {cell} |");
        }
        out.push('\n');
    }
    out.push('\n');
    for variation in variations {
        _ = writeln!(out, "* `{}`: {}.{}", variation.name, variation.about, changes(variation));
    }
    out + &notes(base)
}

fn changes(variation: &Variation) -> String {
    variation.set().iter().map(|field| format!(" `--set {field}`")).collect()
}

fn notes(base: &Outcome) -> String {
    let Some(point) = base.runs.first().and_then(|records| records.last()) else { return String::new() };
    format!(
        "\nMean ± standard deviation over {} training seeds, in brackets the difference to the base, paired by seed, with the half \
         width of its 95 % interval (Student's t); bold where the interval excludes zero, which one of twenty does by chance. \
         Corpus {}, split {}, {} clips, {} draws. \"Mean\" is over all noisy points of the sweep, \"worst\" the least of them. \
         Acc-2: pos.\n",
        base.runs.len(),
        point.corpus,
        point.split,
        point.clips,
        point.draws
    )
}
