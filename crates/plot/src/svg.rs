//! Draws a figure as SVG.

use std::fmt::Write;

use crate::layout::{LABEL, Layout, TICK, WIDTH};
use crate::legend::{self, Sample};
use crate::{Colour, Curve, Figure, Marker, Pattern, PlotError, font};

const INK: &str = "#1a1a1a";
const GRID: &str = "#e3e3e3";
const SHADE: &str = "#f5f2e4";
const LINE: f64 = 2.0;

impl Figure {
    /// The figure as an SVG document. Its text stays text, set in Noto Sans where that is installed.
    ///
    /// # Errors
    /// If there is nothing to draw, or a number is not finite.
    pub fn svg(&self) -> Result<String, PlotError> {
        let layout = Layout::of(self)?;
        let mut canvas = Canvas::new(layout.height);
        frame(&mut canvas, self, &layout);
        canvas.open_clip(&layout);
        for level in &self.levels {
            let (y, ends) = (layout.py(level.y), (layout.left, layout.right));
            canvas.line(&[(ends.0, y), (ends.1, y)], level.colour, level.pattern);
        }
        // Bands lie under all lines.
        for curve in &self.curves {
            band(&mut canvas, curve, &layout);
        }
        for curve in &self.curves {
            let places: Vec<_> = curve.points.iter().map(|p| (layout.px(p.x), layout.py(p.y))).collect();
            canvas.line(&places, curve.colour, curve.pattern);
        }
        canvas.close();
        // A marker on the edge of the chart is drawn whole.
        for curve in &self.curves {
            for point in &curve.points {
                let (x, y) = (layout.px(point.x), layout.py(point.y));
                let inside = (layout.left..=layout.right).contains(&x) && (layout.top..=layout.bottom).contains(&y);
                if inside {
                    canvas.marker((x, y), curve.colour, curve.marker);
                }
            }
        }
        key(&mut canvas, &layout);
        Ok(canvas.finish())
    }
}

/// Shade, grid, axes, numbers, labels, title.
fn frame(canvas: &mut Canvas, figure: &Figure, layout: &Layout) {
    let (left, right, top, bottom) = (layout.left, layout.right, layout.top, layout.bottom);
    if let Some(shade) = &figure.shade {
        let from = layout.px(shade.from).clamp(left, right);
        let to = layout.px(shade.to).clamp(left, right);
        canvas.rect((from, top), (to - from, bottom - top), SHADE);
    }
    for &tick in &layout.y.ticks {
        let y = layout.py(tick);
        canvas.rule((left, y), (right, y), GRID, 1.0);
        canvas.text((left - 8.0, y + 0.35 * TICK), TICK, "end", &layout.y.number(tick));
    }
    for &tick in &layout.x.ticks {
        let x = layout.px(tick);
        canvas.rule((x, bottom), (x, bottom + 5.0), INK, 1.2);
        canvas.text((x, bottom + 5.0 + 1.15 * TICK), TICK, "middle", &layout.x.number(tick));
    }
    canvas.rule((left, top), (left, bottom), INK, 1.2);
    canvas.rule((left, bottom), (right, bottom), INK, 1.2);
    let label_y = bottom + 1.9 * TICK + LABEL;
    canvas.text((0.5 * (left + right), label_y), LABEL, "middle", &figure.x.label);
    canvas.upright((1.35 * LABEL, 0.5 * (top + bottom)), LABEL, &figure.y.label);
    canvas.title((0.5 * WIDTH, top - 0.75 * layout.title), layout.title, &figure.title);
}

/// The area between the intervals' ends.
fn band(canvas: &mut Canvas, curve: &Curve, layout: &Layout) {
    // A point without an interval ends one stretch of the band.
    for stretch in curve.points.split(|p| p.interval.is_none()).filter(|s| s.len() > 1) {
        let place = |x: f64, y: f64| (layout.px(x), layout.py(y));
        let upper = stretch.iter().filter_map(|p| p.interval.map(|(_, high)| place(p.x, high)));
        let lower = stretch.iter().rev().filter_map(|p| p.interval.map(|(low, _)| place(p.x, low)));
        canvas.area(&upper.chain(lower).collect::<Vec<_>>(), curve.colour);
    }
}

/// The legend.
fn key(canvas: &mut Canvas, layout: &Layout) {
    for entry in &layout.legend.entries {
        let x = layout.legend_at.0 + entry.x;
        let y = layout.legend_at.1 + entry.y;
        match entry.sample {
            Sample::Shade => canvas.rect((x, y - 6.0), (legend::SAMPLE, 12.0), SHADE),
            Sample::Line { colour, pattern, marker, band } => {
                if band {
                    let (low, high, end) = (y - 5.5, y + 5.5, x + legend::SAMPLE);
                    canvas.area(&[(x, low), (end, low), (end, high), (x, high)], colour);
                }
                canvas.line(&[(x, y), (x + legend::SAMPLE, y)], colour, pattern);
                canvas.marker((x + 0.5 * legend::SAMPLE, y), colour, marker);
            }
        }
        let text_x = x + legend::SAMPLE + legend::GAP;
        canvas.text((text_x, y + 0.35 * legend::SIZE), legend::SIZE, "start", &entry.name);
    }
}

/// SVG source under construction.
struct Canvas {
    source: String,
}

impl Canvas {
    fn new(height: f64) -> Canvas {
        let mut source = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        push(
            &mut source,
            format_args!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
                 viewBox=\"0 0 {WIDTH} {height}\" font-family=\"{}\" fill=\"{INK}\">\n\
                 <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n",
                font::FAMILY
            ),
        );
        Canvas { source }
    }

    fn open_clip(&mut self, layout: &Layout) {
        let (width, height) = (layout.right - layout.left, layout.bottom - layout.top);
        push(
            &mut self.source,
            format_args!(
                "<clipPath id=\"chart\"><rect x=\"{:.2}\" y=\"{:.2}\" width=\"{width:.2}\" height=\"{height:.2}\"/>\
                 </clipPath>\n<g clip-path=\"url(#chart)\">\n",
                layout.left, layout.top
            ),
        );
    }

    fn close(&mut self) {
        self.source.push_str("</g>\n");
    }

    fn finish(mut self) -> String {
        self.source.push_str("</svg>\n");
        self.source
    }

    fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), fill: &str) {
        let shape = format_args!(
            "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" fill=\"{fill}\"/>\n"
        );
        push(&mut self.source, shape);
    }

    fn rule(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), stroke: &str, width: f64) {
        let shape = format_args!(
            "<line x1=\"{x1:.2}\" y1=\"{y1:.2}\" x2=\"{x2:.2}\" y2=\"{y2:.2}\" stroke=\"{stroke}\" \
             stroke-width=\"{width}\"/>\n"
        );
        push(&mut self.source, shape);
    }

    fn line(&mut self, places: &[(f64, f64)], colour: Colour, pattern: Pattern) {
        let dashes = pattern.dashes().map(|d| format!(" stroke-dasharray=\"{d}\"")).unwrap_or_default();
        let shape = format_args!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{LINE}\" \
             stroke-linejoin=\"round\"{dashes}/>\n",
            joined(places),
            colour.hex()
        );
        push(&mut self.source, shape);
    }

    fn area(&mut self, places: &[(f64, f64)], colour: Colour) {
        let shape =
            format_args!("<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"0.17\"/>\n", joined(places), colour.hex());
        push(&mut self.source, shape);
    }

    /// A white rim keeps markers of curves that meet apart.
    fn marker(&mut self, (x, y): (f64, f64), colour: Colour, marker: Marker) {
        let paint = format!("fill=\"{}\" stroke=\"#ffffff\" stroke-width=\"1\"", colour.hex());
        let polygon = |corners: &[(f64, f64)]| {
            let places: Vec<_> = corners.iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
            format!("<polygon points=\"{}\" {paint}/>\n", joined(&places))
        };
        let shape = match marker {
            Marker::None => return,
            Marker::Circle => format!("<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"4.5\" {paint}/>\n"),
            Marker::Square => polygon(&[(-4.2, -4.2), (4.2, -4.2), (4.2, 4.2), (-4.2, 4.2)]),
            Marker::Triangle => polygon(&[(0.0, -5.2), (5.0, 3.8), (-5.0, 3.8)]),
            Marker::Diamond => polygon(&[(0.0, -5.6), (5.6, 0.0), (0.0, 5.6), (-5.6, 0.0)]),
        };
        self.source.push_str(&shape);
    }

    fn text(&mut self, (x, y): (f64, f64), size: f64, anchor: &str, text: &str) {
        let text = escaped(text);
        let shape = format_args!(
            "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{size}\" text-anchor=\"{anchor}\">{text}</text>\n"
        );
        push(&mut self.source, shape);
    }

    fn title(&mut self, (x, y): (f64, f64), size: f64, text: &str) {
        let text = escaped(text);
        let shape = format_args!(
            "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{size:.2}\" font-weight=\"bold\" \
             text-anchor=\"middle\">{text}</text>\n"
        );
        push(&mut self.source, shape);
    }

    /// Text that runs upwards, centred on its place.
    fn upright(&mut self, (x, y): (f64, f64), size: f64, text: &str) {
        let text = escaped(text);
        let shape = format_args!(
            "<text transform=\"translate({x:.2} {y:.2}) rotate(-90)\" font-size=\"{size}\" \
             text-anchor=\"middle\">{text}</text>\n"
        );
        push(&mut self.source, shape);
    }
}

fn push(source: &mut String, text: std::fmt::Arguments<'_>) {
    source.write_fmt(text).expect("a String takes all that is written to it");
}

fn joined(places: &[(f64, f64)]) -> String {
    places.iter().map(|(x, y)| format!("{x:.2},{y:.2}")).collect::<Vec<_>>().join(" ")
}

/// XML's own characters escaped, and control characters, which XML cannot hold at all, left out.
fn escaped(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_control());
    kept.fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
        out
    })
}
