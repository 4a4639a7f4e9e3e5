//! What a figure shows; how it looks is in `layout` and `svg`.

use crate::{Axis, Colour, Marker, Pattern, PlotError};

/// One point of a curve with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Position along the horizontal axis.
    pub x: f64,
    /// The value.
    pub y: f64,
    /// Lower and upper end of the interval around `y`, if one is known.
    pub interval: Option<(f64, f64)>,
}

impl Point {
    /// A point without an interval.
    pub fn new(x: f64, y: f64) -> Point {
        Point { x, y, interval: None }
    }

    /// A point with the interval `low ..= high` around it.
    pub fn within(x: f64, y: f64, low: f64, high: f64) -> Point {
        Point { x, y, interval: Some((low, high)) }
    }
}

/// A line through points, with a band where they carry intervals.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The name in the legend.
    pub name: String,
    /// In order along the line.
    pub points: Vec<Point>,
    /// Of line, markers and band.
    pub colour: Colour,
    /// Solid for what was measured, anything else for references.
    pub pattern: Pattern,
    /// On each point.
    pub marker: Marker,
}

impl Curve {
    /// A measured curve, the `index`-th of its figure: solid, with its own colour and marker.
    pub fn measured(index: usize, name: impl Into<String>, points: Vec<Point>) -> Curve {
        Curve {
            name: name.into(),
            points,
            colour: Colour::nth(index),
            pattern: Pattern::Solid,
            marker: Marker::nth(index),
        }
    }

    /// The reference that belongs to the `index`-th measured curve: dashed, in the same colour, without markers.
    pub fn reference(index: usize, name: impl Into<String>, points: Vec<Point>) -> Curve {
        Curve { name: name.into(), points, colour: Colour::nth(index), pattern: Pattern::Dashed, marker: Marker::None }
    }
}

/// A horizontal line across the whole figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// The name in the legend.
    pub name: String,
    /// Its height.
    pub y: f64,
    /// Of the line.
    pub colour: Colour,
    /// Of the line.
    pub pattern: Pattern,
}

/// A shaded range of the horizontal axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Shade {
    /// The name in the legend.
    pub name: String,
    /// Left end.
    pub from: f64,
    /// Right end.
    pub to: f64,
}

/// A line chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// One line above the chart.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Drawn in order, later ones on top.
    pub curves: Vec<Curve>,
    /// Horizontal reference lines.
    pub levels: Vec<Level>,
    /// A range to shade, such as the SNR trained on.
    pub shade: Option<Shade>,
}

impl Figure {
    /// A chart without content.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Figure {
        Figure { title: title.into(), x, y, curves: Vec::new(), levels: Vec::new(), shade: None }
    }

    /// A chart of `metric` against SNR in dB.
    pub fn against_snr(title: impl Into<String>, metric: impl Into<String>) -> Figure {
        Figure::new(title, Axis::new("SNR, Es/N0 per complex symbol (dB)"), Axis::new(metric))
    }

    /// With one more curve.
    pub fn curve(mut self, curve: Curve) -> Figure {
        self.curves.push(curve);
        self
    }

    /// With one more horizontal line.
    pub fn level(mut self, name: impl Into<String>, y: f64, colour: Colour, pattern: Pattern) -> Figure {
        self.levels.push(Level { name: name.into(), y, colour, pattern });
        self
    }

    /// With a shaded range.
    pub fn shade(mut self, name: impl Into<String>, from: f64, to: f64) -> Figure {
        self.shade = Some(Shade { name: name.into(), from, to });
        self
    }

    /// Whether every number can be drawn.
    ///
    /// # Errors
    /// [`PlotError::Empty`] and [`PlotError::NotFinite`].
    pub(crate) fn check(&self) -> Result<(), PlotError> {
        if self.curves.iter().all(|c| c.points.is_empty()) {
            return Err(PlotError::Empty(self.title.clone()));
        }
        let finite = |curve: &str, index: usize, what: &'static str, value: f64| {
            if value.is_finite() {
                return Ok(());
            }
            Err(PlotError::NotFinite { curve: curve.to_owned(), index, what, value })
        };
        for curve in &self.curves {
            for (index, point) in curve.points.iter().enumerate() {
                finite(&curve.name, index, "x", point.x)?;
                finite(&curve.name, index, "y", point.y)?;
                if let Some((low, high)) = point.interval {
                    finite(&curve.name, index, "the lower end", low)?;
                    finite(&curve.name, index, "the upper end", high)?;
                }
            }
        }
        for level in &self.levels {
            finite(&level.name, 0, "y", level.y)?;
        }
        if let Some(shade) = &self.shade {
            finite(&shade.name, 0, "the left end", shade.from)?;
            finite(&shade.name, 0, "the right end", shade.to)?;
        }
        Ok(())
    }
}
