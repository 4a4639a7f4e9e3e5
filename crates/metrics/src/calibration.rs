//! Whether the stated confidence in the sign is the rate at which it is right.

use crate::Prediction;

/// Equal bins of confidence between ½ and 1.
pub const SIGN_BINS: usize = 10;

/// Expected calibration error of the sign, over clips with y ≠ 0 (the family "pos"): with s = p_pos / (p_pos + p_neg), ½
/// if both are 0, the confidence of a clip is max(s, 1 − s) and it is right if p_pos > p_neg equals y > 0. Clips are
/// sorted into [`SIGN_BINS`] equal bins of confidence over [½, 1], and ECE = Σ_b (n_b/n)·|accuracy_b − mean
/// confidence_b|. `None` if no clip has a sign.
pub fn sign_ece<'a>(rows: impl IntoIterator<Item = (&'a Prediction, f32)>) -> Option<f64> {
    // Per bin: right decisions minus confidences, summed.
    let mut gaps = [0.0f64; SIGN_BINS];
    let mut clips = 0u64;
    for (prediction, label) in rows.into_iter().filter(|(_, y)| *y != 0.0) {
        let (pos, neg) = (f64::from(prediction.p_pos), f64::from(prediction.p_neg));
        let confidence = if pos + neg > 0.0 { pos.max(neg) / (pos + neg) } else { 0.5 };
        let bin = ((confidence - 0.5) * 2.0 * SIGN_BINS as f64) as usize;
        let right = prediction.is_pos() == (label > 0.0);
        gaps[bin.min(SIGN_BINS - 1)] += f64::from(u8::from(right)) - confidence;
        clips += 1;
    }
    (clips > 0).then(|| gaps.iter().map(|g| g.abs()).sum::<f64>() / clips as f64)
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
