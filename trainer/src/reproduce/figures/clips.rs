//! Figures of single clips: confusion matrices, reliability of the sign, and transmitted bursts.

use super::{Sketch, number, subject};
use crate::reproduce::plan::Plan;
use crate::reproduce::scheme::{Scheme, rivals};
use crate::reproduce::views::View;
use metrics::{SIGN_BINS, SignBin, wilson};
use plot::{Axis, Cloud, Colour, Curve, Dot, Figure, HeatMap, Marker, Pattern, Point, Ramp, Sheet};

/// Names of the schemes whose confusion matrices are drawn; `results.json` has those of all schemes.
const CONFUSED: [&str; 3] = ["proposed", "t-deepsc-published", "class-repetition"];
/// Names of the schemes whose reliability is drawn.
const RELIABLE: [&str; 4] = ["proposed", "proposed-l1", "t-deepsc", "t-deepsc-published"];
/// Bins of the confidence with fewer clips than this are not drawn.
const LEAST: f64 = 10.0;

pub fn sketches(plan: &Plan, schemes: &[Scheme]) -> Vec<Sketch> {
    let of = |names: &'static [&str]| rivals(schemes).filter(move |scheme| names.contains(&scheme.entry.name));
    let mut sketches: Vec<Sketch> = of(&CONFUSED).map(|scheme| confusion(plan, scheme)).collect();
    sketches.push(reliability(plan, &of(&RELIABLE).collect::<Vec<_>>()));
    sketches.push(latents(plan, schemes));
    sketches
}

/// The point of a view as a title: channel and SNR.
fn shown(view: &View) -> String {
    view.snr_db.map_or("noiseless".to_owned(), |snr| format!("Rayleigh, {} dB", number(snr)))
}

/// The views of a scheme at the same point as `point`, seed by seed.
fn at<'a>(scheme: &Scheme<'a>, point: &View) -> Vec<&'a View> {
    let same = |view: &&View| (&view.channel, view.snr_db) == (&point.channel, point.snr_db);
    scheme.cells.iter().filter_map(|cell| cell.views.iter().find(same)).collect()
}

fn points<'a>(schemes: &[&Scheme<'a>]) -> &'a [View] {
    schemes.first().and_then(|scheme| scheme.cells.first()).map_or(&[], |cell| &cell.views[..])
}

/// The confusion matrices of a scheme at the noisy points, over all seeds and draws, in per cent of the clips of a
/// label's class.
fn confusion(plan: &Plan, scheme: &Scheme) -> Sketch {
    let title = format!("{}: {}", scheme.entry.label(), subject(plan));
    let noisy: Vec<&View> = points(&[scheme]).iter().filter(|view| view.snr_db.is_some()).collect();
    let names: Vec<String> = (-3..=3).map(|class: i32| number(f64::from(class))).collect();
    let mut sheet = Sheet::new(title, noisy.len().max(1));
    for point in noisy {
        let views = at(scheme, point);
        let row = |label: usize| -> Vec<Option<f64>> {
            let counts: Vec<u64> = (0..7).map(|c| views.iter().map(|view| view.confusion[label][c]).sum()).collect();
            let total: u64 = counts.iter().sum();
            counts.iter().map(|count| (total > 0).then(|| 100.0 * *count as f64 / total as f64)).collect()
        };
        sheet = sheet.with(HeatMap {
            title: shown(point),
            x: "class decided".into(),
            y: "class of the label".into(),
            columns: names.clone(),
            rows: names.clone(),
            cells: (0..7).map(row).collect(),
            most: 100.0,
        });
    }
    let caption = format!(
        "Where a clip is lost, {}: of 100 clips of a class, how many are taken for which",
        scheme.entry.label()
    );
    Sketch::new(format!("confusion-{}", scheme.entry.name), caption, sheet)
}

/// Reliability diagrams, one for each point: the share of right signs against the predicted confidence in the sign.
fn reliability(plan: &Plan, schemes: &[&Scheme]) -> Sketch {
    let mut sheet = Sheet::new(format!("Reliability: {}", subject(plan)), 2);
    let curves = |view: &View| -> Vec<Vec<Point>> { schemes.iter().map(|s| reliable(plan, &at(s, view))).collect() };
    let low = lowest(points(schemes).iter().flat_map(curves).flatten());
    for view in points(schemes) {
        let axis = |label: &str, low: f64| Axis::new(label).range(low, 1.0);
        let (said, right) = (axis("stated confidence in the sign", 0.5), axis("share right", low));
        let mut figure = Figure::new(shown(view), said, right);
        for (scheme, points) in schemes.iter().zip(curves(view)) {
            let look = scheme.look();
            let curve = Curve::new(scheme.entry.label(), points, look.colour, look.marker);
            figure = figure.curve(curve.pattern(look.pattern).bars());
        }
        if figure.is_empty() {
            continue;
        }
        let ideal = vec![Point::new(0.5, 0.5), Point::new(1.0, 1.0)];
        sheet = sheet.with(
            figure.curve(Curve::new("calibrated", ideal, Colour::Grey, Marker::None).pattern(Pattern::DashDotted)),
        );
    }
    let caption = format!(
        "Calibration: how often a sign is right that is predicted with some confidence. 95 % intervals as if a clip had been sent \
         once; tenths of the confidence with fewer than {LEAST} clips are left out"
    );
    Sketch::new("reliability", caption, sheet)
}

/// Lower end of the axis of shares, low enough that every interval is visible: 0.5, where the confidence begins, or
/// the multiple of 0.1 below the lowest interval.
fn lowest(points: impl Iterator<Item = Point>) -> f64 {
    let ends = points.filter_map(|point| point.interval).map(|(low, _)| low);
    (ends.fold(0.5, f64::min) * 10.0).floor() / 10.0
}

/// The reliability curve of one point over all seeds. Draws and seeds of a clip are not independent of each other, so
/// the interval counts each clip once.
fn reliable(plan: &Plan, views: &[&View]) -> Vec<Point> {
    let point = |bin: usize| {
        let all = views.iter().map(|view| view.confidence[bin]).fold(SignBin::default(), |a, b| SignBin {
            count: a.count + b.count,
            right: a.right + b.right,
            confidence: a.confidence + b.confidence,
        });
        let draws = if views.first()?.snr_db.is_some() { f64::from(plan.sweep.draws) } else { 1.0 };
        let repeats = draws * views.len() as f64;
        let count = all.count as f64;
        if count / repeats < LEAST {
            return None;
        }
        let clips = |n: u64| (n as f64 / repeats).round() as u64;
        let interval = wilson(clips(all.right), clips(all.count))?;
        Some(Point::within(all.confidence / count, all.right as f64 / count, interval.low, interval.high))
    };
    (0..SIGN_BINS).filter_map(point).collect()
}

/// The transmitted bursts of seed 0 along their two first principal components, one panel for each scheme.
fn latents(plan: &Plan, schemes: &[Scheme]) -> Sketch {
    let mut sheet = Sheet::new(format!("What crosses the channel: {} split, seed 0", plan.sweep.split), 2).own_ranges();
    for scheme in schemes {
        let Some(projection) = scheme.cells.iter().find_map(|cell| cell.projection.as_ref()) else { continue };
        let axis = |which: usize| {
            Axis::new(format!("component {} ({:.0} % of the variance)", which + 1, 100.0 * projection.shares[which]))
        };
        let dots = projection.clips.iter().map(|clip| clip.map(f64::from));
        let cloud = Cloud {
            name: "clips".into(),
            dots: dots.map(|[x, y, value]| Dot { x, y, value }).collect(),
            value: Axis::new("label").range(-3.0, 3.0),
            ramp: Ramp::Diverging,
        };
        sheet = sheet.with(Figure::new(scheme.entry.label(), axis(0), axis(1)).cloud(cloud));
    }
    Sketch::new("latents", "Bursts of unit power along their two principal components, coloured by label", sheet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_interval_is_cut_by_the_axis_of_reliability() {
        let within = |low: f64| Point::within(0.6, 0.6, low, 0.9);
        assert_eq!(lowest([within(0.55), within(0.61)].into_iter()), 0.5);
        assert_eq!(lowest([within(0.55), within(0.23)].into_iter()), 0.2);
        assert_eq!(lowest([Point::new(0.5, 0.5)].into_iter()), 0.5);
    }
}
