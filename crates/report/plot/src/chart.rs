//! Draws a chart into its place.

use crate::canvas::{Canvas, GRID, INK};
use crate::layout::Bar;
use crate::place::{LABEL, Place, TICK};
use crate::{Curve, Figure, Pattern, Spread};

pub(crate) const SHADE: &str = "#f5f2e4";

/// Everything but the title and the label of the vertical axis. `name` is that of the chart, once in the document.
pub(crate) fn draw(canvas: &mut Canvas, name: &str, figure: &Figure, place: &Place, bar: Option<&Bar>) {
    frame(canvas, figure, place);
    canvas.open_clip(name, &place.frame);
    if let (Some(cloud), Some(bar)) = (&figure.cloud, bar) {
        for dot in &cloud.dots {
            canvas.dot(place.at(dot.x, dot.y), &bar.ramp.hex(bar.scale.fraction(dot.value)));
        }
    }
    for level in &figure.levels {
        let y = place.at(0.0, level.y).1;
        canvas.line(&[(place.frame.left, y), (place.frame.right, y)], level.colour, level.pattern);
    }
    // Bands lie under all lines.
    for curve in figure.curves.iter().filter(|curve| curve.spread == Spread::Band) {
        band(canvas, curve, place);
    }
    for curve in &figure.curves {
        let places: Vec<_> = curve.points.iter().map(|p| place.at(p.x, p.y)).collect();
        if curve.pattern != Pattern::None {
            canvas.line(&places, curve.colour, curve.pattern);
        }
        if curve.spread == Spread::Bars {
            for point in &curve.points {
                let Some((low, high)) = point.interval else { continue };
                let ((x, low), (_, high)) = (place.at(point.x, low), place.at(point.x, high));
                canvas.error_bar(x, low, high, curve.colour);
            }
        }
    }
    canvas.close();
    // A marker on the edge of the chart is drawn whole.
    for curve in &figure.curves {
        let places = curve.points.iter().map(|p| place.at(p.x, p.y));
        for at in places.filter(|at| place.frame.contains(*at)) {
            canvas.marker(at, curve.colour, curve.marker);
        }
    }
}

/// Shade, grid, axes, numbers, and the label of the horizontal axis.
fn frame(canvas: &mut Canvas, figure: &Figure, place: &Place) {
    let (left, right, top, bottom) = (place.frame.left, place.frame.right, place.frame.top, place.frame.bottom);
    let Some((xs, ys)) = &place.scales else { return };
    if let Some(shade) = &figure.shade {
        let [from, to] = [shade.from, shade.to].map(|x| place.at(x, 0.0).0.clamp(left, right));
        canvas.rect((from, top), (to - from, bottom - top), SHADE);
    }
    for &tick in &ys.ticks {
        let y = place.at(0.0, tick).1;
        canvas.rule((left, y), (right, y), GRID, 1.0);
        canvas.text((left - 8.0, y + 0.35 * TICK), TICK, "end", &ys.number(tick));
    }
    for &tick in &xs.minor {
        let x = place.at(tick, 0.0).0;
        canvas.rule((x, bottom), (x, bottom + 3.0), INK, 0.8);
    }
    for &tick in &xs.ticks {
        let x = place.at(tick, 0.0).0;
        canvas.rule((x, bottom), (x, bottom + 5.0), INK, 1.2);
        canvas.text((x, bottom + 5.0 + 1.15 * TICK), TICK, "middle", &xs.number(tick));
    }
    canvas.rule((left, top), (left, bottom), INK, 1.2);
    canvas.rule((left, bottom), (right, bottom), INK, 1.2);
    let label_y = bottom + 1.9 * TICK + LABEL;
    canvas.text((0.5 * (left + right), label_y), LABEL, "middle", &figure.x.label);
}

/// The area between the intervals' ends.
fn band(canvas: &mut Canvas, curve: &Curve, place: &Place) {
    // A point without an interval ends one stretch of the band.
    for stretch in curve.points.split(|p| p.interval.is_none()).filter(|s| s.len() > 1) {
        let upper = stretch.iter().filter_map(|p| p.interval.map(|(_, high)| place.at(p.x, high)));
        let lower = stretch.iter().rev().filter_map(|p| p.interval.map(|(low, _)| place.at(p.x, low)));
        canvas.area(&upper.chain(lower).collect::<Vec<_>>(), curve.colour);
    }
}

/// What colours say.
pub(crate) fn colour_bar(canvas: &mut Canvas, bar: &Bar) {
    /// Steps of the bar.
    const STEPS: usize = 60;
    let frame = &bar.frame;
    let step = (frame.bottom - frame.top) / STEPS as f64;
    for i in 0..STEPS {
        let fraction = (i as f64 + 0.5) / STEPS as f64;
        // Half a pixel more hides the seams.
        let top = frame.bottom - step * (i + 1) as f64;
        canvas.rect((frame.left, top), (frame.right - frame.left, step + 0.5), &bar.ramp.hex(fraction));
    }
    canvas.outline(frame);
    for &tick in &bar.scale.ticks {
        let y = frame.bottom - bar.scale.fraction(tick) * (frame.bottom - frame.top);
        canvas.rule((frame.right, y), (frame.right + 4.0, y), INK, 1.2);
        canvas.text((frame.right + 8.0, y + 0.35 * TICK), TICK, "start", &bar.scale.number(tick));
    }
    canvas.upright((frame.right + 46.0, 0.5 * (frame.top + frame.bottom)), LABEL, &bar.label);
}
