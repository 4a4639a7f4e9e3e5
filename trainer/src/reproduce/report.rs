//! Writes `results.json`, the figures and `report.html` from the files of the cells.

mod findings;
mod paper;
mod tables;

use super::audits::AuditCell;
use super::cell::Cell;
use super::figures::{CHANNELS, Drawn, draw};
use super::html::{self, Section, escaped, folded_table, page};
use super::plan::Plan;
use super::provenance;
use super::scheme::Scheme;
use crate::metric::ACC2;
use anyhow::{Context, Result};
use files::PendingFile;
use serde::Serialize;
use std::path::Path;
use tables::{snrs, text};

/// Content of `results.json`: the plan, all cells and all audits.
#[derive(Serialize)]
struct Results<'a> {
    plan: &'a Plan,
    cells: &'a [Cell],
    audits: &'a [AuditCell],
}

/// Writes `results.json`, the figures and `report.html` into the grid's folder `out`, and prints a summary.
///
/// # Errors
/// If a cell is missing or a file cannot be written.
pub fn write(plan: &Plan, out: &Path) -> Result<()> {
    // Always read from the files, so that a merged grid gives the same bytes as one done by a single process.
    let cells: Vec<Cell> = plan.cells().map(|(entry, seed)| Cell::load(out, entry, seed)).collect::<Result<_>>()?;
    let audits = plan.audits().map(|(entry, seed)| AuditCell::load(out, entry, seed));
    let audits: Vec<AuditCell> = audits.collect::<Result<_>>()?;
    PendingFile::create(&out.join("results.json"))?.commit(|file| {
        serde_json::to_writer_pretty(&mut *file, &Results { plan, cells: &cells, audits: &audits })?;
        file.write_all(b"\n")
    })?;
    let schemes = Scheme::all(plan, &cells)?;
    let drawn = draw(plan, &schemes, &audits, &out.join("figures"))?;
    let html = html(plan, &schemes, &audits, &drawn, &provenance::commands(out)?)?;
    PendingFile::create(&out.join("report.html"))?.commit(|file| file.write_all(html.as_bytes()))?;
    console::print(summary(&schemes) + &format!("report in {}\n", out.join("report.html").display()))?;
    Ok(())
}

/// Acc-2 of every scheme as text for the terminal: without noise, and at the first SNR of the tables over each
/// channel.
fn summary(schemes: &[Scheme]) -> String {
    let mut out = format!("{}\n", ACC2.label);
    for scheme in schemes {
        out += &format!("{:<34} noiseless {}", scheme.entry.label(), text(scheme.at("none", None, |r| r.acc2_pos)));
        for (channel, _) in CHANNELS {
            for snr in snrs(schemes, channel).into_iter().take(1) {
                out += &format!(", {channel} {snr} dB {}", text(scheme.at(channel, Some(snr), |r| r.acc2_pos)));
            }
        }
        out.push('\n');
    }
    out
}

fn html(plan: &Plan, schemes: &[Scheme], audits: &[AuditCell], drawn: &[Drawn], commands: &[String]) -> Result<String> {
    let first = schemes.first().and_then(|scheme| scheme.cells.first()).context("no cell")?;
    let record = &first.records[0];
    let sentences: String =
        findings::sentences(plan, schemes).iter().map(|s| format!("<li>{}</li>\n", escaped(s))).collect();
    let seeds = match plan.seeds {
        1 => "one training seed: intervals are 95 % binomial ones over clips (Wilson's)".to_owned(),
        seeds => format!("{seeds} training seeds: mean \u{b1} standard deviation over them"),
    };
    let opening = format!(
        "<ol class=\"findings\">\n{sentences}</ol>\n<p>Corpus {}, {} split, {} clips; text encoder: {}; {} draws a point; {seeds}.</p>\n",
        escaped(&plan.corpus),
        escaped(&plan.sweep.split),
        record.clips,
        escaped(plan.text_encoder.as_deref().unwrap_or("none")),
        plan.sweep.draws,
    );
    let figures: String = drawn
        .iter()
        .map(|drawn| html::figure(&drawn.stem, &format!("{} ({})", drawn.caption, drawn.stem), &drawn.svg))
        .collect();
    let read = "<p>SNR is Es/N0 per complex symbol with mean |x|² = 1 and one h per burst; the receiver knows h. Bands and bars show \
                what the tables do unless a figure says otherwise. Shaded: the range of SNRs that the proposed scheme was trained at. \
                T-DeepSC as published was trained at 12 dB and equalises by zero forcing. Sign, class and six bits are decided by the \
                proposed network of the same seed. The majority/median baseline answers every clip alike (best constant predictor, \
                fitted on the training split). Acc-2 and F1 Non0 (pos): clips with label 0 dropped.</p>\n";
    let sections = [
        Section { id: "paper", title: "Beside the paper", body: paper::section(plan, schemes) },
        Section { id: "figures", title: "Figures", body: read.to_owned() + &figures },
        Section {
            id: "tables",
            title: "Tables: every metric against SNR",
            body: tables::sweeps(schemes) + &tables::differences(schemes),
        },
        Section { id: "audit-tables", title: "The audit", body: tables::audits(schemes, audits) },
        Section { id: "made", title: "How it was made", body: made(plan, schemes, commands) },
    ];
    Ok(page("Latentlink: the paper's evaluation", &opening, &sections))
}

/// The report's section on provenance: commands, versions, hashes of the text encoder's files, and model ids of the
/// weights.
fn made(plan: &Plan, schemes: &[Scheme], commands: &[String]) -> String {
    let cells = || schemes.iter().flat_map(|scheme| &scheme.cells);
    let mut cpus: Vec<&str> = cells().map(|cell| cell.cpu.as_str()).collect();
    cpus.sort_unstable();
    cpus.dedup();
    let mut out = format!(
        "<p>Latentlink {}, built by {}; CPU {}. Training seeds 0 to {}, channel seed 0. The settings of \
         every network are in <code>results.json</code>. Commands:</p>\n<pre>{}</pre>\n",
        escaped(&plan.version),
        escaped(&plan.rustc),
        escaped(&cpus.join(", ")),
        plan.seeds.saturating_sub(1),
        escaped(&commands.join("\n")),
    );
    if !plan.text_encoder_sha256.is_empty() {
        let files = plan.text_encoder_sha256.iter().map(|(file, hash)| vec![file.clone(), hash.clone()]);
        out += &folded_table("Text encoder", &["file", "SHA-256"].map(str::to_owned), &files.collect::<Vec<_>>());
    }
    let weights = cells().map(|cell| vec![cell.entry.clone(), cell.seed.to_string(), cell.model_id.clone()]);
    let header = ["scheme", "seed", "model id: SHA-256 of configuration and weights"].map(str::to_owned);
    out + &folded_table("Weights", &header, &weights.collect::<Vec<_>>())
}
