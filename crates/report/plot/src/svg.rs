//! A figure as an SVG document.

use crate::canvas::Canvas;
use crate::chart::{self, SHADE};
use crate::layout::Layout;
use crate::legend::{self, Sample};
use crate::place::LABEL;
use crate::{Figure, Panel, PlotError, Sheet, Spread, ends};

impl Figure {
    /// The figure as an SVG document. Its text stays text, set in Noto Sans where that is installed.
    ///
    /// # Errors
    /// If there is nothing to draw, or a number cannot be drawn.
    pub fn svg(&self) -> Result<String, PlotError> {
        Sheet::of(self).svg()
    }
}

impl Sheet {
    /// The sheet as an SVG document. Its text stays text, set in Noto Sans where that is installed.
    ///
    /// # Errors
    /// If there is nothing to draw in a panel, or a number cannot be drawn.
    pub fn svg(&self) -> Result<String, PlotError> {
        let layout = Layout::of(self)?;
        let mut canvas = Canvas::new(layout.width, layout.height);
        for (index, (panel, place)) in self.panels.iter().zip(&layout.places).enumerate() {
            match panel {
                Panel::Chart(figure) => {
                    chart::draw(&mut canvas, &self.cut(index), figure, place, layout.bar.as_ref());
                    if self.named_ends {
                        ends::draw(&mut canvas, figure, place);
                    }
                }
                Panel::Heat(map) => map.draw(&mut canvas, &place.frame),
            }
            let frame = &place.frame;
            if let Some(x) = place.label_x {
                canvas.upright((x, 0.5 * (frame.top + frame.bottom)), LABEL, panel.y_label());
            }
            if layout.headed {
                let at = (0.5 * (frame.left + frame.right), frame.top - 0.6 * LABEL);
                canvas.text(at, LABEL, "middle", panel.title());
            }
        }
        if let Some(bar) = &layout.bar {
            chart::colour_bar(&mut canvas, bar);
        }
        canvas.title((0.5 * layout.width, layout.title.1), layout.title.0, &self.title);
        key(&mut canvas, &layout);
        Ok(canvas.finish())
    }

    /// The name of a panel's cut. Several figures may stand in one page, where a name counts once: it holds what is drawn.
    fn cut(&self, index: usize) -> String {
        // FNV-1a, 64 bits.
        let text = format!("{self:?}");
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        format!("cut-{hash:016x}-{index}")
    }
}

/// The legend.
fn key(canvas: &mut Canvas, layout: &Layout) {
    for entry in &layout.legend.entries {
        let x = layout.legend_at.0 + entry.x;
        let y = layout.legend_at.1 + entry.y;
        match entry.sample {
            Sample::Shade => canvas.rect((x, y - 6.0), (legend::SAMPLE, 12.0), SHADE),
            Sample::Line { colour, pattern, marker, spread } => {
                let middle = x + 0.5 * legend::SAMPLE;
                match spread {
                    Some(Spread::Band) => {
                        let (low, high, end) = (y - 5.5, y + 5.5, x + legend::SAMPLE);
                        canvas.area(&[(x, low), (end, low), (end, high), (x, high)], colour);
                    }
                    Some(Spread::Bars) => canvas.error_bar(middle, y + 8.5, y - 8.5, colour),
                    None => {}
                }
                canvas.line(&[(x, y), (x + legend::SAMPLE, y)], colour, pattern);
                canvas.marker((middle, y), colour, marker);
            }
        }
        let text_x = x + legend::SAMPLE + legend::GAP;
        canvas.text((text_x, y + 0.35 * legend::SIZE), legend::SIZE, "start", &entry.name);
    }
}
