//! The spread of Acc-2 "pos" over draws of which no clip is missing.

use metrics::{Binary, PredictionRow, Record, mean_sd};
use std::collections::BTreeMap;

/// Sets the standard deviation over draws of each record to that over its complete draws: those in which every clip has a
/// prediction that has one in any draw of the point. `None` below two of them, and where it was `None`.
///
/// A draw that lost clips, because they were answered with an error or the live conditions changed on the way, differs
/// from the others by its clips and not only by its channel.
///
/// `records` are what [`metrics::records`] makes of `rows`.
pub(super) fn of_complete_draws(records: &mut [Record], rows: &[PredictionRow]) {
    let mut points: BTreeMap<(&str, Option<u64>), BTreeMap<u32, Vec<&PredictionRow>>> = BTreeMap::new();
    for row in rows {
        points.entry(point(&row.channel, row.snr_db)).or_default().entry(row.draw).or_default().push(row);
    }
    for record in records.iter_mut().filter(|record| record.acc2_pos_sd.is_some()) {
        let Some(draws) = points.get(&point(&record.channel, record.snr_db)) else { continue };
        let complete = draws.values().filter(|rows| rows.len() == record.clips);
        let accuracy =
            |rows: &Vec<&PredictionRow>| Binary::pos(rows.iter().map(|r| (&r.prediction, r.label))).accuracy();
        let accuracies: Vec<f64> = complete.filter_map(accuracy).collect();
        record.acc2_pos_sd = mean_sd(&accuracies).and_then(|(_, sd)| sd);
    }
}

/// What tells points apart: the channel and the bits of the SNR in dB.
fn point(channel: &str, snr_db: Option<f64>) -> (&str, Option<u64>) {
    (channel, snr_db.map(f64::to_bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics::{Context, Prediction};

    fn row(row: u64, draw: u32) -> PredictionRow {
        // Draw 0 has every clip right, draw 1 one in two, draw 2 none.
        let right = u64::from(draw) * (row % 2 + 1) < 2;
        let p_pos = if right { 0.8 } else { 0.1 };
        let prediction = Prediction { p_neg: 0.9 - p_pos, p_zero: 0.1, p_pos, classes: [0.0; 7], score: p_pos };
        let (id, channel) = (row.to_string(), "awgn".into());
        PredictionRow { id, row, draw, channel, snr_db: Some(3.0), label: 1.0, prediction, h_re: 1.0, h_im: 0.0 }
    }

    fn spread(rows: &[PredictionRow]) -> (Option<f64>, Option<f64>) {
        let name = String::new;
        let context = Context {
            scheme: name(),
            corpus: name(),
            split: name(),
            equaliser: name(),
            training_snr_db: None,
            symbols: 25,
            model_id: name(),
            seed: 0,
        };
        let mut records = metrics::records(rows, &context, None);
        let before = records[0].acc2_pos_sd;
        of_complete_draws(&mut records, rows);
        (before, records[0].acc2_pos_sd)
    }

    fn draws(draws: &[(u32, u64)]) -> Vec<PredictionRow> {
        draws.iter().flat_map(|(draw, clips)| (0..*clips).map(|clip| row(clip, *draw))).collect()
    }

    #[test]
    fn draws_that_lack_clips_are_left_out() {
        let (before, complete) = spread(&draws(&[(0, 10), (1, 10)]));
        assert_eq!(before, complete, "nothing is missing");
        // Accuracies of 1 and 0.5: the sample's deviation is 0.5/√2.
        assert!((complete.unwrap() - 0.125f64.sqrt()).abs() < 1e-12);
        assert_eq!(spread(&draws(&[(0, 10), (1, 10), (2, 3)])).1, complete);
        assert_eq!(spread(&draws(&[(0, 10), (1, 9), (2, 3)])).1, None, "one complete draw has no spread");
    }

    #[test]
    fn a_clip_that_no_draw_has_makes_no_draw_incomplete() {
        let rows: Vec<PredictionRow> = draws(&[(0, 10), (1, 10)]).into_iter().filter(|row| row.row != 4).collect();
        let (before, after) = spread(&rows);
        assert!(before.is_some() && before == after);
    }
}
