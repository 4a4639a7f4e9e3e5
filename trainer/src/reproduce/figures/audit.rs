//! The figure of the audit: J of fresh discriminators, beside the permutation null and the floor that the label
//! imposes.

use super::{Sketch, subject};
use crate::audit::{Judged, PairAudit};
use crate::reproduce::audits::AuditCell;
use crate::reproduce::plan::Plan;
use crate::reproduce::scheme::Scheme;
use metrics::Spread;
use plot::{Axis, Colour, Curve, Figure, Marker, Pattern, Point, Sheet};

/// A panel of the figure: its title, the result that is taken from the audit of a pair, and whether the floor holds
/// for it.
type Look = (&'static str, fn(&PairAudit) -> Judged, bool);

const LOOKS: [Look; 3] = [
    ("features, before the network", |pair| pair.features, false),
    ("sampled z, as trained", |pair| pair.z, true),
    ("standardised \u{3bc}, as deployed", |pair| pair.mu, true),
];

pub fn sketch(plan: &Plan, schemes: &[Scheme], audits: &[AuditCell]) -> Option<Sketch> {
    let first = audits.first()?;
    let names: Vec<String> = first.audit.pairs.iter().map(|pair| short(&pair.pair)).collect();
    let audited: Vec<(&Scheme, Vec<&AuditCell>)> = schemes
        .iter()
        .map(|scheme| (scheme, audits.iter().filter(|audit| audit.entry == scheme.entry.name).collect::<Vec<_>>()))
        .filter(|(_, cells)| !cells.is_empty())
        .collect();
    let mut sheet = Sheet::new(format!("Dependence between latents: {}", subject(plan)), LOOKS.len()).own_ranges();
    for (title, look, floored) in LOOKS {
        let axis = Axis::new("pair of modalities").names(names.clone());
        let mut figure = Figure::new(title, axis, Axis::new("J = 2 ln 2 \u{2212} BCE (nats)"));
        for (index, (scheme, cells)) in audited.iter().enumerate() {
            // Side by side around the pair's place: each scheme's J, then its null.
            let from = (index as f64 + 0.5) / audited.len() as f64 * 0.8 - 0.4;
            let colour = Colour::nth(index);
            let points = |of: &dyn Fn(&[&PairAudit]) -> Point, shift: f64| -> Vec<Point> {
                let pair = |at: usize| cells.iter().map(|cell| &cell.audit.pairs[at]).collect::<Vec<_>>();
                let placed = |at: usize| Point { x: at as f64 + from + shift, ..of(&pair(at)) };
                (0..names.len()).map(placed).collect()
            };
            let alone = |name: String, points, colour, marker| {
                Curve::new(name, points, colour, marker).pattern(Pattern::None).bars()
            };
            let j = points(&|pairs| judged(pairs, look), -0.06);
            figure = figure.curve(alone(scheme.entry.label(), j, colour, Marker::nth(index)));
            let null = points(&|pairs| null(pairs, look), 0.06);
            figure = figure.curve(alone("null: mean to largest".to_owned(), null, Colour::Grey, Marker::None));
            if floored {
                let floor = points(&|pairs| Point::new(0.0, mean(pairs, |pair| pair.decisions)), -0.06);
                let name = "floor: J of the label's decisions".to_owned();
                figure = figure.curve(alone(name, floor, Colour::Black, Marker::Stroke));
            }
        }
        sheet = sheet.with(figure);
    }
    let what = match plan.seeds {
        1 => "its 95 % interval over clips",
        _ => "its standard deviation over seeds",
    };
    let caption = format!(
        "The audit: J of fresh auditors on held-out clips with {what}, {} auditors of shuffled pairs as null. The ranges differ \
         from panel to panel",
        plan.permutations
    );
    Some(Sketch::new("audit", caption, sheet))
}

/// The name of a pair as figures print it, with en dashes.
fn short(pair: &str) -> String {
    pair.replace('-', "\u{2013}")
}

fn mean(pairs: &[&PairAudit], of: impl Fn(&PairAudit) -> f64) -> f64 {
    pairs.iter().map(|pair| of(pair)).sum::<f64>() / pairs.len() as f64
}

/// J of one pair as a point: of one seed with its own interval, of several seeds as mean ± standard deviation.
fn judged(pairs: &[&PairAudit], look: fn(&PairAudit) -> Judged) -> Point {
    let js: Vec<f64> = pairs.iter().map(|pair| look(pair).j.estimate).collect();
    match Spread::of(js.into_iter().map(Some)) {
        Some(Spread { mean, sd: Some(sd) }) => Point::within(0.0, mean, mean - sd, mean + sd),
        _ => {
            let j = look(pairs[0]).j;
            Point::within(0.0, j.estimate, j.low, j.high)
        }
    }
}

fn null(pairs: &[&PairAudit], look: fn(&PairAudit) -> Judged) -> Point {
    let mean = mean(pairs, |pair| look(pair).null_mean);
    let most = pairs.iter().map(|pair| look(pair).null_max).fold(f64::NEG_INFINITY, f64::max);
    Point::within(0.0, mean, mean, most)
}
