//! What a chart shows; how it looks is in `layout` and `chart`.

use crate::{Axis, Colour, Marker, Pattern, PlotError, Ramp, Spread};

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

/// A line through points, with a band or bars where they carry intervals.
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
    /// How intervals are drawn.
    pub spread: Spread,
}

impl Curve {
    /// A solid line with a marker on each point.
    pub fn new(name: impl Into<String>, points: Vec<Point>, colour: Colour, marker: Marker) -> Curve {
        Curve { name: name.into(), points, colour, pattern: Pattern::Solid, marker, spread: Spread::Band }
    }

    /// A measured curve, the `index`-th of its figure: solid, with its own colour and marker.
    pub fn measured(index: usize, name: impl Into<String>, points: Vec<Point>) -> Curve {
        Curve::new(name, points, Colour::nth(index), Marker::nth(index))
    }

    /// The reference that belongs to the `index`-th measured curve: dashed, in the same colour, without markers.
    pub fn reference(index: usize, name: impl Into<String>, points: Vec<Point>) -> Curve {
        Curve::new(name, points, Colour::nth(index), Marker::None).pattern(Pattern::Dashed)
    }

    /// With another line.
    pub fn pattern(mut self, pattern: Pattern) -> Curve {
        self.pattern = pattern;
        self
    }

    /// With bars for intervals.
    pub fn bars(mut self) -> Curve {
        self.spread = Spread::Bars;
        self
    }
}

/// A point of a cloud.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// Position along the horizontal axis.
    pub x: f64,
    /// Position along the vertical axis.
    pub y: f64,
    /// What its colour says.
    pub value: f64,
}

/// Points coloured by a value, with a colour bar beside the chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Cloud {
    /// What the points are.
    pub name: String,
    /// Drawn in order, later ones on top.
    pub dots: Vec<Dot>,
    /// The value's axis, which stands at the colour bar; without a range that of the values.
    pub value: Axis,
    /// Its colours.
    pub ramp: Ramp,
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

/// A chart: curves, points, or a cloud of points.
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
    /// Points coloured by a value, under the curves.
    pub cloud: Option<Cloud>,
    /// Horizontal reference lines.
    pub levels: Vec<Level>,
    /// A range to shade, such as the SNR trained on.
    pub shade: Option<Shade>,
}

impl Figure {
    /// A chart without content.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Figure {
        Figure { title: title.into(), x, y, curves: Vec::new(), cloud: None, levels: Vec::new(), shade: None }
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

    /// With a cloud of points.
    pub fn cloud(mut self, cloud: Cloud) -> Figure {
        self.cloud = Some(cloud);
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

    /// Whether there is no point to draw.
    pub fn is_empty(&self) -> bool {
        self.curves.iter().all(|c| c.points.is_empty()) && self.cloud.as_ref().is_none_or(|c| c.dots.is_empty())
    }

    /// Whether every number can be drawn.
    ///
    /// # Errors
    /// [`PlotError::Empty`] and [`PlotError::NotFinite`].
    pub(crate) fn check(&self) -> Result<(), PlotError> {
        if self.is_empty() {
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
        if let Some(cloud) = &self.cloud {
            for (index, dot) in cloud.dots.iter().enumerate() {
                finite(&cloud.name, index, "x", dot.x)?;
                finite(&cloud.name, index, "y", dot.y)?;
                finite(&cloud.name, index, "the colour's value", dot.value)?;
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

    /// Every x that is to have a place.
    pub(crate) fn xs(&self) -> Vec<f64> {
        let dots = self.cloud.iter().flat_map(|c| &c.dots).map(|d| d.x);
        self.curves.iter().flat_map(|c| &c.points).map(|p| p.x).chain(dots).collect()
    }

    /// Every y that is to have a place.
    pub(crate) fn ys(&self) -> Vec<f64> {
        self.data().into_iter().chain(self.levels.iter().map(|l| l.y)).collect()
    }

    /// The y of curves, intervals and dots, without that of levels.
    pub(crate) fn data(&self) -> Vec<f64> {
        let points = || self.curves.iter().flat_map(|c| &c.points);
        let ends = points().filter_map(|p| p.interval).flat_map(|(low, high)| [low, high]);
        let dots = self.cloud.iter().flat_map(|c| &c.dots).map(|d| d.y);
        points().map(|p| p.y).chain(ends).chain(dots).collect()
    }
}
