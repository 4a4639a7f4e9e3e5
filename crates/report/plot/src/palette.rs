//! How curves are told apart: colours, line patterns, markers.

/// The palette of Okabe and Ito, distinguishable with every common kind of colour blindness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Colour {
    /// #0072B2
    Blue,
    /// #D55E00
    Vermillion,
    /// #009E73
    Green,
    /// #CC79A7
    Purple,
    /// #E69F00
    Orange,
    /// #56B4E9
    Sky,
    /// #000000
    Black,
    /// #595959; not of the palette, for lines that are no data, dark enough for thin strokes on white.
    Grey,
}

impl Colour {
    /// Those for data, in the order in which curves should take them.
    pub const CYCLE: [Colour; 7] =
        [Colour::Blue, Colour::Vermillion, Colour::Green, Colour::Purple, Colour::Orange, Colour::Sky, Colour::Black];

    /// As `#RRGGBB`.
    pub fn hex(self) -> &'static str {
        match self {
            Colour::Blue => "#0072B2",
            Colour::Vermillion => "#D55E00",
            Colour::Green => "#009E73",
            Colour::Purple => "#CC79A7",
            Colour::Orange => "#E69F00",
            Colour::Sky => "#56B4E9",
            Colour::Black => "#000000",
            Colour::Grey => "#595959",
        }
    }

    /// As `#RRGGBB`, for a dark page: lighter, of the same hue.
    pub fn hex_on_dark(self) -> &'static str {
        match self {
            Colour::Blue => "#4F93E8",
            Colour::Vermillion => "#FF8A3D",
            Colour::Green => "#2CC59A",
            Colour::Purple => "#E39AC3",
            Colour::Orange => "#F0B429",
            Colour::Sky => "#A6DAFA",
            Colour::Black => "#E8E8E8",
            Colour::Grey => "#A8A8A8",
        }
    }

    /// Those for data and that for other lines, each once.
    pub(crate) fn all() -> impl Iterator<Item = Colour> {
        Colour::CYCLE.into_iter().chain([Colour::Grey])
    }

    /// The colour for the `index`-th curve.
    pub fn nth(index: usize) -> Colour {
        Colour::CYCLE[index % Colour::CYCLE.len()]
    }
}

/// The pattern of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// Measured.
    #[default]
    Solid,
    /// A reference.
    Dashed,
    /// A second kind of reference.
    Dotted,
    /// A third.
    DashDotted,
    /// No line: the points stand alone.
    None,
}

impl Pattern {
    /// The SVG `stroke-dasharray`, or none.
    pub(crate) fn dashes(self) -> Option<&'static str> {
        match self {
            Pattern::Solid | Pattern::None => None,
            Pattern::Dashed => Some("7 4"),
            Pattern::Dotted => Some("1.8 3.2"),
            Pattern::DashDotted => Some("8 3 1.8 3"),
        }
    }
}

/// How the intervals of a curve are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Spread {
    /// A band along the line.
    #[default]
    Band,
    /// A bar at each point.
    Bars,
}

/// What marks the points of a curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Marker {
    /// Nothing; for curves that are computed, not sampled.
    #[default]
    None,
    /// A disc.
    Circle,
    /// A square.
    Square,
    /// A triangle.
    Triangle,
    /// A square on its corner.
    Diamond,
    /// A short level stroke, for what is a limit rather than a measurement.
    Stroke,
}

impl Marker {
    /// The marker for the `index`-th curve.
    pub fn nth(index: usize) -> Marker {
        [Marker::Circle, Marker::Square, Marker::Triangle, Marker::Diamond][index % 4]
    }
}
