//! `results.json`, the figures and `report.html`, from the files of the cells.

mod paper;
mod tables;

use super::audits::AuditCell;
use super::cell::Cell;
use super::figures::{CHANNELS, Drawn, draw};
use super::html::{escaped, page, table};
use super::plan::Plan;
use super::provenance;
use super::scheme::Scheme;
use anyhow::{Context, Result};
use files::PendingFile;
use serde::Serialize;
use std::path::Path;
use tables::{snrs, text};

/// `results.json`.
#[derive(Serialize)]
struct Results<'a> {
    plan: &'a Plan,
    cells: &'a [Cell],
    audits: &'a [AuditCell],
}

/// Writes everything that is made of the cells.
///
/// # Errors
/// If a cell is missing or a file cannot be written.
pub fn write(plan: &Plan, out: &Path) -> Result<()> {
    // Always from the files, so that what is put together has the same bytes as what was made at once.
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

/// Acc-2 of every scheme for the terminal.
fn summary(schemes: &[Scheme]) -> String {
    let mut out = String::from("Acc-2 pos\n");
    for scheme in schemes {
        out += &format!("{:<34} noiseless {}", scheme.entry.label, text(scheme.at("none", None, |r| r.acc2_pos)));
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
    let mut body = format!(
        "<p>Corpus {}, {} split, {} clips; text encoder: {}; {} training seeds, {} draws a point.</p>\n<p>SNR is Es/N0 per \
         complex symbol with mean |x|² = 1 and one h per burst; the receiver knows h. Mean ± standard deviation over seeds; bands \
         and bars show the same unless a figure says otherwise. Shaded: the range of SNRs that the proposed scheme was trained at. \
         T-DeepSC as published was trained at 12 dB and equalises by zero forcing. What sends decisions decides with the proposed \
         network of the same seed. Acc-2 and F1: clips with label 0 dropped.</p>\n",
        escaped(&plan.corpus),
        escaped(&plan.sweep.split),
        record.clips,
        escaped(plan.text_encoder.as_deref().unwrap_or("none")),
        plan.seeds,
        plan.sweep.draws,
    );
    body += &paper::section(plan, schemes);
    body += "<h2>Figures</h2>\n";
    for figure in drawn {
        let svg = figure.svg.find("<svg").map_or("", |at| &figure.svg[at..]);
        let (caption, stem) = (escaped(&figure.caption), escaped(&figure.stem));
        body += &format!("<figure><figcaption>{caption} ({stem})</figcaption>\n{svg}\n</figure>\n");
    }
    body += "<h2>Against SNR</h2>\n";
    body += &tables::sweeps(schemes);
    body += &tables::differences(schemes);
    body += &tables::audits(schemes, audits);
    body += &made(plan, schemes, commands);
    Ok(page("Latentlink: the paper's evaluation", &body))
}

/// By what the folder was made: commands, versions, files read, weights.
fn made(plan: &Plan, schemes: &[Scheme], commands: &[String]) -> String {
    let cells = || schemes.iter().flat_map(|scheme| &scheme.cells);
    let mut cpus: Vec<&str> = cells().map(|cell| cell.cpu.as_str()).collect();
    cpus.sort_unstable();
    cpus.dedup();
    let mut out = format!(
        "<h2>How it was made</h2>\n<p>Latentlink {}, built by {}; CPU {}. Training seeds 0 to {}, channel seed 0. The settings of \
         every network are in <code>results.json</code>. Commands:</p>\n<pre>{}</pre>\n",
        escaped(&plan.version),
        escaped(&plan.rustc),
        escaped(&cpus.join(", ")),
        plan.seeds.saturating_sub(1),
        escaped(&commands.join("\n")),
    );
    if !plan.text_encoder_sha256.is_empty() {
        let files = plan.text_encoder_sha256.iter().map(|(file, hash)| vec![file.clone(), hash.clone()]);
        out += &table("Text encoder", &["file", "SHA-256"].map(str::to_owned), &files.collect::<Vec<_>>());
    }
    let weights = cells().map(|cell| vec![cell.entry.clone(), cell.seed.to_string(), cell.model_id.clone()]);
    let header = ["scheme", "seed", "model id: SHA-256 of configuration and weights"].map(str::to_owned);
    out + &table("Weights", &header, &weights.collect::<Vec<_>>())
}
