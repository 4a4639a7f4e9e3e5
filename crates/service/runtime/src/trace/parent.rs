//! Parsing of the W3C `traceparent` of a clip's sender, which is treated as hostile.

use super::TraceId;

/// The span of the sender of a clip, which is the parent of the span in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parent {
    pub(super) trace_id: TraceId,
    /// The identifier of the sender's span, not 0.
    pub(super) span_id: u64,
    /// Whether the sender may have recorded its span.
    pub(super) sampled: bool,
}

/// The length of a `traceparent` of version 0 in bytes: `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits.
const LENGTH: usize = 55;

impl Parent {
    /// Parses a `traceparent`; `None` for anything that the W3C recommendation does not allow. A later version may have
    /// further fields after a further hyphen, which are ignored.
    pub(super) fn parse(traceparent: &str) -> Option<Self> {
        let bytes = traceparent.as_bytes();
        // Longer values are not forbidden, but are not accepted here.
        if bytes.len() < LENGTH || bytes.len() > 512 || [2, 35, 52].iter().any(|&at| bytes[at] != b'-') {
            return None;
        }
        let version = hex(&bytes[..2])?;
        let ends = match version {
            0 => bytes.len() == LENGTH,
            0xff => false,
            _ => bytes.len() == LENGTH || bytes[LENGTH] == b'-',
        };
        let trace_id = hex(&bytes[3..35]).filter(|&id| id != 0)?;
        let span_id = hex(&bytes[36..52]).filter(|&id| id != 0)? as u64;
        let sampled = hex(&bytes[53..55])? & 1 == 1;
        ends.then_some(Parent { trace_id: TraceId(trace_id), span_id, sampled })
    }
}

/// The number that at most 32 lower-case hexadecimal digits make; `None` if there are other characters.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u128::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_ones_are_taken_and_all_others_are_not() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parent = Parent::parse(good).unwrap();
        assert_eq!(parent.trace_id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!((parent.span_id, parent.sampled), (0x00f0_67aa_0ba9_02b7, true));
        assert!(!Parent::parse(&good.replace("-01", "-02")).unwrap().sampled);
        assert_eq!(Parent::parse(&format!("cc{}-what comes later", &good[2..])), Some(parent));
        for bad in [
            String::new(),
            "00".into(),
            good[..54].into(),
            format!("{good}0"),
            format!("{good}-more"),
            good.to_uppercase(),
            good.replacen("00", "ff", 1),
            good.replacen("00", "0g", 1),
            good.replace('-', "_"),
            good.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            good.replace("00f067aa0ba902b7", &"0".repeat(16)),
            good.replace("4bf9", "4b 9"),
            good.replace("4bf9", "+bf9"),
            format!("cc{}.more", &good[2..]),
            format!("cc{}-{}", &good[2..], "x".repeat(500)),
            "é".repeat(28),
            "\0".repeat(55),
        ] {
            assert_eq!(Parent::parse(&bad), None, "{bad:?}");
        }
    }
}
