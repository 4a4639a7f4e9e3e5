//! NAL units out of the samples of an MP4 file (ISO/IEC 14496-15, section 5.2.3).

use crate::Error;

/// What stands before each NAL unit of a byte stream (ITU-T H.264, annex B).
pub const START: [u8; 4] = [0, 0, 0, 1];

/// The NAL units of a sample, each behind its length.
pub fn nals(sample: &[u8], length_bytes: usize) -> impl Iterator<Item = Result<&[u8], Error>> {
    let mut rest = sample;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let whole = rest.split_at_checked(length_bytes).and_then(|(length, behind)| {
            let length = length.iter().fold(0, |n, &b| n << 8 | usize::from(b));
            behind.split_at_checked(length)
        });
        let Some((nal, behind)) = whole else {
            let left = std::mem::take(&mut rest).len();
            return Some(Err(Error::Damaged(format!("a NAL unit longer than the {left} bytes left in its sample"))));
        };
        rest = behind;
        Some(Ok(nal))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_come_out_and_a_long_one_is_named() {
        let all: Vec<_> = nals(&[0, 2, 7, 8, 0, 0, 0, 1, 9], 2).map(Result::unwrap).collect();
        assert_eq!(all, [&[7, 8][..], &[], &[9]]);
        let last = nals(&[0, 0, 0, 1, 5, 0, 0, 0, 9, 1], 4).last().unwrap();
        assert!(last.unwrap_err().to_string().contains("longer than the 5 bytes"));
    }
}
