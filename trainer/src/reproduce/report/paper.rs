//! The numbers that the paper prints beside ours, with the differences in setup that limit the comparison.

use super::tables::text;
use crate::config::RunConfig;
use crate::reproduce::figures::number;
use crate::reproduce::html::{escaped, table};
use crate::reproduce::plan::Plan;
use crate::reproduce::scheme::{Scheme, by_reals, find};
use crate::scheme_name::{channel_label, label};
use metrics::{Record, Spread};
use network::config::Preset;

/// A number that the paper prints for one point, of the proposed scheme and of T-DeepSC.
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

/// Table I of the paper (MOSEI, AWGN at 12 dB): real channel dimensions, then Acc-2, Acc-7, F1 and MAE.
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

/// A metric of Table I: its name, and its value in a record.
type Column = (&'static str, fn(&Record) -> Option<f64>);

/// The metrics of [`TABLE_ONE`], in its order.
const COLUMNS: [Column; 4] =
    [("Acc-2", |r| r.acc2_pos), ("Acc-7", |r| r.acc7), ("F1", |r| r.f1_pos), ("MAE", |r| r.mae)];

/// The report's section on the paper: Table I, then the other numbers that the paper prints. Empty without the
/// proposed scheme.
pub fn section(plan: &Plan, schemes: &[Scheme]) -> String {
    let Some(config) = config(schemes) else { return String::new() };
    let note = format!(
        "<p>Ours are of corpus {}, {} split, text encoder {}. The paper names neither its channel's power and fading nor its seeds, \
         so no row is more than nearly like for like. “L1 head” is the proposed scheme with the paper's regressor.</p>\n",
        escaped(&plan.corpus),
        escaped(&plan.sweep.split),
        escaped(plan.text_encoder.as_deref().unwrap_or("none")),
    );
    note + &table_one(plan, schemes, config) + &numbers(plan, schemes, config)
}

/// The settings that the first cell of the proposed scheme was trained with.
fn config<'a>(schemes: &[Scheme<'a>]) -> Option<&'a RunConfig> {
    find(schemes, "proposed").and_then(|s| s.cells.first()).map(|cell| &cell.scored.config)
}

/// The paper's Acc-2 on MOSI beside ours, in a sentence; `None` without the proposed scheme.
pub fn finding(plan: &Plan, schemes: &[Scheme]) -> Option<String> {
    let config = config(schemes)?;
    let unlike_mosi = unlike(plan, config, "MOSI");
    let p = &PRINTED[0];
    let point = format!("{}, Rayleigh fading, {} dB", p.dataset, number(p.snr_db));
    let Some(ours) = find(schemes, "proposed")?.at(p.channel, Some(p.snr_db), p.of) else {
        return Some(format!(
            "The paper prints {} {:.3} for {point}; that point was not scored here.",
            p.metric, p.proposed
        ));
    };
    let difference = number(((ours.mean - p.proposed) * 1000.0).round() / 10.0);
    let sign = if ours.mean > p.proposed { "+" } else { "" };
    Some(format!(
        "The paper prints {} {:.3} for {point}; ours there is {} ({sign}{difference} points). Like for like: {}.",
        p.metric,
        p.proposed,
        ours.text(),
        verdict(&unlike_mosi)
    ))
}

/// Our value less the paper's, as text; `-` if ours is missing.
fn lead(ours: Option<Spread>, paper: f64) -> String {
    ours.map_or("-".to_owned(), |ours| format!("{:+.3}", ours.mean - paper))
}

fn numbers(plan: &Plan, schemes: &[Scheme], config: &RunConfig) -> String {
    let header = ["the paper's", "scheme", "paper", "ours", "difference", "L1 head, ours", "like for like?"];
    let rows = |p: &Printed| {
        let at = |name: &str| find(schemes, name).and_then(|scheme| scheme.at(p.channel, Some(p.snr_db), p.of));
        let what = format!("{}, {} {} dB, {}", p.dataset, channel_label(p.channel), number(p.snr_db), p.metric);
        let verdict = verdict(&unlike(plan, config, p.dataset));
        let row = |name: &str, paper: f64, l1: String, verdict: String| {
            let ours = at(name);
            vec![what.clone(), label(name), format!("{paper:.4}"), text(ours), lead(ours, paper), l1, verdict]
        };
        [
            row("proposed", p.proposed, text(at("proposed-l1")), verdict),
            row("t-deepsc-published", p.t_deepsc, "-".to_owned(), String::new()),
        ]
    };
    let rows: Vec<Vec<String>> = PRINTED.iter().flat_map(rows).collect();
    table("Numbers that the paper prints", &header.map(str::to_owned), &rows)
}

/// Table I in HTML: for each number of channel dimensions the paper's row, ours and the difference, and ours over
/// Rayleigh fading at −12 dB.
fn table_one(plan: &Plan, schemes: &[Scheme], config: &RunConfig) -> String {
    let ours = by_reals(schemes);
    if ours.is_empty() {
        return String::new();
    }
    let mut header = vec!["channel dimensions (uses)".to_owned(), "AWGN, 12 dB".to_owned()];
    header.extend(COLUMNS.iter().map(|(name, _)| (*name).to_owned()));
    header.extend(COLUMNS.iter().map(|(name, _)| format!("{name}, Rayleigh \u{2212}12 dB")));
    let rows = |(reals, paper): &(usize, [f64; 4])| {
        let scheme = ours.iter().find(|(width, _)| width == reals).map(|(_, scheme)| *scheme);
        let at = |channel: &str, snr: f64| -> Vec<Option<Spread>> {
            COLUMNS.iter().map(|(_, of)| scheme.and_then(|s| s.at(channel, Some(snr), *of))).collect()
        };
        let (easy, hard) = (at("awgn", 12.0), at("rayleigh", -12.0));
        let row = |who: &str, cells: Vec<String>, more: Vec<String>| {
            [vec![format!("{reals} ({})", reals / 2), who.to_owned()], cells, more].concat()
        };
        let nothing = || vec![String::new(); COLUMNS.len()];
        [
            row("paper", paper.iter().map(|value| format!("{value:.4}")).collect(), nothing()),
            row("ours", easy.iter().map(|v| text(*v)).collect(), hard.iter().map(|v| text(*v)).collect()),
            row("difference", easy.iter().zip(paper).map(|(ours, paper)| lead(*ours, *paper)).collect(), nothing()),
        ]
    };
    let rows: Vec<Vec<String>> = TABLE_ONE.iter().flat_map(rows).collect();
    let caption = format!("Table I: transmitted dimension. Like for like? {}", verdict(&unlike(plan, config, "MOSEI")));
    table(&caption, &header, &rows)
}

/// Whether a comparison is like for like, as text: yes, or no with the reasons.
fn verdict(reasons: &[String]) -> String {
    if reasons.is_empty() { "yes, as far as the paper says".to_owned() } else { format!("no: {}", reasons.join("; ")) }
}

/// The reasons why a comparison is not like for like: corpus, split, text encoder, feature widths, training SNRs or
/// sizes that are not the paper's.
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
