//! Figures: line charts of a metric against SNR, as SVG and PNG.
//!
//! A [`Figure`] is described, then [`Figure::save`] writes both files. The SVG is drawn here; the PNG is that same SVG
//! rasterised, so the two cannot disagree. The font (Noto Sans, SIL Open Font License) is compiled in: a figure looks
//! the same on a machine without any fonts.
//!
//! Colours are the eight of Okabe and Ito, told apart by the colour-blind; line patterns and markers carry the same
//! distinction in print without colour.
#![forbid(unsafe_code)]

mod axis;
mod figure;
mod font;
mod layout;
mod legend;
mod palette;
mod render;
mod svg;

pub use axis::Axis;
pub use figure::{Curve, Figure, Level, Point, Shade};
pub use palette::{Colour, Marker, Pattern};
pub use render::Files;

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
