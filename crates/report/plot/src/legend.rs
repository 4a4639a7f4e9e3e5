//! The legend: below the chart, in as many columns as fit, so that it never covers a curve.

use crate::{Colour, Figure, Marker, Pattern, Spread, font};

/// Size of the legend's text.
pub(crate) const SIZE: f64 = 13.5;
/// Length of the sample of a line.
pub(crate) const SAMPLE: f64 = 34.0;
/// Between sample and text.
pub(crate) const GAP: f64 = 8.0;
/// Height of a row.
pub(crate) const ROW: f64 = 21.0;
/// Between columns.
const GUTTER: f64 = 22.0;

/// What an entry's sample looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sample {
    /// A line with a marker, on a band or a bar if the curve has intervals.
    Line { colour: Colour, pattern: Pattern, marker: Marker, spread: Option<Spread> },
    /// A shaded box.
    Shade,
}

/// An entry with its place, relative to the legend's top left corner.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub name: String,
    pub sample: Sample,
    pub x: f64,
    /// The middle of its row.
    pub y: f64,
}

/// All entries placed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Legend {
    pub entries: Vec<Entry>,
    pub height: f64,
}

impl Legend {
    /// Fills column after column, in a box `width` pixels wide. What several charts have alike is one entry. With `shades` it has no
    /// entry but those of shades.
    pub fn place<'a>(charts: impl Iterator<Item = &'a Figure>, width: f64, shades: bool) -> Legend {
        let mut samples: Vec<(String, Sample)> = Vec::new();
        for entry in charts.flat_map(samples_of).filter(|(_, sample)| !shades || *sample == Sample::Shade) {
            if !samples.contains(&entry) {
                samples.push(entry);
            }
        }
        if samples.is_empty() {
            return Legend { entries: Vec::new(), height: 0.0 };
        }
        let widths: Vec<f64> = samples.iter().map(|(name, _)| SAMPLE + GAP + font::width(name, SIZE)).collect();
        let columns = (1..=samples.len().min(4)).rev().find(|&n| total(&widths, n) <= width).unwrap_or(1);
        let rows = samples.len().div_ceil(columns);
        let mut entries = Vec::with_capacity(samples.len());
        let mut x = 0.0;
        for (column, chunk) in samples.chunks(rows).enumerate() {
            for (row, (name, sample)) in chunk.iter().enumerate() {
                let y = ROW * (row as f64 + 0.5);
                entries.push(Entry { name: name.clone(), sample: *sample, x, y });
            }
            let first = column * rows;
            x += widths[first..first + chunk.len()].iter().copied().fold(0.0, f64::max) + GUTTER;
        }
        Legend { entries, height: ROW * rows as f64 }
    }
}

/// Width of the legend in `columns` columns.
fn total(widths: &[f64], columns: usize) -> f64 {
    let rows = widths.len().div_ceil(columns);
    let chunks = widths.chunks(rows);
    let gutters = GUTTER * (chunks.len() as f64 - 1.0);
    chunks.map(|chunk| chunk.iter().copied().fold(0.0, f64::max)).sum::<f64>() + gutters
}

fn samples_of(figure: &Figure) -> Vec<(String, Sample)> {
    let curves = figure.curves.iter().filter(|c| !c.points.is_empty()).map(|c| {
        let spread = c.points.iter().any(|p| p.interval.is_some()).then_some(c.spread);
        (c.name.clone(), Sample::Line { colour: c.colour, pattern: c.pattern, marker: c.marker, spread })
    });
    let levels = figure.levels.iter().map(|l| {
        let sample = Sample::Line { colour: l.colour, pattern: l.pattern, marker: Marker::None, spread: None };
        (l.name.clone(), sample)
    });
    let shade = figure.shade.iter().map(|s| (s.name.clone(), Sample::Shade));
    curves.chain(levels).chain(shade).collect()
}
