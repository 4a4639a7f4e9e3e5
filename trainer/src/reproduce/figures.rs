//! The figures of the report, each written as SVG, PNG and CSV.

mod audit;
mod clips;
mod reals;
mod sweeps;
mod training;

use super::audits::AuditCell;
use super::plan::Plan;
use super::scheme::Scheme;
use anyhow::{Context, Result};
use plot::{Panel, Sheet};
use std::path::Path;

pub use sweeps::CHANNELS;

/// A figure of the report that was written to its files.
pub struct Drawn {
    /// File name of the figure without its extension.
    pub stem: String,
    /// Caption of the figure.
    pub caption: String,
    /// The figure as an SVG document.
    pub svg: String,
}

/// A figure of the report before it is written.
struct Sketch {
    stem: String,
    caption: String,
    sheet: Sheet,
}

/// Draws all figures of the report into `folder`, which is created. Figures with nothing to show are left out.
///
/// # Errors
/// If a figure cannot be drawn or written.
pub fn draw(plan: &Plan, schemes: &[Scheme], audits: &[AuditCell], folder: &Path) -> Result<Vec<Drawn>> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut sketches = sweeps::sketches(plan, schemes);
    sketches.extend(training::sketches(plan, schemes));
    sketches.extend(audit::sketch(plan, schemes, audits));
    sketches.extend(reals::sketches(plan, schemes));
    sketches.extend(clips::sketches(plan, schemes));
    sketches.into_iter().map(|sketch| sketch.written(folder)).filter_map(Result::transpose).collect()
}

impl Sketch {
    fn new(stem: impl Into<String>, caption: impl Into<String>, sheet: Sheet) -> Self {
        Sketch { stem: stem.into(), caption: caption.into(), sheet }
    }

    /// Writes the figure as SVG, PNG and CSV into `folder`. Empty panels are left out; if none is left, nothing is
    /// written and the result is `None`.
    fn written(mut self, folder: &Path) -> Result<Option<Drawn>> {
        self.sheet.panels.retain(|panel| !matches!(panel, Panel::Chart(figure) if figure.is_empty()));
        if self.sheet.panels.is_empty() {
            return Ok(None);
        }
        let stem = folder.join(&self.stem);
        self.sheet.save(&stem).with_context(|| format!("figure {}", self.stem))?;
        self.sheet.save_table(&stem)?;
        Ok(Some(Drawn { svg: self.sheet.svg()?, stem: self.stem, caption: self.caption }))
    }
}

/// What every figure is drawn from, for titles: the corpus, the split, and the number of seeds.
fn subject(plan: &Plan) -> String {
    let corpus = plan.corpus.rsplit('/').next().unwrap_or(&plan.corpus);
    let seeds = match plan.seeds {
        1 => "one seed, 95 % intervals over clips".to_owned(),
        seeds => format!("mean ± sd over {seeds} seeds"),
    };
    format!("{corpus}, {} split, {seeds}", plan.sweep.split)
}

/// A number as text, with U+2212 as minus sign.
pub fn number(value: f64) -> String {
    value.to_string().replace('-', "\u{2212}")
}
