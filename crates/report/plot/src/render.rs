//! From SVG to PNG, and both to files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use files::PendingFile;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb::Database};

use crate::{Figure, PlotError, Sheet, font};

/// Pixels of the PNG for one of the SVG: 300 dots per inch at a width of 16 cm.
const PNG_SCALE: f32 = 3.0;

/// The two files of a figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The raster image.
    pub png: PathBuf,
    /// The vector image.
    pub svg: PathBuf,
}

impl Figure {
    /// The figure as a PNG file's bytes, three pixels for each of the SVG.
    ///
    /// # Errors
    /// If there is nothing to draw, or a number is not finite.
    pub fn png(&self) -> Result<Vec<u8>, PlotError> {
        Sheet::of(self).png()
    }

    /// Writes `STEM.png` and `STEM.svg`. Each appears whole or not at all.
    ///
    /// # Errors
    /// Those of [`Figure::svg`], and [`PlotError::Write`].
    pub fn save(&self, stem: &Path) -> Result<Files, PlotError> {
        Sheet::of(self).save(stem)
    }
}

impl Sheet {
    /// The sheet as a PNG file's bytes, three pixels for each of the SVG.
    ///
    /// # Errors
    /// Those of [`Sheet::svg`].
    pub fn png(&self) -> Result<Vec<u8>, PlotError> {
        self.rasterised(&self.svg()?)
    }

    /// Writes `STEM.png` and `STEM.svg`. Each appears whole or not at all.
    ///
    /// # Errors
    /// Those of [`Sheet::svg`], and [`PlotError::Write`].
    pub fn save(&self, stem: &Path) -> Result<Files, PlotError> {
        let svg = self.svg()?;
        let png = self.rasterised(&svg)?;
        let files = Files { png: named(stem, ".png"), svg: named(stem, ".svg") };
        PendingFile::create(&files.svg)?.commit(|out| out.write_all(svg.as_bytes()))?;
        PendingFile::create(&files.png)?.commit(|out| out.write_all(&png))?;
        Ok(files)
    }

    /// Writes `STEM.csv`, see [`Sheet::csv`].
    ///
    /// # Errors
    /// [`PlotError::Write`].
    pub fn save_table(&self, stem: &Path) -> Result<PathBuf, PlotError> {
        let file = named(stem, ".csv");
        PendingFile::create(&file)?.commit(|out| out.write_all(self.csv().as_bytes()))?;
        Ok(file)
    }

    fn rasterised(&self, svg: &str) -> Result<Vec<u8>, PlotError> {
        let failed = |reason: String| PlotError::Raster { figure: self.title.clone(), reason };
        let mut fonts = Database::new();
        for face in font::FACES {
            fonts.load_font_data(face.to_vec());
        }
        let options = Options { fontdb: Arc::new(fonts), ..Options::default() };
        let tree = Tree::from_str(svg, &options).map_err(|e| failed(e.to_string()))?;
        let size = tree.size().to_int_size().scale_by(PNG_SCALE);
        let size = size.ok_or_else(|| failed("no size".into()))?;
        let mut image = Pixmap::new(size.width(), size.height()).ok_or_else(|| failed("too large".into()))?;
        resvg::render(&tree, Transform::from_scale(PNG_SCALE, PNG_SCALE), &mut image.as_mut());
        image.encode_png().map_err(|e| failed(e.to_string()))
    }
}

/// The stem with something behind it: a stem may hold dots.
fn named(stem: &Path, extension: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(extension);
    PathBuf::from(name)
}
