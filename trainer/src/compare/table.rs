//! Renders a comparison as a table for the terminal.

use super::pairing::{Comparison, Scored, Value};
use crate::metric::{Basis, Difference, Level, METRICS};
use crate::scheme_name::channel_label;

/// The comparison as text: a line for each system at each point, and notes on the numbers.
pub fn text(comparison: &Comparison) -> String {
    let mut header = ["channel", "SNR dB", "system", "uses"].map(str::to_owned).to_vec();
    for metric in &METRICS {
        header.extend([metric.label.split(',').next().unwrap_or_default().to_owned(), "difference".to_owned()]);
    }
    let mut lines = vec![header];
    for point in &comparison.points {
        for value in &point.values {
            let mut line = vec![
                channel_label(&point.channel),
                point.snr_db.map_or("-".to_owned(), |snr| snr.to_string()),
                comparison.systems[value.system].label.clone(),
                value.channel_uses.map_or("-".to_owned(), |uses| format!("{uses:.0}")),
            ];
            line.extend(value.metrics.iter().flat_map(|scored| cells(value, scored)));
            lines.push(line);
        }
    }
    aligned(&lines) + &notes(comparison)
}

fn cells(value: &Value, Scored { level, difference, .. }: &Scored) -> [String; 2] {
    let none = if value.system == 0 { "" } else { "-" };
    [level.map_or("-".to_owned(), Level::text), difference.map_or(none.to_owned(), Difference::text)]
}

/// Lines with aligned columns: channel and system to the left, numbers to the right.
fn aligned(lines: &[Vec<String>]) -> String {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let mut out = String::new();
    for line in lines {
        let cell = |(column, cell): (usize, &String)| {
            let width = widths[column];
            if [0, 2].contains(&column) { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        };
        out += line.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end();
        out.push('\n');
    }
    out
}

fn notes(comparison: &Comparison) -> String {
    let first = &comparison.systems[0];
    let mut out = format!(
        "Difference: a system less {}, where both have the same clips, draws and channel seed. Corpus {}, split {}.\n",
        first.label, first.corpus, first.split
    );
    if comparison.systems.iter().any(|system| system.model_ids.len() > 1) {
        out += "Of several training seeds: mean ± standard deviation. ";
    }
    if comparison.has(Basis::Seeds) {
        out += "Intervals of differences: 95 %, Student's t, paired by training seed. ";
    }
    if comparison.has(Basis::Binomial) {
        out += "Of one run: 95 % binomial intervals over clips; those of differences take the two as independent. ";
    }
    out.trim_end().to_owned() + "\n"
}
