//! Figures 7 to 9 of the paper: loss and probabilities of the discriminators against the training epoch.

use super::{Sketch, subject};
use crate::reproduce::cell::Watched;
use crate::reproduce::plan::Plan;
use crate::reproduce::scheme::{Scheme, spread_point};
use metrics::Spread;
use network::discriminator::{PAIRS, pair_name};
use plot::{Axis, Colour, Curve, Figure, Marker, Pattern, Point, Sheet};

pub fn sketches(plan: &Plan, schemes: &[Scheme]) -> Vec<Sketch> {
    let sheet = |of: &dyn Fn(&[Scheme], usize) -> Figure| {
        let title = format!("Training: {}", subject(plan));
        (0..PAIRS.len()).fold(Sheet::new(title, PAIRS.len()), |sheet, pair| sheet.with(of(schemes, pair)))
    };
    let losses = "Loss of the discriminators in training, with redundancy reduction and without (figures 7 and 8). They may have \
                  failed to learn while the redundancy is still there: see the audit";
    let said = "What the discriminators of training predict for joint and for shuffled pairs (figure 9)";
    vec![Sketch::new("bce", losses, sheet(&bce)), Sketch::new("pairs", said, sheet(&probabilities))]
}

/// A value of the discriminators against the epoch, mean and standard deviation over the seeds, for the epochs that
/// all seeds reached.
fn by_epoch(scheme: &Scheme, of: impl Fn(&Watched) -> Option<f64>) -> Vec<Point> {
    let epochs = scheme.cells.iter().map(|cell| cell.discriminators.len()).min().unwrap_or(0);
    let at = |epoch: usize| {
        let spread = Spread::of(scheme.cells.iter().map(|cell| of(&cell.discriminators[epoch])))?;
        Some(spread_point((epoch + 1) as f64, spread))
    };
    (0..epochs).filter_map(at).collect()
}

fn watched<'s, 'a>(schemes: &'s [Scheme<'a>]) -> impl Iterator<Item = (Colour, &'s Scheme<'a>)> {
    schemes.iter().filter(|scheme| scheme.entry.watches).enumerate().map(|(i, scheme)| (Colour::nth(i), scheme))
}

fn bce(schemes: &[Scheme], pair: usize) -> Figure {
    let axis = Axis::new("BCE, joint + shuffled (nats)");
    let mut figure = Figure::new(pair_name(PAIRS[pair]), Axis::new("epoch"), axis);
    for (colour, scheme) in watched(schemes) {
        let points = by_epoch(scheme, |watched| watched.bce[pair]);
        figure = figure.curve(Curve::new(scheme.entry.label(), points, colour, Marker::None));
    }
    figure.level("chance, 2 ln 2", 2.0 * std::f64::consts::LN_2, Colour::Grey, Pattern::Dotted)
}

fn probabilities(schemes: &[Scheme], pair: usize) -> Figure {
    let axis = Axis::new("probability of a joint pair");
    let mut figure = Figure::new(pair_name(PAIRS[pair]), Axis::new("epoch"), axis);
    for (colour, scheme) in watched(schemes) {
        let joint = by_epoch(scheme, |watched| watched.joint[pair]);
        let shuffled = by_epoch(scheme, |watched| watched.shuffled[pair]);
        for (kind, points, pattern) in [("joint", joint, Pattern::Solid), ("shuffled", shuffled, Pattern::Dashed)] {
            let name = format!("{}, {kind}", scheme.entry.label());
            figure = figure.curve(Curve::new(name, points, colour, Marker::None).pattern(pattern));
        }
    }
    figure
}
