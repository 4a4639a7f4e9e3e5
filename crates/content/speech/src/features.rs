/// Columns of features over the rows of a clip. Every value is finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// Name of each column, `[width]`.
    pub names: Vec<&'static str>,
    /// `[rows, width]`, row by row.
    pub frames: Vec<f32>,
    /// Rows a second.
    pub rate_hz: f32,
}

impl Features {
    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.frames.len() / self.width()
    }

    /// Columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.names.len()
    }

    /// The column of a name, `[rows]`, or `None` if there is no such column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<Vec<f32>> {
        let at = self.names.iter().position(|n| *n == name)?;
        Some(self.frames.chunks_exact(self.width()).map(|row| row[at]).collect())
    }
}
