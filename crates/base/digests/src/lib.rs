//! Digests and identifiers as text, in the one form used in files and messages: lower-case hexadecimal digits.

#![forbid(unsafe_code)]

use std::fmt::Write;

/// Writes bytes as lower-case hexadecimal digits, two digits per byte, in order.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_lower_case_and_two_a_byte() {
        assert_eq!(hex([0x00, 0x0f, 0xa5, 0xff]), "000fa5ff");
        assert_eq!(hex([]), "");
    }
}
