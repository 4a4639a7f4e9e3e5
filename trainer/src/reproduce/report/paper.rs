//! What the paper prints, beside ours: number by number, with what makes the comparison unlike.

use super::tables::text;
use crate::config::RunConfig;
use crate::reproduce::html::{escaped, table};
use crate::reproduce::plan::Plan;
use crate::reproduce::scheme::{Scheme, by_reals, find};
use metrics::Record;
use network::config::Preset;

/// Numbers that the paper prints of one point.
struct Printed {
    dataset: &'static str,
    channel: &'static str,
    snr_db: f64,
    metric: &'static str,
    of: fn(&Record) -> Option<f64>,
    proposed: f64,
    t_deepsc: f64,
}

const fn printed(
    (dataset, channel, snr_db): (&'static str, &'static str, f64),
    metric: &'static str,
    of: fn(&Record) -> Option<f64>,
    (proposed, t_deepsc): (f64, f64),
) -> Printed {
    Printed { dataset, channel, snr_db, metric, of, proposed, t_deepsc }
}

const MOSI: (&str, &str, f64) = ("MOSI", "rayleigh", -12.0);
const MOSEI: (&str, &str, f64) = ("MOSEI", "awgn", -6.0);

const PRINTED: [Printed; 4] = [
    printed(MOSI, "Acc-2", |r| r.acc2_pos, (0.7359, 0.6327)),
    printed(MOSI, "F1", |r| r.f1_pos, (0.7371, 0.6335)),
    printed(MOSEI, "F1", |r| r.f1_pos, (0.7938, 0.6598)),
    printed(MOSEI, "Acc-7", |r| r.acc7, (0.4409, 0.4310)),
];

/// Table I of the paper, MOSEI, AWGN at 12 dB: reals, then Acc-2, Acc-7, F1, MAE.
const TABLE_ONE: [(usize, [f64; 4]); 8] = [
    (10, [0.8423, 0.4868, 0.8415, 0.7227]),
    (20, [0.8472, 0.5238, 0.8437, 0.6037]),
    (30, [0.8511, 0.5053, 0.8506, 0.6092]),
    (40, [0.8511, 0.5197, 0.8513, 0.6009]),
    (50, [0.8541, 0.5163, 0.8543, 0.5976]),
    (60, [0.8514, 0.5255, 0.8511, 0.6018]),
    (70, [0.8535, 0.5102, 0.8553, 0.6014]),
    (80, [0.8539, 0.5138, 0.8549, 0.6010]),
];

/// A metric by name.
type Column = (&'static str, fn(&Record) -> Option<f64>);

/// The metrics of [`TABLE_ONE`].
const COLUMNS: [Column; 4] =
    [("Acc-2", |r| r.acc2_pos), ("Acc-7", |r| r.acc7), ("F1", |r| r.f1_pos), ("MAE", |r| r.mae)];

/// Both tables.
pub fn section(plan: &Plan, schemes: &[Scheme]) -> String {
    let config = find(schemes, "proposed").and_then(|s| s.cells.first()).map(|cell| &cell.scored.config);
    let Some(config) = config else { return String::new() };
    let note = format!(
        "<p>Ours are of corpus {}, {} split, text encoder {}. The paper names neither its channel's power and fading nor its seeds, \
         so no row is more than nearly like for like. “L1 head” is the proposed scheme with the paper's regressor.</p>\n",
        escaped(&plan.corpus),
        escaped(&plan.sweep.split),
        escaped(plan.text_encoder.as_deref().unwrap_or("none")),
    );
    "<h2>Beside the paper</h2>\n".to_owned()
        + &note
        + &numbers(plan, schemes, config)
        + &table_one(plan, schemes, config)
}

fn numbers(plan: &Plan, schemes: &[Scheme], config: &RunConfig) -> String {
    let header = [
        "the paper's",
        "proposed, paper",
        "proposed, ours",
        "L1 head, ours",
        "T-DeepSC, paper",
        "T-DeepSC as published, ours",
        "like for like?",
    ];
    let row = |p: &Printed| {
        let ours = |name: &str| text(find(schemes, name).and_then(|scheme| scheme.at(p.channel, Some(p.snr_db), p.of)));
        vec![
            format!("{}, {} {} dB, {}", p.dataset, p.channel, p.snr_db, p.metric),
            format!("{:.4}", p.proposed),
            ours("proposed"),
            ours("proposed-l1"),
            format!("{:.4}", p.t_deepsc),
            ours("t-deepsc-published"),
            verdict(&unlike(plan, config, p.dataset)),
        ]
    };
    let rows: Vec<Vec<String>> = PRINTED.iter().map(row).collect();
    table("Numbers that the paper prints", &header.map(str::to_owned), &rows)
}

/// Table I, with what ours reaches where it is hard, too.
fn table_one(plan: &Plan, schemes: &[Scheme], config: &RunConfig) -> String {
    let ours = by_reals(schemes);
    if ours.is_empty() {
        return String::new();
    }
    let mut header = vec!["reals (uses)".to_owned()];
    for from in ["paper, AWGN 12 dB", "ours, AWGN 12 dB", "ours, Rayleigh −12 dB"] {
        header.extend(COLUMNS.iter().map(|(name, _)| format!("{name}: {from}")));
    }
    let row = |(reals, paper): &(usize, [f64; 4])| {
        let mut row = vec![format!("{reals} ({})", reals / 2)];
        row.extend(paper.iter().map(|value| format!("{value:.4}")));
        let scheme = ours.iter().find(|(width, _)| width == reals).map(|(_, scheme)| *scheme);
        for (channel, snr) in [("awgn", 12.0), ("rayleigh", -12.0)] {
            row.extend(COLUMNS.iter().map(|(_, of)| text(scheme.and_then(|s| s.at(channel, Some(snr), *of)))));
        }
        row
    };
    let rows: Vec<Vec<String>> = TABLE_ONE.iter().map(row).collect();
    let caption = format!("Table I: transmitted dimension. Like for like? {}", verdict(&unlike(plan, config, "MOSEI")));
    table(&caption, &header, &rows)
}

/// What a reader needs to know before comparing.
fn verdict(reasons: &[String]) -> String {
    if reasons.is_empty() { "yes, as far as the paper says".to_owned() } else { format!("no: {}", reasons.join("; ")) }
}

/// Where the corpus, its features, the text encoder, the range trained at or the sizes are not the paper's.
fn unlike(plan: &Plan, config: &RunConfig, dataset: &str) -> Vec<String> {
    let mut reasons = Vec::new();
    let corpus = plan.corpus.rsplit('/').next().unwrap_or(&plan.corpus);
    if !corpus.to_lowercase().contains(&dataset.to_lowercase()) {
        reasons.push(format!("corpus {corpus}, not {dataset}"));
    }
    if plan.sweep.split != "test" {
        reasons.push(format!("{} split, not test", plan.sweep.split));
    }
    match plan.text_encoder.as_deref() {
        None => reasons.push("no text encoder, not BERT-base trained further".to_owned()),
        Some(encoder) if !encoder.to_lowercase().contains("bert-base") || config.tuning.is_none() => {
            reasons.push(format!("text encoder {encoder}, not BERT-base trained further"));
        }
        Some(_) => {}
    }
    let visual = if dataset == "MOSI" { 47 } else { 35 };
    for (name, width, (tool, theirs)) in [
        ("audio", config.network.widths.audio, ("COVAREP", 74)),
        ("visual", config.network.widths.visual, ("FACET", visual)),
    ] {
        match width {
            None => reasons.push(format!("no {name}")),
            Some(width) if width != theirs => {
                reasons.push(format!("{name} of {width} columns, not {theirs} of {tool}"))
            }
            Some(_) => {}
        }
    }
    let (low, high) = config.law.snr_db;
    if (low, high) != (0.0, 21.0) {
        reasons.push(format!("trained at {low} to {high} dB, not 0 to 21"));
    }
    if config.preset != Preset::Paper {
        reasons.push("smaller sizes".to_owned());
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::TrainOptions;
    use crate::config::Tuning;
    use crate::material::Material;
    use crate::reproduce::cell::SweepSettings;
    use corpus::CorpusSpec;

    #[test]
    fn what_makes_a_comparison_unlike_is_named() {
        let material = Material::load(&CorpusSpec::BUILTIN, None).unwrap();
        let config = TrainOptions::default().resolved(&CorpusSpec::BUILTIN, material.corpus(), 0).unwrap();
        let mut config = material.settled(config);
        let sweep = SweepSettings { split: "valid".into(), points: Vec::new(), draws: 1 };
        let mut plan = Plan::bare("builtin", sweep);
        let reasons = unlike(&plan, &config, "MOSI").join("; ");
        for reason in ["corpus builtin, not MOSI", "valid split", "no text encoder", "-15 to 21 dB", "smaller sizes"] {
            assert!(reasons.contains(reason), "{reason}: {reasons}");
        }
        plan.corpus = "shared/mosi".into();
        plan.sweep.split = "test".into();
        plan.text_encoder = Some("bert-base-uncased (FineTune)".into());
        let tuning = Tuning { begin: 8, rate: 1e-4, layer_decay: 0.9, frozen_layers: 0, weight_decay: 0.0 };
        config.tuning = Some(tuning);
        config.network.widths.audio = Some(74);
        config.network.widths.visual = Some(47);
        config.law.snr_db = (0.0, 21.0);
        config.preset = Preset::Paper;
        assert_eq!(unlike(&plan, &config, "MOSI"), Vec::<String>::new());
        // Another corpus, and its visual columns.
        assert_eq!(unlike(&plan, &config, "MOSEI").len(), 2);
    }
}
