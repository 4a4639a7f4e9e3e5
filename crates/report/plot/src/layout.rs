//! Where everything goes, in pixels of the SVG.

use crate::axis::Scale;
use crate::ends;
use crate::legend::Legend;
use crate::place::{Frame, LABEL, Place, TICK, TITLE};
use crate::{Axis, Figure, Panel, PlotError, Ramp, Sheet, font};

const MARGIN: f64 = 14.0;
/// Width of a colour bar, and of the space that it takes with its numbers and label.
const BAR: f64 = 16.0;
const BAR_SPACE: f64 = 78.0;
/// Between a panel and the title of the one below.
const GAP: f64 = 14.0;

/// To the right of a panel, in a row of `columns`.
fn padding(columns: usize) -> f64 {
    if columns == 1 { 6.0 } else { 14.0 }
}

/// Width of a figure. Alone at a text width of 16 cm, a label is 10 points, in a column of 8.5 cm still 5.5; a sheet of
/// several columns across a page of 17 cm has labels of 7.3 points.
fn width_of(columns: usize) -> f64 {
    if columns == 1 { 640.0 } else { 960.0 }
}

/// Height of a chart without title, labels and legend.
fn chart_height(columns: usize) -> f64 {
    [330.0, 280.0, 250.0][columns.clamp(1, 3) - 1]
}

/// The colour bar of a sheet's clouds.
pub(crate) struct Bar {
    pub frame: Frame,
    pub scale: Scale,
    pub ramp: Ramp,
    pub label: String,
}

/// A sheet with every place decided.
pub(crate) struct Layout {
    pub width: f64,
    pub height: f64,
    /// One for each panel.
    pub places: Vec<Place>,
    pub legend: Legend,
    /// Top left corner of the legend.
    pub legend_at: (f64, f64),
    pub bar: Option<Bar>,
    /// Size of the title, smaller where it would not fit, and its line.
    pub title: (f64, f64),
    /// Whether panels have titles of their own.
    pub headed: bool,
}

impl Layout {
    /// # Errors
    /// [`PlotError::Empty`], [`PlotError::NotFinite`], [`PlotError::BadRange`], [`PlotError::NotPositive`],
    /// [`PlotError::NotATable`].
    pub fn of(sheet: &Sheet) -> Result<Layout, PlotError> {
        sheet.check()?;
        let columns = sheet.columns.min(sheet.panels.len());
        let names = if sheet.named_ends { ends::width(sheet.charts()) } else { 0.0 };
        // A chart alone keeps its size, the names stand beside it.
        let width = if columns == 1 { (width_of(1) + names).ceil() } else { width_of(columns) };
        let headed = sheet.panels.len() > 1;
        let heading = if headed { LABEL * 1.7 } else { 0.0 };
        let clouds = sheet.charts().any(|chart| chart.cloud.is_some());
        let outer = width - 2.0 * MARGIN - if clouds { BAR_SPACE } else { 0.0 };
        let cell = outer / columns as f64;
        let scales = scales(sheet, columns, cell)?;
        let gutters: Vec<f64> = (0..columns).map(|column| gutter(sheet, &scales, columns, column)).collect();
        let inner = gutters.iter().map(|gutter| cell - gutter - padding(columns) - names).fold(f64::INFINITY, f64::min);

        let mut places = Vec::with_capacity(sheet.panels.len());
        let mut scales = scales.into_iter();
        let mut row_top = MARGIN + TITLE * 1.9;
        for (row, panels) in sheet.panels.chunks(columns).enumerate() {
            let top = row_top + heading;
            let mut height = panels.iter().map(|panel| height_of(panel, columns, inner)).fold(0.0, f64::max);
            if sheet.named_ends {
                let charts = panels.iter().filter_map(Panel::chart);
                height = charts.map(ends::least_height).fold(height, f64::max);
            }
            for (column, panel) in panels.iter().enumerate() {
                let from = MARGIN + cell * column as f64;
                let left = from + gutters[column];
                let right =
                    if matches!(panel, Panel::Heat(_)) { left + inner } else { from + cell - padding(columns) - names };
                let frame = Frame { left, right, top, bottom: top + height };
                let label_x = shows_label(sheet, columns, row * columns + column).then_some(from + LABEL * 0.9);
                places.push(Place { frame, scales: scales.next().flatten(), label_x });
            }
            row_top = top + height + TICK * 1.9 + LABEL * 1.6 + GAP;
        }
        let bar = bar(sheet, &places, width)?;
        let legend = Legend::place(sheet.charts(), width - 2.0 * MARGIN, sheet.named_ends);
        let legend_at = (MARGIN + 12.0, row_top - GAP + 8.0);
        let height = (legend_at.1 + legend.height + MARGIN).ceil();
        // Bold is about a tenth wider than the regular face that `font::width` measures.
        let title = TITLE.min(TITLE * (width - 2.0 * MARGIN) / (1.12 * font::width(&sheet.title, TITLE)).max(1.0));
        let title = (title, MARGIN + TITLE * 1.9 - 0.75 * title);
        Ok(Layout { width, height, places, legend, legend_at, bar, title, headed })
    }
}

/// Both scales of every chart.
fn scales(sheet: &Sheet, columns: usize, cell: f64) -> Result<Vec<Option<(Scale, Scale)>>, PlotError> {
    let (most_x, most_y) = (((cell / 45.0) as usize).clamp(3, 12), (chart_height(columns) / 41.0) as usize);
    let mut scales = Vec::with_capacity(sheet.panels.len());
    for row in sheet.panels.chunks(columns) {
        let of = if sheet.named_ends { Figure::data } else { Figure::ys };
        let together: Vec<f64> = row.iter().filter_map(Panel::chart).flat_map(of).collect();
        for panel in row {
            let both = |figure: &Figure| -> Result<(Scale, Scale), PlotError> {
                let ys = if sheet.level_rows { together.clone() } else { of(figure) };
                Ok((Scale::fit(&figure.x, &figure.xs(), most_x)?, Scale::fit(&figure.y, &ys, most_y)?))
            };
            scales.push(panel.chart().map(both).transpose()?);
        }
    }
    Ok(scales)
}

/// Whether the panel says what its vertical axis is: not if the panel to its left says the same.
fn shows_label(sheet: &Sheet, columns: usize, index: usize) -> bool {
    index.is_multiple_of(columns) || sheet.panels[index].y_label() != sheet.panels[index - 1].y_label()
}

/// What a column of panels needs to the left of its frames.
fn gutter(sheet: &Sheet, scales: &[Option<(Scale, Scale)>], columns: usize, column: usize) -> f64 {
    let mine = || (column..sheet.panels.len()).step_by(columns);
    let numbers = |index: usize| -> f64 {
        let widest = |names: &mut dyn Iterator<Item = String>| names.map(|n| font::width(&n, TICK)).fold(0.0, f64::max);
        match (&sheet.panels[index], &scales[index]) {
            (Panel::Heat(map), _) => widest(&mut map.rows.iter().cloned()),
            (_, Some((_, y))) => widest(&mut y.ticks.iter().map(|tick| y.number(*tick))),
            _ => 0.0,
        }
    };
    let label = if mine().any(|index| shows_label(sheet, columns, index)) { LABEL * 1.5 } else { LABEL * 0.5 };
    label + mine().map(numbers).fold(0.0, f64::max) + 12.0
}

/// Height of a panel; the cells of a heat map and the charts of clouds are square.
fn height_of(panel: &Panel, columns: usize, inner: f64) -> f64 {
    match panel {
        Panel::Heat(map) => inner * map.rows.len() as f64 / map.columns.len() as f64,
        Panel::Chart(figure) if figure.cloud.is_some() => inner,
        Panel::Chart(_) => chart_height(columns),
    }
}

/// One bar for all clouds, over the range of all of them, as tall as the first row.
fn bar(sheet: &Sheet, places: &[Place], width: f64) -> Result<Option<Bar>, PlotError> {
    let clouds = || sheet.charts().filter_map(|chart| chart.cloud.as_ref());
    let Some(first) = clouds().next() else { return Ok(None) };
    let values: Vec<f64> = clouds().flat_map(|cloud| &cloud.dots).map(|dot| dot.value).collect();
    let axis = Axis { range: first.value.range, ..first.value.clone() };
    let scale = Scale::fit(&axis, &values, 7)?;
    let left = width - MARGIN - BAR_SPACE + 14.0;
    let frame = Frame { left, right: left + BAR, ..places[0].frame };
    Ok(Some(Bar { frame, scale, ramp: first.ramp, label: first.value.label.clone() }))
}
