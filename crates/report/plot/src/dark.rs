//! Figures on a dark page.

use crate::Colour;
use crate::canvas::{DOT, GRID, INK, PAPER};
use crate::chart::SHADE;

/// Of the page and of what stands on it.
const DARK_PAPER: &str = "#15181D";
const DARK_INK: &str = "#E4E6EA";
const DARK_GRID: &str = "#363B44";
const DARK_SHADE: &str = "#20252C";

/// CSS rules that show SVGs of this crate in light lines on a dark ground, for a page that has the SVGs within it. `scope` is a selector
/// of what they lie in, such as `figure`. Put the rules into `@media (prefers-color-scheme: dark)`. Heat maps and the dots of clouds
/// keep their colours, which say how large a value is.
pub fn dark_style(scope: &str) -> String {
    let mut rules = vec![
        format!("{scope} svg[fill=\"{INK}\"]{{fill:{DARK_INK}}}"),
        format!("{scope} rect[fill=\"{PAPER}\"]{{fill:{DARK_PAPER}}}"),
        format!("{scope} rect[fill=\"{SHADE}\"]{{fill:{DARK_SHADE}}}"),
        format!("{scope} [stroke=\"{INK}\"]{{stroke:{DARK_INK}}}"),
        format!("{scope} [stroke=\"{GRID}\"]{{stroke:{DARK_GRID}}}"),
        format!("{scope} [stroke=\"{PAPER}\"]:not([r=\"{DOT}\"]){{stroke:{DARK_PAPER}}}"),
    ];
    for colour in Colour::all() {
        let (light, dark) = (colour.hex(), colour.hex_on_dark());
        rules.push(format!("{scope} [fill=\"{light}\"]{{fill:{dark}}}"));
        rules.push(format!("{scope} [stroke=\"{light}\"]{{stroke:{dark}}}"));
    }
    rules.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ramp::luminance;

    fn rgb(hex: &str) -> [f64; 3] {
        std::array::from_fn(|i| f64::from(u8::from_str_radix(&hex[1 + 2 * i..3 + 2 * i], 16).unwrap()))
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(rgb(a)), luminance(rgb(b)));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// WCAG 2 wants 4.5 for text and 3 for lines.
    #[test]
    fn lines_and_text_stand_out_on_the_dark_page() {
        for ground in [DARK_PAPER, DARK_SHADE] {
            assert!(contrast(DARK_INK, ground) >= 4.5);
            for colour in Colour::all() {
                let contrast = contrast(colour.hex_on_dark(), ground);
                assert!(contrast >= 4.5, "{colour:?} on {ground}: {contrast}");
            }
        }
    }

    /// Every colour that a chart is drawn in has its rule.
    #[test]
    fn no_colour_of_a_chart_is_forgotten() {
        let points = || vec![crate::Point::within(0.0, 0.5, 0.4, 0.6), crate::Point::new(1.0, 0.7)];
        let mut figure = crate::Figure::against_snr("t", "y").shade("shade", 0.0, 0.5);
        for index in 0..Colour::CYCLE.len() {
            figure = figure.curve(crate::Curve::measured(index, format!("{index}"), points()));
        }
        let svg = figure.level("level", 0.6, Colour::Grey, crate::Pattern::Dotted).svg().unwrap();
        let style = dark_style("figure");
        for attribute in ["fill", "stroke"] {
            for part in svg.split(&format!(" {attribute}=\"#")).skip(1) {
                let hex = &part[..6];
                assert!(style.contains(&format!("[{attribute}=\"#{hex}\"]")), "{attribute} #{hex} in {style}");
            }
        }
    }
}
