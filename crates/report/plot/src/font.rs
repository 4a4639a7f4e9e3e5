//! The font, and how wide a text is in it.

use std::sync::LazyLock;

use ttf_parser::Face;

/// The family named in the SVG, with what to use where it is not installed.
pub(crate) const FAMILY: &str = "Noto Sans, DejaVu Sans, Arial, sans-serif";

/// The faces compiled in.
pub(crate) const FACES: [&[u8]; 2] = [notosans::REGULAR_TTF, notosans::BOLD_TTF];

static REGULAR: LazyLock<Face<'static>> =
    LazyLock::new(|| Face::parse(FACES[0], 0).expect("the font compiled in is a font"));

/// Width of `text` in the regular face at `size`, both in pixels. Kerning is left out: it only ever narrows Latin text.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let units: u32 = text
        .chars()
        .map(|c| {
            let glyph = REGULAR.glyph_index(c).unwrap_or_default();
            u32::from(REGULAR.glyph_hor_advance(glyph).unwrap_or_default())
        })
        .sum();
    f64::from(units) * size / f64::from(REGULAR.units_per_em())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_is_additive_and_scales() {
        let one = width("m", 10.0);
        assert!(one > 5.0 && one < 15.0, "{one}");
        assert!((width("mm", 10.0) - 2.0 * one).abs() < 1e-9);
        assert!((width("m", 20.0) - 2.0 * one).abs() < 1e-9);
        assert!(width("i", 10.0) < one);
    }

    #[test]
    fn the_font_has_what_labels_use() {
        for c in "\u{2212}\u{2013}\u{00b1}\u{03c1}\u{2265}\u{00b7}\u{00d7}".chars() {
            assert!(REGULAR.glyph_index(c).is_some(), "no glyph for {c:?}");
        }
    }
}
