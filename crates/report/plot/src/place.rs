//! Places in pixels of the SVG: rectangles, panels, sizes of text.

use crate::axis::Scale;

/// Sizes of text.
pub(crate) const TITLE: f64 = 16.0;
pub(crate) const LABEL: f64 = 14.5;
pub(crate) const TICK: f64 = 13.5;

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frame {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Frame {
    pub fn contains(&self, (x, y): (f64, f64)) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }
}

/// A panel with every place decided.
pub(crate) struct Place {
    pub frame: Frame,
    /// Of a chart.
    pub scales: Option<(Scale, Scale)>,
    /// Where the label of the vertical axis runs, if it is not that of the panel to the left.
    pub label_x: Option<f64>,
}

impl Place {
    /// Where a point of the chart lies.
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let Some((xs, ys)) = &self.scales else { return (self.frame.left, self.frame.bottom) };
        let Frame { left, right, top, bottom } = self.frame;
        (left + xs.fraction(x) * (right - left), bottom - ys.fraction(y) * (bottom - top))
    }
}
