//! Heat maps: a table of numbers, each on a colour that says how large it is.

use crate::PlotError;
use crate::canvas::{Canvas, INK};
use crate::place::{Frame, LABEL, TICK};
use crate::ramp::Ramp;

/// A table of numbers from 0 to `most`, drawn as coloured cells with the numbers in them.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// One line above it.
    pub title: String,
    /// What the columns are.
    pub x: String,
    /// What the rows are.
    pub y: String,
    /// Names of columns, from the left.
    pub columns: Vec<String>,
    /// Names of rows, from the bottom.
    pub rows: Vec<String>,
    /// By row, from the bottom; `None` where there is no number.
    pub cells: Vec<Vec<Option<f64>>>,
    /// The number that has the darkest colour.
    pub most: f64,
}

impl HeatMap {
    pub(crate) fn check(&self) -> Result<(), PlotError> {
        let wrong = |got: String| PlotError::NotATable {
            title: self.title.clone(),
            rows: self.rows.len(),
            columns: self.columns.len(),
            got,
        };
        if self.rows.is_empty() || self.columns.is_empty() {
            return Err(PlotError::Empty(self.title.clone()));
        }
        if self.cells.len() != self.rows.len() {
            return Err(wrong(format!("{} rows", self.cells.len())));
        }
        for (row, cells) in self.cells.iter().enumerate() {
            if cells.len() != self.columns.len() {
                return Err(wrong(format!("{} cells in row {row}", cells.len())));
            }
            if let Some((index, value)) =
                cells.iter().enumerate().find_map(|(i, v)| Some((i, (*v)?)).filter(|(_, v)| !v.is_finite()))
            {
                let curve = format!("{}, row {row}", self.title);
                return Err(PlotError::NotFinite { curve, index, what: "the cell", value });
            }
        }
        Ok(())
    }

    /// Draws cells, names and labels.
    pub(crate) fn draw(&self, canvas: &mut Canvas, frame: &Frame) {
        let width = (frame.right - frame.left) / self.columns.len() as f64;
        let height = (frame.bottom - frame.top) / self.rows.len() as f64;
        let size = TICK.min(0.42 * width);
        for (row, cells) in self.cells.iter().enumerate() {
            let y = frame.bottom - height * (row + 1) as f64;
            for (column, cell) in cells.iter().enumerate() {
                let x = frame.left + width * column as f64;
                let Some(value) = cell else { continue };
                let fraction = value / self.most;
                canvas.rect((x, y), (width, height), &Ramp::Sequential.hex(fraction));
                let ink = if Ramp::Sequential.is_dark(fraction) { "#ffffff" } else { INK };
                let place = (x + 0.5 * width, y + 0.5 * height + 0.35 * size);
                canvas.text_in(place, size, "middle", &format!("{value:.0}"), ink);
            }
            let middle = y + 0.5 * height + 0.35 * TICK;
            canvas.text((frame.left - 8.0, middle), TICK, "end", &self.rows[row]);
        }
        for (column, name) in self.columns.iter().enumerate() {
            let x = frame.left + width * (column as f64 + 0.5);
            canvas.text((x, frame.bottom + 5.0 + 1.15 * TICK), TICK, "middle", name);
        }
        canvas.outline(frame);
        let label_y = frame.bottom + 1.9 * TICK + LABEL;
        canvas.text((0.5 * (frame.left + frame.right), label_y), LABEL, "middle", &self.x);
    }
}
