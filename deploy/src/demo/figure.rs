//! The demo's figure: accuracy against SNR, beside everything it should be compared with.

use corpus::CorpusSpec;
use metrics::Record;
use plot::{Colour, Curve, Figure, Pattern, Point};
use trainer::metric::ACC2;
use trainer::scheme_name::channel_label;

/// Acc-2 "pos" of each channel against SNR with its 95 % interval, the matched-filter reference of each, the noiseless
/// score, the majority/median baseline, and the range of SNRs trained at.
pub fn accuracy(records: &[Record], best_constant: Option<f64>, trained_db: Option<(f64, f64)>) -> Figure {
    let title = records.first().map_or_else(String::new, |r| {
        let builtin = r.corpus == CorpusSpec::BUILTIN.to_string();
        let corpus = if builtin { "builtin" } else { r.corpus.rsplit('/').next().unwrap_or(&r.corpus) };
        format!("Sentiment over the link: {corpus}, {} split, {} clips", r.split, r.clips)
    });
    let mut figure = Figure::against_snr(title, ACC2.label);
    let mut channels: Vec<&str> = records.iter().filter(|r| r.snr_db.is_some()).map(|r| r.channel.as_str()).collect();
    channels.dedup();
    for (index, channel) in channels.iter().enumerate() {
        let own = || records.iter().filter(|r| r.channel == *channel);
        let measured = own().filter_map(|r| {
            let interval = r.acc2_pos_interval.map(|i| (i.low, i.high));
            Some(Point { x: r.snr_db?, y: r.acc2_pos?, interval })
        });
        let reference = own().filter_map(|r| Some(Point::new(r.snr_db?, r.reference_acc2?)));
        let reference: Vec<Point> = reference.collect();
        let name = channel_label(channel);
        figure = figure.curve(Curve::measured(index, format!("{name}, 95 % interval"), measured.collect()));
        if !reference.is_empty() {
            figure = figure.curve(Curve::reference(index, format!("{name}, matched filter"), reference));
        }
    }
    let noiseless = records.iter().find(|r| r.channel == "none").and_then(|r| r.acc2_pos);
    if let Some(noiseless) = noiseless {
        figure = figure.level("noiseless", noiseless, Colour::Grey, Pattern::DashDotted);
    }
    if let Some(constant) = best_constant {
        figure =
            figure.level("majority/median baseline (best constant predictor)", constant, Colour::Grey, Pattern::Dotted);
    }
    match trained_db {
        Some((low, high)) => figure.shade("SNR trained at", low, high),
        None => figure,
    }
}
