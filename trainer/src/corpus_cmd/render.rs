//! Renders the results of `trainer corpus inspect` as text.

use std::fmt::Write;

use super::Inspection;

/// The inspection as text: its tables one after the other, then the warnings.
pub(super) fn text(inspection: &Inspection) -> String {
    let mut out =
        format!("{}: {} clips, {} with a transcript\n", inspection.corpus, inspection.clips, inspection.transcripts);
    section(&mut out, "labels", splits(inspection));
    section(&mut out, "features", modalities(inspection));
    let measured = format!("baselines, fitted on train, measured on {}", inspection.measured_on);
    section(&mut out, &measured, baselines(inspection));
    if let Some(truth) = &inspection.truth {
        let here = truth.bayes_acc2_pos_here.map_or("-".into(), |x| format!("{x:.4}"));
        let _ = writeln!(
            out,
            "\nknown of the generator: Bayes Acc-2 (pos) {:.4} from all ({here} on these clips), {:.4} from one modality;\n\
             any two modalities share {:.3} nats about the label and {:.3} nats that are irrelevant",
            truth.bayes_acc2_pos,
            truth.bayes_acc2_pos_of_one,
            truth.shared_about_label_nats,
            truth.shared_irrelevant_nats
        );
    }
    out.push('\n');
    if inspection.warnings.is_empty() {
        out.push_str("nothing looks wrong\n");
    }
    for warning in &inspection.warnings {
        let _ = writeln!(out, "warning: {warning}");
    }
    out
}

fn splits(inspection: &Inspection) -> Vec<Vec<String>> {
    let header = ["split", "clips", "videos", "y<0", "y=0", "y>0", "-3", "-2", "-1", "0", "+1", "+2", "+3"];
    let mut table = vec![header.map(String::from).to_vec()];
    for row in &inspection.splits {
        let counts = [row.clips, row.videos, row.negative, row.zero, row.positive];
        let counts = counts.iter().chain(&row.classes).map(usize::to_string);
        table.push(std::iter::once(row.split.clone()).chain(counts).collect());
    }
    table
}

fn modalities(inspection: &Inspection) -> Vec<Vec<String>> {
    let header = ["modality", "width", "clips", "lacking", "frames min", "mean", "max", "NaN -> 0", "inf -> 0"];
    let mut table = vec![header.map(String::from).to_vec()];
    for row in &inspection.modalities {
        table.push(vec![
            row.modality.name().to_owned(),
            row.width.to_string(),
            row.clips.to_string(),
            row.lacking.to_string(),
            row.frames_min.to_string(),
            format!("{:.1}", row.frames_mean),
            row.frames_max.to_string(),
            row.replaced_nan.to_string(),
            row.replaced_infinite.to_string(),
        ]);
    }
    table
}

fn baselines(inspection: &Inspection) -> Vec<Vec<String>> {
    let header = ["from", "columns", "constant", "penalty", "Acc-2 (pos)", "MAE", "corr"];
    let mut table = vec![header.map(String::from).to_vec()];
    let figure = |value: Option<f64>| value.map_or("-".into(), |x| format!("{x:.4}"));
    for row in &inspection.baselines {
        table.push(vec![
            row.from.clone(),
            row.columns.to_string(),
            row.constant_columns.to_string(),
            row.penalty.map_or("-".into(), |x| x.to_string()),
            figure(row.acc2_pos),
            figure(row.mae),
            figure(row.corr),
        ]);
    }
    table
}

/// Appends a table with a title to `out`; the first column is left-aligned, the others are right-aligned.
fn section(out: &mut String, title: &str, table: Vec<Vec<String>>) {
    let _ = writeln!(out, "\n{title}");
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..table[0].len()).map(width).collect();
    for row in &table {
        let _ = write!(out, "  {:<1$}", row[0], widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            let _ = write!(out, "  {cell:>width$}");
        }
        out.push('\n');
    }
}
