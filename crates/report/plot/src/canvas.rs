//! SVG source under construction.

use std::fmt::Write;

use crate::place::Frame;
use crate::{Colour, Marker, Pattern, font};

pub(crate) const GRID: &str = "#e3e3e3";
pub(crate) const INK: &str = "#1a1a1a";
pub(crate) const PAPER: &str = "#ffffff";
/// Radius of a cloud's dot.
pub(crate) const DOT: &str = "3.4";
const LINE: f64 = 2.0;

/// An SVG document that is being written.
pub(crate) struct Canvas {
    source: String,
}

impl Canvas {
    pub fn new(width: f64, height: f64) -> Canvas {
        let mut source = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        push(
            &mut source,
            format_args!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
                 viewBox=\"0 0 {width} {height}\" font-family=\"{}\" fill=\"{INK}\">\n\
                 <rect width=\"{width}\" height=\"{height}\" fill=\"{PAPER}\"/>\n",
                font::FAMILY
            ),
        );
        Canvas { source }
    }

    /// What follows, until [`Canvas::close`], is cut off at the frame. `name` is that of the cut, once in the document.
    pub fn open_clip(&mut self, name: &str, frame: &Frame) {
        let (width, height) = (frame.right - frame.left, frame.bottom - frame.top);
        push(
            &mut self.source,
            format_args!(
                "<clipPath id=\"{name}\"><rect x=\"{:.2}\" y=\"{:.2}\" width=\"{width:.2}\" height=\"{height:.2}\"/>\
                 </clipPath>\n<g clip-path=\"url(#{name})\">\n",
                frame.left, frame.top
            ),
        );
    }

    pub fn close(&mut self) {
        self.source.push_str("</g>\n");
    }

    pub fn finish(mut self) -> String {
        self.source.push_str("</svg>\n");
        self.source
    }

    pub fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), fill: &str) {
        let shape = format_args!(
            "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" fill=\"{fill}\"/>\n"
        );
        push(&mut self.source, shape);
    }

    pub fn rule(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), stroke: &str, width: f64) {
        let shape = format_args!(
            "<line x1=\"{x1:.2}\" y1=\"{y1:.2}\" x2=\"{x2:.2}\" y2=\"{y2:.2}\" stroke=\"{stroke}\" \
             stroke-width=\"{width}\"/>\n"
        );
        push(&mut self.source, shape);
    }

    pub fn line(&mut self, places: &[(f64, f64)], colour: Colour, pattern: Pattern) {
        if pattern == Pattern::None {
            return;
        }
        let dashes = pattern.dashes().map(|d| format!(" stroke-dasharray=\"{d}\"")).unwrap_or_default();
        let shape = format_args!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{LINE}\" \
             stroke-linejoin=\"round\"{dashes}/>\n",
            joined(places),
            colour.hex()
        );
        push(&mut self.source, shape);
    }

    pub fn area(&mut self, places: &[(f64, f64)], colour: Colour) {
        let shape =
            format_args!("<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"0.17\"/>\n", joined(places), colour.hex());
        push(&mut self.source, shape);
    }

    /// A white rim keeps markers of curves that meet apart.
    pub fn marker(&mut self, (x, y): (f64, f64), colour: Colour, marker: Marker) {
        let paint = format!("fill=\"{}\" stroke=\"{PAPER}\" stroke-width=\"1\"", colour.hex());
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
            Marker::Stroke => polygon(&[(-9.0, -2.0), (9.0, -2.0), (9.0, 2.0), (-9.0, 2.0)]),
        };
        self.source.push_str(&shape);
    }

    /// In the document's own ink, which a dark page replaces.
    pub fn text(&mut self, place: (f64, f64), size: f64, anchor: &str, text: &str) {
        self.text_with(place, size, anchor, text, "");
    }

    /// In an ink of its own, for text on an area whose colour no page replaces.
    pub fn text_in(&mut self, place: (f64, f64), size: f64, anchor: &str, text: &str, ink: &str) {
        self.text_with(place, size, anchor, text, &format!(" fill=\"{ink}\""));
    }

    fn text_with(&mut self, (x, y): (f64, f64), size: f64, anchor: &str, text: &str, ink: &str) {
        let text = escaped(text);
        let shape = format_args!(
            "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{size:.2}\" text-anchor=\"{anchor}\"{ink}>{text}</text>\n"
        );
        push(&mut self.source, shape);
    }

    /// An upright bar with caps, from `low` to `high`.
    pub fn error_bar(&mut self, x: f64, low: f64, high: f64, colour: Colour) {
        let shape = format_args!(
            "<path d=\"M{x:.2} {low:.2}V{high:.2}M{:.2} {low:.2}h8M{:.2} {high:.2}h8\" fill=\"none\" stroke=\"{}\" \
             stroke-width=\"1.6\"/>\n",
            x - 4.0,
            x - 4.0,
            colour.hex()
        );
        push(&mut self.source, shape);
    }

    pub fn dot(&mut self, (x, y): (f64, f64), fill: &str) {
        let shape = format_args!(
            "<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{DOT}\" fill=\"{fill}\" stroke=\"{PAPER}\" stroke-width=\"0.5\"/>\n"
        );
        push(&mut self.source, shape);
    }

    pub fn outline(&mut self, frame: &Frame) {
        let Frame { left, right, top, bottom } = *frame;
        let shape = format_args!(
            "<path d=\"M{left:.2} {top:.2}H{right:.2}V{bottom:.2}H{left:.2}Z\" fill=\"none\" stroke=\"{INK}\" \
             stroke-width=\"1.2\"/>\n"
        );
        push(&mut self.source, shape);
    }

    pub fn title(&mut self, (x, y): (f64, f64), size: f64, text: &str) {
        let text = escaped(text);
        let shape = format_args!(
            "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{size:.2}\" font-weight=\"bold\" \
             text-anchor=\"middle\">{text}</text>\n"
        );
        push(&mut self.source, shape);
    }

    /// Text that runs upwards, centred on its place.
    pub fn upright(&mut self, (x, y): (f64, f64), size: f64, text: &str) {
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
