//! Where everything goes, in pixels of the SVG.

use crate::axis::Scale;
use crate::legend::Legend;
use crate::{Figure, PlotError, font};

/// Width of every figure. At a text width of 16 cm a label is 10 points, in a column of 8.5 cm still 5.5.
pub(crate) const WIDTH: f64 = 640.0;
/// Height of the chart itself, without title, labels and legend.
const CHART_HEIGHT: f64 = 330.0;
/// Sizes of text.
pub(crate) const TITLE: f64 = 16.0;
pub(crate) const LABEL: f64 = 14.5;
pub(crate) const TICK: f64 = 13.5;
const MARGIN: f64 = 14.0;

/// A figure with every place decided.
pub(crate) struct Layout {
    pub height: f64,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    pub x: Scale,
    pub y: Scale,
    pub legend: Legend,
    /// Top left corner of the legend.
    pub legend_at: (f64, f64),
    /// Size of the title, smaller where it would not fit.
    pub title: f64,
}

impl Layout {
    /// # Errors
    /// [`PlotError::Empty`], [`PlotError::NotFinite`], [`PlotError::BadRange`].
    pub fn of(figure: &Figure) -> Result<Layout, PlotError> {
        figure.check()?;
        let points = || figure.curves.iter().flat_map(|c| &c.points);
        let xs: Vec<f64> = points().map(|p| p.x).collect();
        let mut ys: Vec<f64> = points().map(|p| p.y).collect();
        ys.extend(points().filter_map(|p| p.interval).flat_map(|(low, high)| [low, high]));
        ys.extend(figure.levels.iter().map(|l| l.y));
        let x = Scale::fit(&figure.x, &xs, 12)?;
        let y = Scale::fit(&figure.y, &ys, 8)?;

        let numbers = y.ticks.iter().map(|&t| font::width(&y.number(t), TICK)).fold(0.0, f64::max);
        let left = MARGIN + LABEL * 1.5 + numbers + 12.0;
        let right = WIDTH - MARGIN - 6.0;
        let top = MARGIN + TITLE * 1.9;
        let bottom = top + CHART_HEIGHT;
        let legend = Legend::place(figure, WIDTH - 2.0 * MARGIN);
        let legend_at = (left.min(MARGIN + 12.0), bottom + TICK * 1.9 + LABEL * 1.6 + 8.0);
        let height = (legend_at.1 + legend.height + MARGIN).ceil();
        // Bold is about a tenth wider than the regular face that `font::width` measures.
        let title = TITLE.min(TITLE * (WIDTH - 2.0 * MARGIN) / (1.12 * font::width(&figure.title, TITLE)).max(1.0));
        Ok(Layout { height, left, right, top, bottom, x, y, legend, legend_at, title })
    }

    /// Horizontal place of a value.
    pub fn px(&self, x: f64) -> f64 {
        self.left + self.x.fraction(x) * (self.right - self.left)
    }

    /// Vertical place of a value.
    pub fn py(&self, y: f64) -> f64 {
        self.bottom - self.y.fraction(y) * (self.bottom - self.top)
    }
}
