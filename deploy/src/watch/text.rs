//! Text from the wire made fit for a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Characters of one text that are looked at.
const LONGEST: usize = 300;

/// `text` on one line, without anything that a terminal acts on: control characters and escape sequences, marks that turn
/// the direction of writing, characters without a width. Runs of space become one space; what is very long is cut.
pub fn clean(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(LONGEST) {
        if c.is_whitespace() || c.is_control() {
            if !out.ends_with(' ') && !out.is_empty() {
                out.push(' ');
            }
        } else if c.width().is_some_and(|width| width > 0) && !hidden(c) {
            out.push(c);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Characters that show nothing of their own, or change how others are shown.
fn hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..)
}

/// `text` in at most `width` columns, with `…` where it was cut.
pub fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        out.push(c);
        used += wide;
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// `text` in exactly `width` columns, on the left of them.
pub fn left(text: &str, width: usize) -> String {
    let text = fit(text, width);
    let blank = width - text.width().min(width);
    text + &" ".repeat(blank)
}

/// `text` in exactly `width` columns, on the right of them.
pub fn right(text: &str, width: usize) -> String {
    let text = fit(text, width);
    " ".repeat(width - text.width().min(width)) + &text
}

/// A number of dB in as few characters as tell tenths.
pub fn db(value: f64) -> String {
    if value == value.round() { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// A count with a gap between thousands.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_on_is_left() {
        assert_eq!(clean("a\x1b[2J\x1b]0;owned\x07b"), "a [2J ]0;owned b");
        assert_eq!(clean("  one\r\n\ttwo \u{9b}31mred\u{0} "), "one two 31mred");
        assert_eq!(clean("abc\u{202e}fed\u{2066}x\u{200d}\u{feff}"), "abcfedx");
        assert_eq!(clean("e\u{301}\u{301}\u{301}!"), "e!");
        assert_eq!(clean("naïve 映画 🎬"), "naïve 映画 🎬");
        assert_eq!(clean(&"x".repeat(100_000)).len(), LONGEST);
        for c in (0..=0x10ffff).filter_map(char::from_u32) {
            let text = clean(&format!("[{c}]"));
            assert!(!text.chars().any(|c| c.is_control() || c.width() == Some(0)), "{:x}", c as u32);
        }
    }

    #[test]
    fn columns_are_counted_not_characters() {
        assert_eq!(fit("映画館", 6), "映画館");
        assert_eq!(fit("映画館", 5), "映画…");
        assert_eq!(fit("映画館", 4), "映…");
        assert_eq!(fit("ab", 1), "…");
        assert_eq!(fit("ab", 0), "");
        assert_eq!((left("映", 4), right("映", 4)), ("映  ".into(), "  映".into()));
        assert_eq!((left("映画館", 4), right("abc", 2)), ("映… ".into(), "a…".into()));
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([db(-12.0), db(0.0), db(7.25)], ["-12", "0", "7.2"]);
        assert_eq!([count(0), count(999), count(1000), count(1234567)], ["0", "999", "1 000", "1 234 567"]);
    }
}
