//! Figures as SVG, PNG and CSV: line charts, points with error bars, clouds of coloured points, heat maps, and sheets of them.
//!
//! A [`Figure`] is one chart; a [`Sheet`] is a grid of charts and [`HeatMap`]s that share a legend. Either is described, then
//! saved. The SVG is drawn here; the PNG is that same SVG rasterised, so the two cannot disagree. The font (Noto Sans, SIL Open Font License) is compiled in: a figure looks
//! the same on a machine without any fonts.
//!
//! Colours are the eight of Okabe and Ito, told apart by the colour-blind; line patterns and markers carry the same
//! distinction in print without colour.
#![forbid(unsafe_code)]

mod axis;
mod canvas;
mod chart;
mod dark;
mod ends;
mod figure;
mod font;
mod heat;
mod layout;
mod legend;
mod palette;
mod place;
mod ramp;
mod render;
mod sheet;
mod svg;
mod table;

pub use axis::{Axis, Spacing};
pub use dark::dark_style;
pub use figure::{Cloud, Curve, Dot, Figure, Level, Point, Shade};
pub use heat::HeatMap;
pub use palette::{Colour, Marker, Pattern, Spread};
pub use ramp::Ramp;
pub use render::Files;
pub use sheet::{Panel, Sheet};

/// Why a figure cannot be drawn or written.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// No curve has a point.
    #[error("figure '{0}' has no points to draw")]
    Empty(String),
    /// A coordinate is NaN or infinite.
    #[error("curve '{curve}', point {index}: {what} is {value}, not a finite number")]
    NotFinite {
        /// The curve's name.
        curve: String,
        /// Position of the point in the curve.
        index: usize,
        /// Which coordinate.
        what: &'static str,
        /// What it is.
        value: f64,
    },
    /// A value that a logarithmic axis has no place for.
    #[error("axis '{label}' is logarithmic and cannot show {value}")]
    NotPositive {
        /// The axis label.
        label: String,
        /// The value.
        value: f64,
    },
    /// A heat map whose cells do not make a table.
    #[error("heat map '{title}': expected {rows} rows of {columns} columns, got {got}")]
    NotATable {
        /// The title.
        title: String,
        /// Names of rows.
        rows: usize,
        /// Names of columns.
        columns: usize,
        /// What came.
        got: String,
    },
    /// An axis whose end is not above its start.
    #[error("axis '{label}' runs from {from} to {to}; its end must be above its start")]
    BadRange {
        /// The axis label.
        label: String,
        /// The start given.
        from: f64,
        /// The end given.
        to: f64,
    },
    /// The SVG could not be rasterised.
    #[error("figure '{figure}' cannot be rasterised: {reason}")]
    Raster {
        /// The title.
        figure: String,
        /// What the rasteriser says.
        reason: String,
    },
    /// A file could not be written; none of that name was changed.
    #[error(transparent)]
    Write(#[from] files::WriteError),
}
