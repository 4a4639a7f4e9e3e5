//! Several charts side by side and below each other, with one title and one legend.

use crate::{Figure, HeatMap, PlotError};

/// One place of a sheet.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)]
pub enum Panel {
    /// A chart.
    Chart(Figure),
    /// A heat map.
    Heat(HeatMap),
}

impl From<Figure> for Panel {
    fn from(figure: Figure) -> Panel {
        Panel::Chart(figure)
    }
}

impl From<HeatMap> for Panel {
    fn from(map: HeatMap) -> Panel {
        Panel::Heat(map)
    }
}

impl Panel {
    pub(crate) fn chart(&self) -> Option<&Figure> {
        match self {
            Panel::Chart(figure) => Some(figure),
            Panel::Heat(_) => None,
        }
    }

    /// One line above it.
    pub fn title(&self) -> &str {
        match self {
            Panel::Chart(figure) => &figure.title,
            Panel::Heat(map) => &map.title,
        }
    }

    pub(crate) fn y_label(&self) -> &str {
        match self {
            Panel::Chart(figure) => &figure.y.label,
            Panel::Heat(map) => &map.y,
        }
    }

    pub(crate) fn check(&self) -> Result<(), PlotError> {
        match self {
            Panel::Chart(figure) => figure.check(),
            Panel::Heat(map) => map.check(),
        }
    }
}

/// Panels in rows. Curves of one name and look are one entry of the legend.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// One line above all panels.
    pub title: String,
    /// Panels in a row.
    pub columns: usize,
    /// Row by row.
    pub panels: Vec<Panel>,
    /// Whether the charts of a row have one vertical range, so that they can be compared by eye.
    pub level_rows: bool,
    /// Whether lines are named at their right ends, and the legend has nothing but the shade. The vertical range is then that of the
    /// curves: a level beyond it is named at the edge, with its value.
    pub named_ends: bool,
}

impl Sheet {
    /// Without panels, `columns` of them in a row; the charts of a row are to have one vertical range.
    pub fn new(title: impl Into<String>, columns: usize) -> Sheet {
        Sheet { title: title.into(), columns: columns.max(1), panels: Vec::new(), level_rows: true, named_ends: false }
    }

    /// With one more panel.
    pub fn with(mut self, panel: impl Into<Panel>) -> Sheet {
        self.panels.push(panel.into());
        self
    }

    /// Whose charts each have a vertical range of their own.
    pub fn own_ranges(mut self) -> Sheet {
        self.level_rows = false;
        self
    }

    /// Whose lines are named at their right ends, see [`Sheet::named_ends`].
    pub fn name_ends(mut self) -> Sheet {
        self.named_ends = true;
        self
    }

    /// One chart, whose title is the sheet's.
    pub(crate) fn of(figure: &Figure) -> Sheet {
        Sheet::new(figure.title.clone(), 1).with(figure.clone())
    }

    pub(crate) fn charts(&self) -> impl Iterator<Item = &Figure> {
        self.panels.iter().filter_map(Panel::chart)
    }

    pub(crate) fn check(&self) -> Result<(), PlotError> {
        if self.panels.is_empty() {
            return Err(PlotError::Empty(self.title.clone()));
        }
        self.panels.iter().try_for_each(Panel::check)
    }
}
