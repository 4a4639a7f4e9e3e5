//! `results.json`, the figures and `report.html`, from the files of the cells.

use super::cell::Cell;
use super::figures::{CHANNELS, Drawn, METRICS, Scheme, draw};
use super::html::{escaped, page, table};
use super::plan::Plan;
use anyhow::{Context, Result};
use files::PendingFile;
use metrics::{Record, Spread};
use serde::Serialize;
use std::path::Path;

/// SNRs of the tables, dB.
const SNRS_DB: [f64; 4] = [-12.0, -6.0, 0.0, 12.0];

/// `results.json`.
#[derive(Serialize)]
struct Results<'a> {
    plan: &'a Plan,
    cells: &'a [Cell],
}

/// Numbers that the paper prints, each of one point.
struct Printed {
    dataset: &'static str,
    channel: &'static str,
    snr_db: f64,
    metric: &'static str,
    of: fn(&Record) -> Option<f64>,
    proposed: f64,
    t_deepsc: f64,
}

const PRINTED: [Printed; 4] = [
    Printed {
        dataset: "MOSI",
        channel: "rayleigh",
        snr_db: -12.0,
        metric: "Acc-2",
        of: |r| r.acc2_pos,
        proposed: 0.7359,
        t_deepsc: 0.6327,
    },
    Printed {
        dataset: "MOSI",
        channel: "rayleigh",
        snr_db: -12.0,
        metric: "F1",
        of: |r| r.f1_pos,
        proposed: 0.7371,
        t_deepsc: 0.6335,
    },
    Printed {
        dataset: "MOSEI",
        channel: "awgn",
        snr_db: -6.0,
        metric: "F1",
        of: |r| r.f1_pos,
        proposed: 0.7938,
        t_deepsc: 0.6598,
    },
    Printed {
        dataset: "MOSEI",
        channel: "awgn",
        snr_db: -6.0,
        metric: "Acc-7",
        of: |r| r.acc7,
        proposed: 0.4409,
        t_deepsc: 0.4310,
    },
];

/// Writes everything that is made of the cells.
///
/// # Errors
/// If a cell is missing or a file cannot be written.
pub fn write(plan: &Plan, out: &Path) -> Result<()> {
    // Always from the files, so that what is put together has the same bytes as what was made at once.
    let cells: Vec<Cell> = plan.cells().map(|(entry, seed)| Cell::load(out, entry, seed)).collect::<Result<_>>()?;
    PendingFile::create(&out.join("results.json"))?.commit(|file| {
        serde_json::to_writer_pretty(&mut *file, &Results { plan, cells: &cells })?;
        file.write_all(b"\n")
    })?;
    let schemes = Scheme::all(plan, &cells)?;
    let drawn = draw(plan, &schemes, &out.join("figures"))?;
    let html = html(plan, &schemes, &drawn)?;
    PendingFile::create(&out.join("report.html"))?.commit(|file| file.write_all(html.as_bytes()))?;
    console::print(summary(&schemes) + &format!("report in {}\n", out.join("report.html").display()))?;
    Ok(())
}

fn text(spread: Option<Spread>) -> String {
    spread.map_or("-".to_owned(), Spread::text)
}

/// The SNRs of the tables that were scored.
fn snrs(schemes: &[Scheme], channel: &str) -> Vec<f64> {
    let scored = schemes.first().map_or_else(Vec::new, |scheme| scheme.snrs(channel));
    let wanted: Vec<f64> = scored.iter().copied().filter(|snr| SNRS_DB.contains(snr)).collect();
    if wanted.is_empty() { scored } else { wanted }
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

fn html(plan: &Plan, schemes: &[Scheme], drawn: &[Drawn]) -> Result<String> {
    let command: Vec<String> = std::env::args().collect();
    let first = schemes.first().and_then(|scheme| scheme.cells.first()).context("no cell")?;
    let record = &first.records[0];
    let mut body = format!(
        "<p>Corpus {}, {} split, {} clips; text encoder: {}; {} training seeds, {} draws a point; version {}; CPU {}. \
         Made by <code>{}</code>.</p>\n<p>SNR is Es/N0 per complex symbol with mean |x|² = 1 and one h per burst; the \
         receiver knows h. Mean ± standard deviation over seeds; bands show the same. Shaded: the range of SNRs that the \
         proposed scheme was trained at. T-DeepSC as published was trained at 12 dB and equalises by zero forcing. What \
         sends decisions decides with the proposed network of the same seed. Acc-2 and F1: clips with label 0 \
         dropped.</p>\n",
        escaped(&plan.corpus),
        escaped(&plan.sweep.split),
        record.clips,
        escaped(plan.text_encoder.as_deref().unwrap_or("none")),
        plan.seeds,
        plan.sweep.draws,
        escaped(&plan.version),
        escaped(&first.cpu),
        escaped(&command.join(" ")),
    );
    body += "<h2>Against SNR</h2>\n";
    for (channel, shown) in CHANNELS {
        for metric in &METRICS {
            body += &against_snr(schemes, channel, &format!("{} over {shown}", metric.label), metric.of);
        }
    }
    body += &differences(schemes);
    body += &printed(plan, schemes);
    body += "<h2>Figures</h2>\n";
    for figure in drawn {
        let svg = figure.svg.find("<svg").map_or("", |at| &figure.svg[at..]);
        let (caption, stem) = (escaped(&figure.caption), escaped(&figure.stem));
        body += &format!("<figure><figcaption>{caption} ({stem})</figcaption>\n{svg}\n</figure>\n");
    }
    body += &weights(schemes);
    Ok(page("Latentlink: the paper's evaluation", &body))
}

fn against_snr(schemes: &[Scheme], channel: &str, caption: &str, of: fn(&Record) -> Option<f64>) -> String {
    let snrs = snrs(schemes, channel);
    let mut header = vec!["scheme".to_owned(), "uses".to_owned(), "noiseless".to_owned()];
    header.extend(snrs.iter().map(|snr| format!("{snr} dB")));
    let row = |scheme: &Scheme| {
        let mut row = vec![scheme.entry.label.to_owned(), scheme.uses().to_string(), text(scheme.at("none", None, of))];
        row.extend(snrs.iter().map(|snr| text(scheme.at(channel, Some(*snr), of))));
        row
    };
    table(caption, &header, &schemes.iter().map(row).collect::<Vec<_>>())
}

/// What the proposed scheme is ahead of every other in Acc-2, seed by seed, with its 95 % interval over the seeds.
fn differences(schemes: &[Scheme]) -> String {
    let Some(proposed) = schemes.iter().find(|scheme| scheme.entry.name == "proposed") else { return String::new() };
    let mut out = String::new();
    for (channel, shown) in CHANNELS {
        let snrs = snrs(schemes, channel);
        let mut header = vec!["proposed against".to_owned()];
        header.extend(snrs.iter().map(|snr| format!("{snr} dB")));
        let cell = |scheme: &Scheme, snr: f64| {
            let pairs =
                proposed
                    .values(channel, Some(snr), |r| r.acc2_pos)
                    .zip(scheme.values(channel, Some(snr), |r| r.acc2_pos));
            paired(pairs.filter_map(|(a, b)| Some(a? - b?)).collect())
        };
        let row = |scheme: &Scheme| {
            let mut row = vec![scheme.entry.label.to_owned()];
            row.extend(snrs.iter().map(|snr| cell(scheme, *snr)));
            row
        };
        let others: Vec<Vec<String>> =
            schemes.iter().filter(|scheme| scheme.entry.name != "proposed").map(row).collect();
        let caption = format!("Lead in Acc-2 pos over {shown}, paired by seed, 95 % interval");
        out += &table(&caption, &header, &others);
    }
    out
}

/// Mean difference and its 95 % interval by Student's t.
fn paired(differences: Vec<f64>) -> String {
    /// The 0.975 quantile for 1, 2, … degrees of freedom; 1.96 is not far from it beyond.
    const T: [f64; 9] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];
    let n = differences.len();
    let Some(Spread { mean, sd }) = Spread::of(differences.into_iter().map(Some)) else { return "-".into() };
    match sd {
        Some(sd) => {
            let half = T.get(n - 2).copied().unwrap_or(1.96) * sd / (n as f64).sqrt();
            format!("{mean:+.3} [{:+.3}, {:+.3}]", mean - half, mean + half)
        }
        None => format!("{mean:+.3}"),
    }
}

/// The paper's numbers beside ours.
fn printed(plan: &Plan, schemes: &[Scheme]) -> String {
    let ours = |name: &str, printed: &Printed| {
        let scheme = schemes.iter().find(|scheme| scheme.entry.name == name);
        text(scheme.and_then(|scheme| scheme.at(printed.channel, Some(printed.snr_db), printed.of)))
    };
    let header = ["the paper's", "proposed, paper", "proposed, here", "T-DeepSC, paper", "T-DeepSC as published, here"];
    let row = |p: &Printed| {
        let point = format!("{}, {} {} dB, {}", p.dataset, p.channel, p.snr_db, p.metric);
        let paper = |value: f64| format!("{value:.4}");
        let (a, b) = (ours("proposed", p), ours("t-deepsc-published", p));
        vec![point, paper(p.proposed), a, paper(p.t_deepsc), b]
    };
    let note = format!(
        "<p>Ours are of {}, {} split, text encoder {}. Like for like they are only where corpus, split and features are the \
         paper's: BERT-base, COVAREP and FACET over the standard test fold of MOSI or MOSEI.</p>\n",
        escaped(&plan.corpus),
        escaped(&plan.sweep.split),
        escaped(plan.text_encoder.as_deref().unwrap_or("none")),
    );
    let rows: Vec<Vec<String>> = PRINTED.iter().map(row).collect();
    format!(
        "<h2>Beside the paper</h2>\n{}{note}",
        table("Numbers that the paper prints", &header.map(str::to_owned), &rows)
    )
}

fn weights(schemes: &[Scheme]) -> String {
    let rows: Vec<Vec<String>> = schemes
        .iter()
        .flat_map(|scheme| &scheme.cells)
        .map(|cell| vec![cell.entry.clone(), cell.seed.to_string(), cell.model_id.clone()])
        .collect();
    table("Weights", &["scheme", "seed", "model id"].map(str::to_owned), &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paired_interval_is_students() {
        // Mean 0.02, sd 0.01, n = 3: half = 4.303 · 0.01/√3 = 0.0248.
        assert_eq!(paired(vec![0.01, 0.02, 0.03]), "+0.020 [-0.005, +0.045]");
        assert_eq!((paired(vec![0.5]), paired(vec![])), ("+0.500".into(), "-".into()));
    }
}
