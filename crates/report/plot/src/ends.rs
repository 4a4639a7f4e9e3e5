//! Names of lines at their right ends, beside the chart, instead of in a legend.
//!
//! Lines often end close together. Each name stands as near to the end of its line as the others allow, in the order of the ends,
//! and a thin leader joins the two.

use crate::canvas::{Canvas, GRID};
use crate::place::Place;
use crate::{Colour, Figure, Marker, Pattern, font};

/// Size of a name.
const SIZE: f64 = 12.5;
/// Least distance of two names.
const ROW: f64 = 17.0;
/// Length of a leader.
const LEADER: f64 = 16.0;
/// Length of a line's sample before its name.
const SAMPLE: f64 = 26.0;
const GAP: f64 = 6.0;

/// A line that is named.
struct End<'a> {
    name: &'a str,
    colour: Colour,
    pattern: Pattern,
    marker: Marker,
    /// Its value at the right end.
    y: f64,
    /// Whether it is a level, which runs across the whole chart.
    level: bool,
}

fn ends(figure: &Figure) -> Vec<End<'_>> {
    let last = |points: &[crate::Point]| points.iter().max_by(|a, b| a.x.total_cmp(&b.x)).map(|p| p.y);
    let curves = figure.curves.iter().filter_map(|c| {
        let (name, colour, pattern, marker) = (c.name.as_str(), c.colour, c.pattern, c.marker);
        Some(End { name, colour, pattern, marker, y: last(&c.points)?, level: false })
    });
    let levels = figure.levels.iter().map(|l| {
        let (name, colour, pattern) = (l.name.as_str(), l.colour, l.pattern);
        End { name, colour, pattern, marker: Marker::None, y: l.y, level: true }
    });
    curves.chain(levels).collect()
}

/// What the names of these charts need beside them.
pub(crate) fn width<'a>(charts: impl Iterator<Item = &'a Figure>) -> f64 {
    // A level beyond the range has its value behind its name.
    let value = font::width(" (\u{2212}0.000)", SIZE);
    let of = |end: &End| font::width(end.name, SIZE) + if end.level { value } else { 0.0 };
    let widest = charts.flat_map(|chart| ends(chart).iter().map(of).collect::<Vec<_>>()).fold(0.0, f64::max);
    LEADER + SAMPLE + GAP + widest
}

/// The least height at which all names of a chart have room.
pub(crate) fn least_height(figure: &Figure) -> f64 {
    ROW * ends(figure).len() as f64
}

/// Draws leaders, samples and names to the right of the chart.
pub(crate) fn draw(canvas: &mut Canvas, figure: &Figure, place: &Place) {
    let frame = &place.frame;
    let mut ends: Vec<(f64, End)> = ends(figure).into_iter().map(|end| (place.at(0.0, end.y).1, end)).collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let wanted: Vec<f64> = ends.iter().map(|(y, _)| y.clamp(frame.top, frame.bottom)).collect();
    let rows = spread(&wanted, frame.top + 0.3 * ROW, frame.bottom - 0.3 * ROW);
    for ((y, end), row) in ends.iter().zip(rows) {
        let beyond = !(frame.top..=frame.bottom).contains(y);
        let from = (frame.right + 2.0, y.clamp(frame.top, frame.bottom));
        let to = (frame.right + LEADER, row);
        if !beyond {
            canvas.rule(from, to, GRID, 1.0);
        }
        let sample = [(to.0 + 2.0, row), (to.0 + SAMPLE - 2.0, row)];
        canvas.line(&sample, end.colour, end.pattern);
        canvas.marker((to.0 + 0.5 * SAMPLE, row), end.colour, end.marker);
        let name = match beyond && end.level {
            true => format!("{} ({:.3})", end.name, end.y).replace('-', "\u{2212}"),
            false => end.name.to_owned(),
        };
        canvas.text((to.0 + SAMPLE + GAP, row + 0.35 * SIZE), SIZE, "start", &name);
    }
}

/// Places at least [`ROW`] apart and within `top` to `bottom` as far as there is room, each as near as that allows to what is
/// wanted. `wanted` rises.
fn spread(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    // Groups of neighbours that touch, each around the mean of what its members want.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    let start = |&(sum, count): &(f64, usize)| {
        let height = ROW * (count as f64 - 1.0);
        (sum / count as f64 - 0.5 * height).min(bottom - height).max(top)
    };
    for &place in wanted {
        groups.push((place, 1));
        while let [.., above, below] = groups[..] {
            if start(&above) + ROW * above.1 as f64 <= start(&below) {
                break;
            }
            groups.pop();
            if let Some(last) = groups.last_mut() {
                *last = (above.0 + below.0, above.1 + below.1);
            }
        }
    }
    groups.iter().flat_map(|group| (0..group.1).map(|i| start(group) + ROW * i as f64).collect::<Vec<_>>()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_apart_in_order_and_inside() {
        for wanted in [vec![50.0, 50.0, 50.0], vec![0.0, 3.0, 290.0, 299.0, 300.0], vec![100.0, 140.0, 141.0, 160.0]] {
            let places = spread(&wanted, 5.0, 295.0);
            assert!(places.windows(2).all(|p| p[1] - p[0] >= ROW - 1e-9), "{wanted:?}: {places:?}");
            assert!(places.iter().all(|p| (5.0..=295.0).contains(p)), "{wanted:?}: {places:?}");
            assert_eq!(places.len(), wanted.len());
        }
        assert_eq!(spread(&[50.0, 150.0], 0.0, 300.0), [50.0, 150.0], "what is apart stays where it is");
        assert_eq!(spread(&[100.0, 100.0], 0.0, 300.0), [100.0 - 0.5 * ROW, 100.0 + 0.5 * ROW]);
    }
}
