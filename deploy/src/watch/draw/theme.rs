//! Colours, of the sixteen that every terminal has, and the marks beside them: nothing is told by colour alone.

use phy::ChannelKind;
use ratatui::style::{Color, Modifier, Style};

/// How things look.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    colour: bool,
}

/// Of the curves: a colour and a mark for each channel, in the order in which they come.
const CURVES: [(Color, char); 6] = [
    (Color::Cyan, '●'),
    (Color::Yellow, '▲'),
    (Color::Magenta, '■'),
    (Color::Green, '◆'),
    (Color::Blue, '▼'),
    (Color::Red, '★'),
];

/// How one curve looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    /// Its colour, the terminal's own without colours.
    pub colour: Color,
    /// Of its points.
    pub mark: char,
}

impl Theme {
    /// With or without colours.
    pub fn new(colour: bool) -> Theme {
        Theme { colour }
    }

    /// As the environment asks: without colours if NO_COLOR is set to anything.
    pub fn from_env() -> Theme {
        Theme::new(std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()))
    }

    fn paint(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    /// Of a channel's curve, `before` others of its kind coming before it. AWGN and Rayleigh look the same in every picture.
    pub fn curve(self, kind: ChannelKind, before: usize) -> Curve {
        let index = match kind {
            ChannelKind::Awgn => 0,
            ChannelKind::Rayleigh => 1,
            ChannelKind::Rician => 2 + before % (CURVES.len() - 2),
            ChannelKind::None => return Curve { colour: Color::Reset, mark: '─' },
        };
        let (colour, mark) = CURVES[index];
        Curve { colour: if self.colour { colour } else { Color::Reset }, mark }
    }

    /// Of what is in order.
    pub fn good(self) -> Style {
        self.paint(Color::Green)
    }

    /// Of what is not.
    pub fn bad(self) -> Style {
        self.paint(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// Of what is on its way.
    pub fn pending(self) -> Style {
        self.paint(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// Of what is looked at first.
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Of what is looked at last.
    pub fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Of bars.
    pub fn bars(self) -> Style {
        self.paint(Color::Cyan)
    }
}
