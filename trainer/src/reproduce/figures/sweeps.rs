//! Figures 5 and 6 of the paper: every metric against SNR.

use super::{Sketch, subject};
use crate::metric::{METRICS, Metric};
use crate::reproduce::plan::{Constant, Plan};
use crate::reproduce::scheme::{Scheme, find, point, rivals};
use plot::{Colour, Curve, Figure, Marker, Pattern, Point, Sheet};

/// The score of the majority/median baseline in a metric; `None` where it has none.
fn constant(constant: &Constant, metric: &Metric) -> Option<f64> {
    match metric.name {
        "acc2" => constant.acc2_pos,
        "f1" => constant.f1_pos,
        "acc7" => constant.acc7,
        "mae" => constant.mae,
        _ => None,
    }
}

/// The noisy channels that are drawn, each with its title.
pub const CHANNELS: [(&str, &str); 2] = [("awgn", "AWGN"), ("rayleigh", "Rayleigh fading")];

pub fn sketches(plan: &Plan, schemes: &[Scheme]) -> Vec<Sketch> {
    let sketch = |metric: &Metric| {
        let sheet = CHANNELS.into_iter().fold(Sheet::new(subject(plan), 1), |sheet, (channel, shown)| {
            sheet.with(against_snr(plan, schemes, metric, channel, shown))
        });
        // Each channel has an axis range of its own, that in which its curves differ.
        let sheet = sheet.name_ends().own_ranges();
        Sketch::new(metric.name, format!("{} against SNR", metric.label), sheet)
    };
    METRICS.iter().map(sketch).collect()
}

fn curve(scheme: &Scheme, channel: &str, metric: &Metric) -> Curve {
    let at = |snr: f64| Some(point(snr, scheme.level(channel, Some(snr), metric)?));
    let points = scheme.snrs(channel).into_iter().filter_map(at).collect();
    let look = scheme.look();
    let at_least = if scheme.uses_vary() { "from " } else { "" };
    let name = format!("{} ({at_least}{} uses)", scheme.entry.label(), scheme.uses());
    let marker = if look.pattern == Pattern::Solid { look.marker } else { Marker::None };
    Curve::new(name, points, look.colour, marker).pattern(look.pattern)
}

fn against_snr(plan: &Plan, schemes: &[Scheme], metric: &Metric, channel: &str, shown: &str) -> Figure {
    let mut figure = Figure::against_snr(shown, metric.label);
    for scheme in rivals(schemes) {
        figure = figure.curve(curve(scheme, channel, metric));
    }
    let Some(proposed) = find(schemes, "proposed") else { return figure };
    if metric.name == "acc2" {
        let reference = |snr: f64| Some(Point::new(snr, proposed.at(channel, Some(snr), |r| r.reference_acc2)?.mean));
        let points: Vec<Point> = proposed.snrs(channel).into_iter().filter_map(reference).collect();
        let name = "matched filter, proposed decisions";
        figure = figure.curve(Curve::new(name, points, Colour::Black, Marker::None).pattern(Pattern::Dashed));
    }
    if let Some(noiseless) = proposed.at("none", None, metric.of) {
        figure = figure.level("proposed, noiseless", noiseless.mean, Colour::Grey, Pattern::DashDotted);
    }
    if let Some(constant) = plan.constant.as_ref().and_then(|of| constant(of, metric)) {
        figure = figure.level("majority/median baseline", constant, Colour::Grey, Pattern::Dotted);
    }
    match proposed.cells.first().map(|cell| cell.scored.config.law.snr_db) {
        Some((low, high)) => figure.shade("SNR trained at", low, high),
        None => figure,
    }
}
