//! What values a corpus may hold: the range of labels, and features that were not finite.

/// The range of labels, both ends included.
pub const LABEL_RANGE: std::ops::RangeInclusive<f32> = -3.0..=3.0;

/// How many feature values were replaced by 0 when a modality was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Values that were not a number.
    pub nan: u64,
    /// Values that were +∞ or −∞.
    pub infinite: u64,
}

impl Replaced {
    /// The value itself if it is finite, else 0 and one count more.
    pub(crate) fn finite(&mut self, value: f32) -> f32 {
        if value.is_finite() {
            return value;
        }
        if value.is_nan() {
            self.nan += 1;
        } else {
            self.infinite += 1;
        }
        0.0
    }
}
