//! One prediction of one clip under one draw, and the file that lists them.

use std::io;

use crate::Prediction;

/// A clip's prediction at one point of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictionRow {
    /// The clip.
    pub id: String,
    /// The clip's row in its corpus.
    pub row: u64,
    /// Which draw of the channel.
    pub draw: u32,
    /// `none`, `awgn`, `rayleigh`, `rician:K`.
    pub channel: String,
    /// Es/N0; `None` for `none`.
    pub snr_db: Option<f64>,
    /// The reference label.
    pub label: f32,
    /// What the receiver said.
    pub prediction: Prediction,
    /// Real part of the channel coefficient.
    pub h_re: f32,
    /// Imaginary part of the channel coefficient.
    pub h_im: f32,
}

impl PredictionRow {
    /// Prediction and label, as the metrics take them.
    pub(crate) fn pair(&self) -> (&Prediction, f32) {
        (&self.prediction, self.label)
    }
}

/// The columns of the predictions file.
pub const CSV_HEADER: [&str; 12] =
    ["id", "draw", "channel", "snr_db", "label", "score", "class", "p_neg", "p_zero", "p_pos", "h_re", "h_im"];

/// Writes `rows` as CSV with [`CSV_HEADER`]. Numbers are the shortest that read back to the same bits; `snr_db` is empty
/// for `none`.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_csv(out: impl io::Write, rows: &[PredictionRow]) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(CSV_HEADER)?;
    for row in rows {
        let p = &row.prediction;
        writer.write_record([
            row.id.clone(),
            row.draw.to_string(),
            row.channel.clone(),
            row.snr_db.map_or(String::new(), |snr| snr.to_string()),
            row.label.to_string(),
            p.score.to_string(),
            p.class().to_string(),
            p.p_neg.to_string(),
            p.p_zero.to_string(),
            p.p_pos.to_string(),
            row.h_re.to_string(),
            row.h_im.to_string(),
        ])?;
    }
    writer.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_has_the_columns_and_exact_numbers() {
        let mut classes = [0.0; 7];
        classes[1] = 1.0;
        let prediction = Prediction { p_neg: 0.1 + 0.2, p_zero: 1e-9, p_pos: 0.5, classes, score: -1.9 };
        let row = PredictionRow {
            id: "a,b".into(),
            row: 4,
            draw: 2,
            channel: "none".into(),
            snr_db: None,
            label: -2.0,
            prediction,
            h_re: 1.0,
            h_im: 0.0,
        };
        let awgn = PredictionRow { id: "c".into(), channel: "awgn".into(), snr_db: Some(-12.0), ..row.clone() };
        let mut out = Vec::new();
        write_csv(&mut out, &[row, awgn]).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "id,draw,channel,snr_db,label,score,class,p_neg,p_zero,p_pos,h_re,h_im");
        assert_eq!(lines[1], "\"a,b\",2,none,,-2,-1.9,-2,0.3,0.000000001,0.5,1,0");
        assert!(lines[2].starts_with("c,2,awgn,-12,-2,"));
    }
}
