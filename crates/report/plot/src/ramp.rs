//! Colour maps: a colour for every value of a range.

/// A colour map that the colour-blind can read: its hues are blue and orange, and its lightness alone tells how far a value is
/// from where the map begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ramp {
    /// From dark blue over pale grey to dark orange, for values with a middle.
    Diverging,
    /// From white to dark blue, for amounts.
    Sequential,
}

type Rgb = [f64; 3];

const DIVERGING: [Rgb; 5] =
    [[10.0, 60.0, 120.0], [86.0, 160.0, 211.0], [214.0, 214.0, 208.0], [230.0, 145.0, 56.0], [140.0, 65.0, 0.0]];
const SEQUENTIAL: [Rgb; 4] = [[255.0, 255.0, 255.0], [189.0, 215.0, 238.0], [74.0, 144.0, 200.0], [8.0, 48.0, 107.0]];

impl Ramp {
    fn stops(self) -> &'static [Rgb] {
        match self {
            Ramp::Diverging => &DIVERGING,
            Ramp::Sequential => &SEQUENTIAL,
        }
    }

    fn at(self, fraction: f64) -> Rgb {
        let stops = self.stops();
        let place = fraction.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
        let below = (place as usize).min(stops.len() - 2);
        let share = place - below as f64;
        std::array::from_fn(|i| stops[below][i] + share * (stops[below + 1][i] - stops[below][i]))
    }

    /// The colour at `fraction` of the range, which is cut to 0 … 1, as `#RRGGBB`.
    pub fn hex(self, fraction: f64) -> String {
        let [r, g, b] = self.at(fraction).map(|v| v.round() as u8);
        format!("#{r:02X}{g:02X}{b:02X}")
    }

    /// Whether text on this colour is to be white.
    pub(crate) fn is_dark(self, fraction: f64) -> bool {
        luminance(self.at(fraction)) < 0.18
    }
}

/// Relative luminance as WCAG 2 has it. At 0.18 black and white contrast equally.
pub(crate) fn luminance(colour: Rgb) -> f64 {
    let linear = |v: f64| {
        let v = v / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_cut() {
        assert_eq!(Ramp::Sequential.hex(0.0), "#FFFFFF");
        assert_eq!(Ramp::Sequential.hex(7.0), "#08306B");
        assert_eq!(Ramp::Diverging.hex(0.5), "#D6D6D0");
        assert_eq!(Ramp::Diverging.hex(-1.0), "#0A3C78");
    }

    /// Printed in grey, an amount still reads, and both ends of a diverging map differ from its middle.
    #[test]
    fn lightness_is_monotonic_to_either_side() {
        let light = |ramp: Ramp, i: i32| luminance(ramp.at(f64::from(i) / 100.0));
        assert!((1..=100).all(|i| light(Ramp::Sequential, i) < light(Ramp::Sequential, i - 1)));
        assert!((1..=50).all(|i| light(Ramp::Diverging, i) > light(Ramp::Diverging, i - 1)));
        assert!((51..=100).all(|i| light(Ramp::Diverging, i) < light(Ramp::Diverging, i - 1)));
    }

    /// Contrast of text to its cell is at least 4.5, as WCAG 2 wants for small text.
    #[test]
    fn text_on_a_colour_can_be_read() {
        for i in 0..=100 {
            let fraction = f64::from(i) / 100.0;
            let cell = luminance(Ramp::Sequential.at(fraction));
            let text = if Ramp::Sequential.is_dark(fraction) { 1.0 } else { luminance([0.0; 3]) };
            let contrast = (cell.max(text) + 0.05) / (cell.min(text) + 0.05);
            assert!(contrast >= 4.5, "{fraction}: {contrast}");
        }
    }
}
