//! Means of records over rounds, in memory that does not grow with the number of rounds.

use metrics::Record;
use std::collections::VecDeque;

/// Maximum number of points that are kept. Live conditions may change without end; then the least recently used point
/// is dropped.
const POINTS: usize = 512;

/// The mean record of each point (channel, SNR) over rounds.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// The points, the most recently used last.
    points: VecDeque<Mean>,
}

#[derive(Debug)]
struct Mean {
    record: Record,
    /// Number of predictions in the mean.
    weight: f64,
    /// Acc-2 Non0 (`pos`) over complete rounds: their number, the mean, and the sum of squared deviations from it.
    rounds: (u64, f64, f64),
    /// Number of clips of a complete round: the most that a round had at this point.
    complete: usize,
}

impl Totals {
    /// Adds the records of a round; `whole` is whether it was not cut short. The spread over rounds is over whole
    /// rounds with as many predicted clips at the point as in any other round: accuracies over fewer clips vary for
    /// another reason.
    pub fn add(&mut self, records: Vec<Record>, whole: bool) {
        for record in records {
            let same = |mean: &Mean| mean.record.channel == record.channel && mean.record.snr_db == record.snr_db;
            let position = self.points.iter().position(same);
            let mut mean = match position.and_then(|position| self.points.remove(position)) {
                Some(mean) => mean.with(&record),
                None => Mean { weight: weight(&record), record: record.clone(), rounds: (0, 0.0, 0.0), complete: 0 },
            };
            if let Some(accuracy) = record.acc2_pos.filter(|_| whole) {
                mean.count(accuracy, record.clips);
            }
            // The intervals of a record hold for one round.
            mean.record.acc2_pos_interval = None;
            // A round of several draws has a spread over draws, which is not one over rounds.
            mean.record.acc2_pos_sd = if record.draws == 1 && record.channel != "none" { mean.sd() } else { None };
            self.points.push_back(mean);
            if self.points.len() > POINTS {
                self.points.pop_front();
            }
        }
    }

    /// The mean records, one for each point, in the order of [`metrics::records`].
    pub fn records(self) -> Vec<Record> {
        let mut records: Vec<Record> = self.points.into_iter().map(|mean| mean.record).collect();
        let rank = |record: &Record| ["none", "awgn", "rayleigh"].iter().position(|name| *name == record.channel);
        records.sort_by(|a, b| {
            let channel = |record: &Record| (rank(record).unwrap_or(3), record.channel.clone());
            let snr = |record: &Record| record.snr_db.unwrap_or(f64::NEG_INFINITY);
            channel(a).cmp(&channel(b)).then_with(|| snr(a).total_cmp(&snr(b)))
        });
        records
    }
}

fn weight(record: &Record) -> f64 {
    (record.clips * record.draws) as f64
}

impl Mean {
    fn with(mut self, other: &Record) -> Mean {
        let share = weight(other) / (self.weight + weight(other));
        let mix = |mine: &mut Option<f64>, other: Option<f64>| {
            *mine = match (*mine, other) {
                (Some(mine), Some(other)) => Some(mine + (other - mine) * share),
                (mine, other) => mine.or(other),
            };
        };
        let record = &mut self.record;
        mix(&mut record.acc2_nonneg, other.acc2_nonneg);
        mix(&mut record.acc2_pos, other.acc2_pos);
        mix(&mut record.f1_nonneg, other.f1_nonneg);
        mix(&mut record.f1_pos, other.f1_pos);
        mix(&mut record.acc7, other.acc7);
        mix(&mut record.acc7_rounded, other.acc7_rounded);
        mix(&mut record.mae, other.mae);
        mix(&mut record.corr, other.corr);
        mix(&mut record.mae_nonzero, other.mae_nonzero);
        mix(&mut record.corr_nonzero, other.corr_nonzero);
        mix(&mut record.reference_acc2, other.reference_acc2);
        mix(&mut record.ece, other.ece);
        record.clips = record.clips.max(other.clips);
        if record.channel != "none" {
            record.draws = record.draws.saturating_add(other.draws);
        }
        self.weight += weight(other);
        self
    }

    /// Counts the accuracy of a whole round over `clips` clips in the spread.
    fn count(&mut self, accuracy: f64, clips: usize) {
        if clips < self.complete {
            return;
        }
        if clips > self.complete {
            (self.complete, self.rounds) = (clips, (0, 0.0, 0.0));
        }
        let (count, mean, squares) = self.rounds;
        let (count, off) = (count + 1, accuracy - mean);
        let mean = mean + off / count as f64;
        self.rounds = (count, mean, squares + off * (accuracy - mean));
    }

    fn sd(&self) -> Option<f64> {
        let (count, _, squares) = self.rounds;
        (count > 1).then(|| (squares / (count - 1) as f64).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics::{Context, Prediction, PredictionRow, records};

    fn row(row: u64, draw: u32, snr_db: f64) -> PredictionRow {
        let right = !(row * 7 + u64::from(draw) * 3).is_multiple_of(6);
        let p_pos = if right == row.is_multiple_of(2) { 0.8 } else { 0.1 };
        let prediction = Prediction { p_neg: 0.9 - p_pos, p_zero: 0.1, p_pos, classes: [0.0; 7], score: p_pos };
        let label = if row.is_multiple_of(2) { 1.0 } else { -1.0 };
        let (id, channel) = (row.to_string(), "awgn".into());
        PredictionRow { id, row, draw, channel, snr_db: Some(snr_db), label, prediction, h_re: 1.0, h_im: 0.0 }
    }

    fn scored(rows: &[PredictionRow]) -> Vec<Record> {
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
            training_seed: None,
        };
        records(rows, &context, None)
    }

    #[test]
    fn the_mean_over_rounds_is_what_all_rows_together_give() {
        let rounds: Vec<Vec<_>> = (0..4).map(|draw| (0..20).map(|clip| row(clip, draw, 3.0)).collect()).collect();
        let mut totals = Totals::default();
        rounds.iter().for_each(|rows| totals.add(scored(rows), true));
        let [mean] = &totals.records()[..] else { panic!() };
        let all = scored(&rounds.concat()).remove(0);
        assert_eq!((mean.clips, mean.draws), (all.clips, all.draws));
        let near = |a: Option<f64>, b: Option<f64>| assert!((a.unwrap() - b.unwrap()).abs() < 1e-12, "{a:?} {b:?}");
        near(mean.acc2_pos, all.acc2_pos);
        near(mean.acc2_pos_sd, all.acc2_pos_sd);
        near(mean.acc2_nonneg, all.acc2_nonneg);
        near(mean.mae, all.mae);
        assert!(mean.acc2_pos_sd.unwrap() > 0.0);
    }

    #[test]
    fn the_spread_leaves_out_rounds_that_lack_clips() {
        let round = |draw: u32, clips: u64| scored(&(0..clips).map(|clip| row(clip, draw, 3.0)).collect::<Vec<_>>());
        let spread = |rounds: &[(u32, u64)]| {
            let mut totals = Totals::default();
            rounds.iter().for_each(|(draw, clips)| totals.add(round(*draw, *clips), true));
            totals.records().remove(0).acc2_pos_sd
        };
        let complete = spread(&[(0, 20), (2, 20), (3, 20)]);
        assert!(complete.unwrap() > 0.0);
        assert_ne!(round(1, 2)[0].acc2_pos, round(0, 20)[0].acc2_pos);
        for partial in [&[(1, 2), (0, 20), (2, 20), (3, 20)][..], &[(0, 20), (2, 20), (1, 2), (3, 20)]] {
            assert_eq!(spread(partial), complete, "{partial:?}");
        }
        assert_eq!(spread(&[(0, 20), (1, 19)]), None);
    }

    #[test]
    fn points_are_in_order_and_their_number_is_bounded() {
        let mut totals = Totals::default();
        for snr in (0..2 * POINTS).rev() {
            totals.add(scored(&[row(0, 0, snr as f64)]), true);
        }
        let snrs: Vec<f64> = totals.records().into_iter().filter_map(|record| record.snr_db).collect();
        assert!(snrs.into_iter().eq((0..POINTS).map(|snr| snr as f64)));
    }
}
