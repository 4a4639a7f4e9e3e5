//! Confusion matrix and reliability of the sign at a few points of the sweep.

use metrics::{PredictionRow, SIGN_BINS, SignBin, confusion, sign_bins};
use serde::{Deserialize, Serialize};

/// The noisy channel of the views.
pub const CHANNEL: &str = "rayleigh";
/// The SNRs of the views in dB, where they were scored.
const SNRS_DB: [f64; 3] = [-12.0, 0.0, 12.0];

/// Confusion matrix and reliability of the sign at one point, over all draws of all clips.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Channel of the point: `none` or [`CHANNEL`].
    pub channel: String,
    /// Es/N0 of the point in dB; `None` (null in JSON) for `none`.
    pub snr_db: Option<f64>,
    /// Number of predictions by class of the label, then by predicted class, both −3 … 3.
    pub confusion: [[u64; 7]; 7],
    /// Predictions of the sign by confidence, in equal parts of [½, 1]; clips with label 0 dropped.
    pub confidence: [SignBin; SIGN_BINS],
}

/// The views of the noiseless point and of fading at [`SNRS_DB`], or, if none of those was scored, at the lowest,
/// middle and highest SNR of the sweep.
pub fn views(rows: &[PredictionRow]) -> Vec<View> {
    let mut snrs: Vec<f64> = rows.iter().filter(|row| row.channel == CHANNEL).filter_map(|row| row.snr_db).collect();
    snrs.sort_by(f64::total_cmp);
    snrs.dedup();
    let points = [("none", None)].into_iter().chain(picked(&snrs).into_iter().map(|snr| (CHANNEL, Some(snr))));
    let view = |(channel, snr_db): (&str, Option<f64>)| {
        let there = || {
            let here = rows.iter().filter(move |row| row.channel == channel && row.snr_db == snr_db);
            here.map(|row| (&row.prediction, row.label))
        };
        let (confusion, confidence) = (confusion(there()), sign_bins(there()));
        View { channel: channel.to_owned(), snr_db, confusion, confidence }
    };
    points.map(view).collect()
}

fn picked(snrs: &[f64]) -> Vec<f64> {
    let wanted: Vec<f64> = snrs.iter().copied().filter(|snr| SNRS_DB.contains(snr)).collect();
    if !wanted.is_empty() || snrs.is_empty() {
        return wanted;
    }
    let mut ends = vec![snrs[0], snrs[snrs.len() / 2], snrs[snrs.len() - 1]];
    ends.dedup();
    ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics::Prediction;

    #[test]
    fn the_points_looked_at() {
        assert_eq!(picked(&[-12.0, -9.0, 0.0, 9.0, 12.0, 21.0]), [-12.0, 0.0, 12.0]);
        assert_eq!(picked(&[-9.0, 9.0]), [-9.0, 9.0]);
        assert_eq!(picked(&[-9.0, -3.0, 3.0, 9.0]), [-9.0, 3.0, 9.0]);
        assert!(picked(&[]).is_empty());
    }

    #[test]
    fn a_view_counts_its_own_point_only() {
        let row = |channel: &str, snr_db: Option<f64>, label: f32, class: usize| {
            let mut classes = [0.0; 7];
            classes[class] = 1.0;
            let prediction = Prediction { p_neg: 0.25, p_zero: 0.0, p_pos: 0.75, classes, score: 0.0 };
            let (id, channel) = ("clip".to_owned(), channel.to_owned());
            PredictionRow { id, row: 0, draw: 0, channel, snr_db, label, prediction, h_re: 1.0, h_im: 0.0 }
        };
        let rows = [
            row("none", None, 2.0, 5),
            row("awgn", Some(0.0), 2.0, 0),
            row("rayleigh", Some(0.0), -1.0, 4),
            row("rayleigh", Some(0.0), 3.0, 4),
        ];
        let views = views(&rows);
        assert_eq!(views.iter().map(|v| v.snr_db).collect::<Vec<_>>(), [None, Some(0.0)]);
        assert_eq!(views[0].confusion[5][5], 1);
        assert_eq!((views[1].confusion[2][4], views[1].confusion[6][4]), (1, 1));
        assert_eq!((views[1].confidence[5].count, views[1].confidence[5].right), (2, 1));
        assert_eq!(views[1].confusion.iter().flatten().sum::<u64>(), 2);
    }
}
