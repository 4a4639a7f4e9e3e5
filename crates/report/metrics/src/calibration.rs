//! Whether the stated confidence in the sign is the rate at which it is right.

use crate::Prediction;
use serde::{Deserialize, Serialize};

/// Equal bins of confidence between ½ and 1.
pub const SIGN_BINS: usize = 10;

/// What was said with about one confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SignBin {
    /// Predictions.
    pub count: u64,
    /// Those whose sign is right.
    pub right: u64,
    /// Their confidences, summed.
    pub confidence: f64,
}

/// Predictions of clips with y ≠ 0 (the family "pos") by their confidence in the sign: with s = p_pos / (p_pos + p_neg), ½ if
/// both are 0, it is max(s, 1 − s), and a prediction is right if p_pos > p_neg equals y > 0. The bins are equal parts of
/// [½, 1].
pub fn sign_bins<'a>(rows: impl IntoIterator<Item = (&'a Prediction, f32)>) -> [SignBin; SIGN_BINS] {
    let mut bins = [SignBin::default(); SIGN_BINS];
    for (prediction, label) in rows.into_iter().filter(|(_, y)| *y != 0.0) {
        let (pos, neg) = (f64::from(prediction.p_pos), f64::from(prediction.p_neg));
        let confidence = if pos + neg > 0.0 { pos.max(neg) / (pos + neg) } else { 0.5 };
        let bin = &mut bins[(((confidence - 0.5) * 2.0 * SIGN_BINS as f64) as usize).min(SIGN_BINS - 1)];
        bin.count += 1;
        bin.right += u64::from(prediction.is_pos() == (label > 0.0));
        bin.confidence += confidence;
    }
    bins
}

/// Expected calibration error of the sign over [`sign_bins`]: ECE = Σ_b (n_b/n)·|accuracy_b − mean confidence_b|. `None` if no
/// clip has a sign.
pub fn sign_ece<'a>(rows: impl IntoIterator<Item = (&'a Prediction, f32)>) -> Option<f64> {
    let bins = sign_bins(rows);
    let clips: u64 = bins.iter().map(|bin| bin.count).sum();
    let gaps: f64 = bins.iter().map(|bin| (bin.right as f64 - bin.confidence).abs()).sum();
    (clips > 0).then(|| gaps / clips as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sure(p_pos: f32) -> Prediction {
        Prediction { p_neg: 1.0 - p_pos, p_zero: 0.0, p_pos, classes: [0.0; 7], score: 0.0 }
    }

    #[test]
    fn calibrated_confidence_has_no_error_and_overconfidence_all_of_it() {
        let p = sure(0.75);
        let calibrated = [(&p, 1.0), (&p, 1.0), (&p, 2.0), (&p, -1.0), (&p, 0.0)];
        assert_eq!(sign_ece(calibrated), Some(0.0));
        let certain = sure(1.0);
        assert_eq!(sign_ece([(&certain, 1.0), (&certain, -1.0)]), Some(0.5));
        assert_eq!(sign_ece([(&certain, 0.0)]), None);
    }

    #[test]
    fn bins_count_by_confidence() {
        let (low, high, certain) = (sure(0.42), sure(0.97), sure(0.0));
        let bins = sign_bins([(&low, -1.0), (&low, 2.0), (&high, 1.0), (&certain, 1.0), (&high, 0.0)]);
        let counts = bins.map(|bin| (bin.count, bin.right));
        assert_eq!((counts[1], counts[9]), ((2, 1), (2, 1)));
        assert!((bins[9].confidence - 1.97).abs() < 1e-6);
        assert_eq!(bins.iter().map(|bin| bin.count).sum::<u64>(), 4);
    }

    #[test]
    fn errors_of_different_bins_do_not_cancel() {
        let (low, high) = (sure(0.25), sure(1.0));
        // Bin of 0.75: right always, gap 0.25. Bin of 1: right half the time, gap 0.5.
        let rows = [(&low, -1.0), (&low, -1.0), (&high, 1.0), (&high, -1.0)];
        assert!((sign_ece(rows).unwrap() - 0.375).abs() < 1e-15);
    }

    #[test]
    fn zero_probability_of_a_sign_is_a_coin() {
        let zero = Prediction { p_neg: 0.0, p_zero: 1.0, p_pos: 0.0, classes: [0.0; 7], score: 0.0 };
        assert_eq!(sign_ece([(&zero, -1.0)]), Some(0.5));
    }
}
