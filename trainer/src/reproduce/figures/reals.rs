//! Table I as figures: the metrics by number of real channel dimensions, and accuracy against channel uses of all
//! schemes.

use super::{Sketch, number, subject};
use crate::metric::{ACC2, METRICS};
use crate::reproduce::plan::Plan;
use crate::reproduce::scheme::{Scheme, by_reals, point, rivals};
use plot::{Axis, Colour, Curve, Figure, Marker, Pattern, Sheet};

/// Points of the figures (channel, SNR in dB, title): the paper's point of Table I, and one with a bad channel.
pub const POINTS: [(&str, f64, &str); 2] =
    [("awgn", 12.0, "AWGN, 12 dB"), ("rayleigh", -12.0, "Rayleigh, \u{2212}12 dB")];

/// SNRs at which accuracy is drawn against channel uses, dB.
const SNRS_DB: [f64; 3] = [-12.0, 0.0, 12.0];

pub fn sketches(plan: &Plan, schemes: &[Scheme]) -> Vec<Sketch> {
    [table_one(plan, schemes), uses(plan, schemes)].into_iter().flatten().collect()
}

fn table_one(plan: &Plan, schemes: &[Scheme]) -> Option<Sketch> {
    let reals = by_reals(schemes);
    if reals.is_empty() {
        return None;
    }
    let mut sheet = Sheet::new(format!("Transmitted dimension: {}", subject(plan)), 2).own_ranges();
    for metric in METRICS.iter().filter(|metric| metric.name != "ece") {
        let mut figure =
            Figure::new(metric.label, Axis::new("real channel dimensions per clip"), Axis::new(metric.label));
        for (index, (channel, snr, shown)) in POINTS.into_iter().enumerate() {
            let at = |(reals, scheme): &(usize, &Scheme)| {
                Some(point(*reals as f64, scheme.level(channel, Some(snr), metric)?))
            };
            figure = figure.curve(Curve::measured(index, shown, reals.iter().filter_map(at).collect()).bars());
        }
        sheet = sheet.with(figure);
    }
    Some(Sketch::new("table-1", "The proposed scheme by transmitted dimension (table I)", sheet))
}

fn uses(plan: &Plan, schemes: &[Scheme]) -> Option<Sketch> {
    let by_reals = by_reals(schemes);
    let scored = rivals(schemes).next()?.snrs("rayleigh");
    let wanted: Vec<f64> = scored.iter().copied().filter(|snr| SNRS_DB.contains(snr)).collect();
    let mut sheet = Sheet::new(format!("Rayleigh fading: {}", subject(plan)), wanted.len().max(1));
    for snr in wanted {
        let axis = Axis::new("complex channel uses per clip").logarithmic();
        let mut figure = Figure::new(format!("{} dB", number(snr)), axis, Axis::new(ACC2.label));
        let at =
            |scheme: &Scheme| Some(point(scheme.uses_at("rayleigh", snr), scheme.level("rayleigh", Some(snr), &ACC2)?));
        let line: Vec<_> = by_reals.iter().filter_map(|(_, scheme)| at(scheme)).collect();
        figure = figure.curve(Curve::new("proposed, by channel dimensions", line, Colour::Grey, Marker::None).bars());
        for scheme in rivals(schemes) {
            let look = scheme.look();
            let points = at(scheme).into_iter().collect();
            let curve = Curve::new(scheme.entry.label(), points, look.colour, look.marker);
            figure = figure.curve(curve.pattern(Pattern::None).bars());
        }
        sheet = sheet.with(figure);
    }
    Some(Sketch::new("uses", "Accuracy against channel uses over Rayleigh fading", sheet))
}
