//! Figures 5 and 6: every metric against SNR.

use super::{Sketch, subject};
use crate::reproduce::plan::{Constant, Plan};
use crate::reproduce::scheme::{Scheme, find, point, rivals};
use metrics::Record;
use plot::{Colour, Curve, Figure, Marker, Pattern, Point, Sheet};

/// A metric that is drawn against SNR.
pub struct Metric {
    /// In names of files.
    pub name: &'static str,
    /// On the axis.
    pub label: &'static str,
    /// Of a record.
    pub of: fn(&Record) -> Option<f64>,
    /// Of the best constant.
    constant: fn(&Constant) -> Option<f64>,
}

/// Those of figures 5 and 6, and calibration.
pub const METRICS: [Metric; 5] = [
    Metric { name: "acc2", label: "Acc-2 pos", of: |r| r.acc2_pos, constant: |c| c.acc2_pos },
    Metric { name: "f1", label: "F1 pos, weighted", of: |r| r.f1_pos, constant: |c| c.f1_pos },
    Metric { name: "acc7", label: "Acc-7", of: |r| r.acc7, constant: |c| c.acc7 },
    Metric { name: "mae", label: "MAE, scale of the score", of: |r| r.mae, constant: |c| c.mae },
    Metric { name: "ece", label: "Calibration error of the sign", of: |r| r.ece, constant: |_| None },
];

/// The channels that are drawn.
pub const CHANNELS: [(&str, &str); 2] = [("awgn", "AWGN"), ("rayleigh", "Rayleigh fading")];

pub fn sketches(plan: &Plan, schemes: &[Scheme]) -> Vec<Sketch> {
    let sketch = |metric: &Metric| {
        let sheet = CHANNELS.into_iter().fold(Sheet::new(subject(plan), 2), |sheet, (channel, shown)| {
            sheet.with(against_snr(plan, schemes, metric, channel, shown))
        });
        Sketch::new(metric.name, format!("{} against SNR", metric.label), sheet)
    };
    METRICS.iter().map(sketch).collect()
}

fn curve(scheme: &Scheme, channel: &str, metric: &Metric) -> Curve {
    let at = |snr: f64| Some(point(snr, scheme.at(channel, Some(snr), metric.of)?));
    let points = scheme.snrs(channel).into_iter().filter_map(at).collect();
    let look = scheme.look();
    let at_least = if scheme.uses_vary() { "from " } else { "" };
    let name = format!("{} ({at_least}{} uses)", scheme.entry.label, scheme.uses());
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
        let name = "matched filter at the proposed's noiseless accuracy";
        figure = figure.curve(Curve::new(name, points, Colour::Black, Marker::None).pattern(Pattern::Dashed));
    }
    if let Some(noiseless) = proposed.at("none", None, metric.of) {
        figure = figure.level("proposed, noiseless", noiseless.mean, Colour::Grey, Pattern::DashDotted);
    }
    if let Some(constant) = plan.constant.as_ref().and_then(metric.constant) {
        figure = figure.level("best constant", constant, Colour::Grey, Pattern::Dotted);
    }
    match proposed.cells.first().map(|cell| cell.scored.config.law.snr_db) {
        Some((low, high)) => figure.shade("SNR trained at", low, high),
        None => figure,
    }
}
