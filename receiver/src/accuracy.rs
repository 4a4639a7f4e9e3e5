//! Live accuracy: which decisions of each row were correct, and the counts over all rows of the same channel
//! conditions.

mod distinct;
mod recent;

pub use recent::{Arrivals, Latencies, Quantiles, Recent, Verdicts};

use distinct::{ClipKey, Distinct};
use metrics::{Prediction, label_class};
use proto::v1::{ChannelReport, Conditions, Row, Snapshot, Tally};
use std::collections::{HashMap, VecDeque};

/// Maximum number of tallies in one snapshot. A client may pin different conditions for every clip, and a message of
/// the wire has a size limit.
const TALLIES_SHOWN: usize = 500;
/// Maximum number of channel conditions that have a tally of their own; rows under further conditions count in the
/// total alone.
const TALLIES_KEPT: usize = 10_000;
/// Maximum number of latest rows that are kept in memory and shown in a snapshot.
pub const LATEST_KEPT: usize = 100;

/// Which decisions of one prediction agree with the clip's label. Holds both families of Acc-2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Acc-2 Non0 (`pos`): whether p_pos > p_neg agrees with y > 0. `None` for a label of 0, which that family drops.
    pub sign_correct: Option<bool>,
    /// Acc-2 Has0 (`nonneg`): whether p_zero + p_pos ≥ ½ agrees with y ≥ 0.
    pub nonneg_correct: bool,
    /// Acc-7: whether the most likely of the seven classes equals the label rounded half to even.
    pub class_correct: bool,
    /// The absolute error |score − y|, in 0 to 6.
    pub absolute_error: f64,
    /// The truth of the two binary decisions: whether y > 0, and whether y ≥ 0.
    pub truth: (bool, bool),
}

impl Verdict {
    /// Compares a prediction with the clip's label in [−3, 3].
    pub fn of(prediction: &Prediction, label: f32) -> Self {
        Verdict {
            sign_correct: (label != 0.0).then_some(prediction.is_pos() == (label > 0.0)),
            nonneg_correct: prediction.is_nonneg() == (label >= 0.0),
            class_correct: prediction.class() == label_class(label),
            absolute_error: (f64::from(prediction.score) - f64::from(label)).abs(),
            truth: (label > 0.0, label >= 0.0),
        }
    }
}

/// Channel conditions by the bits of their numbers, as a key of hash maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Met {
    kind: i32,
    snr_db: Option<u64>,
    k_factor: Option<u64>,
}

impl From<&Conditions> for Met {
    fn from(conditions: &Conditions) -> Self {
        // Zero has two signs; adding zero leaves one.
        let bits = |value: Option<f64>| value.map(|value| (value + 0.0).to_bits());
        Met { kind: conditions.kind, snr_db: bits(conditions.snr_db), k_factor: bits(conditions.k_factor) }
    }
}

/// The live accuracy of the weights being served, updated row by row, and the latest rows.
#[derive(Default)]
pub struct Accuracy {
    clips: u64,
    tallies: HashMap<Met, Tally>,
    /// The different clips counted in each tally.
    distinct: Distinct<Met>,
    /// The latest rows, oldest first, at most [`LATEST_KEPT`].
    latest: VecDeque<Row>,
    recent: Recent,
    latencies: Latencies,
    /// Over the rows counted by [`Accuracy::count`]: the number of labels other than 0, and how many of their signs
    /// were predicted correctly.
    signed: (u64, u64),
}

/// Counts at one moment, to be subtracted from those of a later one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Number of rows, including those that the journal held at start.
    pub clips: u64,
    /// Number of rows with a label other than 0, counted since the receiver started.
    pub signed: u64,
    /// Number of the `signed` rows whose sign was predicted correctly.
    pub sign_correct: u64,
}

impl Accuracy {
    /// Adds a tally of the rows that the journal held at start.
    pub fn add_tally(&mut self, tally: Tally) {
        self.clips += tally.clips;
        if self.tallies.len() < TALLIES_KEPT {
            let conditions = tally.conditions.unwrap_or_default();
            self.tallies.insert(Met::from(&conditions), tally);
        }
    }

    /// Adds the clip of a labelled row to the distinct clips of the tally of `conditions`, if there is one and the clip
    /// is new to it.
    pub fn add_clip(&mut self, conditions: &Conditions, clip_id: &str, label: f32) {
        let met = Met::from(conditions);
        if let Some(tally) = self.tallies.get_mut(&met)
            && self.distinct.add(met, ClipKey::of(clip_id, label))
        {
            count_distinct(tally, label);
        }
    }

    /// Adds a row to the latest and recent rows and the latencies, without counting it in a tally. `verdict` is `None`
    /// for a row without a label.
    pub fn add_latest(&mut self, row: Row, verdict: Option<Verdict>) {
        self.latencies.add(row.timings.unwrap_or_default());
        self.recent.add(&row, verdict);
        if self.latest.len() == LATEST_KEPT {
            self.latest.pop_front();
        }
        self.latest.push_back(row);
    }

    /// Counts a new row and adds it to the latest rows. `verdict` is `None` for a row without a label.
    pub fn count(&mut self, row: Row, verdict: Option<Verdict>) {
        let conditions =
            row.channel.as_ref().and_then(|ChannelReport { conditions, .. }| *conditions).unwrap_or_default();
        self.clips += 1;
        if let Some(sign_correct) = verdict.and_then(|verdict| verdict.sign_correct) {
            self.signed.0 += 1;
            self.signed.1 += u64::from(sign_correct);
        }
        if let Some(tally) = self.tally(conditions) {
            add(tally, verdict);
            if let Some(label) = row.label {
                self.add_clip(&conditions, &row.clip_id, label);
            }
        }
        self.add_latest(row, verdict);
    }

    /// The tally of `conditions`, created if there is none; `None` if there are [`TALLIES_KEPT`] others already.
    fn tally(&mut self, conditions: Conditions) -> Option<&mut Tally> {
        let met = Met::from(&conditions);
        if self.tallies.len() >= TALLIES_KEPT && !self.tallies.contains_key(&met) {
            return None;
        }
        let new = || Tally { conditions: Some(conditions), ..Tally::default() };
        Some(self.tallies.entry(met).or_insert_with(new))
    }

    /// Number of rows counted, including those that the journal held at start.
    pub fn clips(&self) -> u64 {
        self.clips
    }

    /// The counts at this moment.
    pub fn counted(&self) -> Counted {
        let (signed, sign_correct) = self.signed;
        Counted { clips: self.clips, signed, sign_correct }
    }

    /// Number of rows whose channel conditions were exactly `conditions`; 0 if these have no tally.
    pub fn clips_under(&self, conditions: &Conditions) -> u64 {
        self.tallies.get(&Met::from(conditions)).map_or(0, |tally| tally.clips)
    }

    /// The newest rows: their channel conditions and which of their decisions were correct.
    pub fn recent(&self) -> &Recent {
        &self.recent
    }

    /// The time that the newest rows spent in each process.
    pub fn latencies(&self) -> &Latencies {
        &self.latencies
    }

    /// The tallies ordered by kind of channel, K factor and SNR, and the `latest` newest rows, newest first. If there
    /// are more than `TALLIES_SHOWN` tallies, those with the most rows are included.
    pub fn snapshot(&self, latest: usize) -> Snapshot {
        let mut tallies: Vec<&Tally> = self.tallies.values().collect();
        if tallies.len() > TALLIES_SHOWN {
            tallies.select_nth_unstable_by_key(TALLIES_SHOWN, |tally| std::cmp::Reverse(tally.clips));
            tallies.truncate(TALLIES_SHOWN);
        }
        tallies.sort_by(|a, b| {
            let order = |tally: &Tally| {
                let conditions = tally.conditions.unwrap_or_default();
                let or_least = |value: Option<f64>| value.unwrap_or(f64::NEG_INFINITY);
                (conditions.kind, or_least(conditions.k_factor), or_least(conditions.snr_db))
            };
            let (a, b) = (order(a), order(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
        });
        let tallies = tallies.into_iter().cloned().collect();
        Snapshot { clips: self.clips, tallies, latest: self.latest.iter().rev().take(latest).cloned().collect() }
    }
}

/// Counts a clip that is new to a tally among its distinct clips.
fn count_distinct(tally: &mut Tally, label: f32) {
    tally.distinct_labelled += 1;
    tally.distinct_signed += u64::from(label != 0.0);
}

/// Adds one row to the counts of a tally; `verdict` is `None` for a row without a label.
fn add(tally: &mut Tally, verdict: Option<Verdict>) {
    tally.clips += 1;
    let Some(verdict) = verdict else { return };
    tally.labelled += 1;
    tally.signed += u64::from(verdict.sign_correct.is_some());
    tally.sign_correct += u64::from(verdict.sign_correct == Some(true));
    tally.nonneg_correct += u64::from(verdict.nonneg_correct);
    tally.class_correct += u64::from(verdict.class_correct);
    tally.absolute_error += verdict.absolute_error;
    tally.squared_error += verdict.absolute_error.powi(2);
    let (positive, nonneg) = verdict.truth;
    tally.positive += u64::from(positive);
    tally.positive_correct += u64::from(positive && verdict.sign_correct == Some(true));
    tally.nonneg += u64::from(nonneg);
    tally.nonneg_met += u64::from(nonneg && verdict.nonneg_correct);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::v1::ChannelKind;

    fn prediction(p_neg: f32, p_zero: f32, p_pos: f32, class: i32) -> Prediction {
        let mut classes = [0.05; 7];
        classes[(class + 3) as usize] = 0.7;
        Prediction { p_neg, p_zero, p_pos, classes, score: 0.5 }
    }

    #[test]
    fn a_verdict_follows_both_families_of_acc2() {
        let right = Verdict::of(&prediction(0.2, 0.1, 0.7, 1), 1.4);
        assert_eq!((right.sign_correct, right.nonneg_correct, right.class_correct), (Some(true), true, true));
        assert!((right.absolute_error - 0.9).abs() < 1e-6);
        // More mass above zero than below, yet less than half at or above it: the families disagree.
        let split = Verdict::of(&prediction(0.55, 0.0, 0.45, -1), 2.0);
        assert_eq!((split.sign_correct, split.nonneg_correct, split.class_correct), (Some(false), false, false));
        let zero = Verdict::of(&prediction(0.4, 0.3, 0.3, 0), 0.0);
        assert_eq!((zero.sign_correct, zero.nonneg_correct, zero.class_correct), (None, true, true));
    }

    #[test]
    fn snapshots_keep_conditions_apart_and_show_the_newest_rows_first() {
        let mut accuracy = Accuracy::default();
        for sequence in 0..150u64 {
            let snr_db = [-12.0, 9.0, 3.0][sequence as usize % 3];
            let conditions = Conditions { kind: ChannelKind::Awgn as i32, snr_db: Some(snr_db), k_factor: None };
            let row = Row {
                delivery: Some(proto::v1::DeliveryKey { run_id: String::new(), sequence }),
                channel: Some(ChannelReport { conditions: Some(conditions), ..Default::default() }),
                ..Default::default()
            };
            let verdict = (sequence % 2 == 0).then(|| Verdict::of(&prediction(0.1, 0.1, 0.8, 1), 1.0));
            accuracy.count(row, verdict);
        }
        let snapshot = accuracy.snapshot(4);
        assert_eq!(snapshot.clips, 150);
        let snrs: Vec<f64> = snapshot.tallies.iter().filter_map(|tally| tally.conditions?.snr_db).collect();
        assert_eq!(snrs, [-12.0, 3.0, 9.0]);
        assert!(
            snapshot.tallies.iter().all(|tally| tally.clips == 50 && tally.labelled == 25 && tally.sign_correct == 25)
        );
        let newest: Vec<u64> = snapshot.latest.iter().filter_map(|row| Some(row.delivery.as_ref()?.sequence)).collect();
        assert_eq!(newest, [149, 148, 147, 146]);
        assert_eq!(accuracy.snapshot(1000).latest.len(), LATEST_KEPT);
        assert_eq!(accuracy.counted(), Counted { clips: 150, signed: 75, sign_correct: 75 });
        let at = |snr_db| Conditions { kind: ChannelKind::Awgn as i32, snr_db: Some(snr_db), k_factor: None };
        assert_eq!((accuracy.clips_under(&at(3.0)), accuracy.clips_under(&at(4.0))), (50, 0));
    }

    fn labelled(clip_id: &str, label: f32, conditions: Conditions) -> Row {
        let channel = Some(ChannelReport { conditions: Some(conditions), ..Default::default() });
        Row { clip_id: clip_id.into(), label: Some(label), channel, ..Default::default() }
    }

    #[test]
    fn repeats_of_a_clip_are_counted_as_rows_and_not_as_clips() {
        let conditions = Conditions { kind: ChannelKind::Awgn as i32, snr_db: Some(-0.0), k_factor: None };
        let mut accuracy = Accuracy::default();
        for round in 0..20 {
            for clip in 0..650 {
                let label = [0.0, 1.0, -1.0][clip % 3];
                let says = prediction(0.2, 0.1, 0.7, 1);
                // Zero with either sign is the same SNR.
                let conditions = Conditions { snr_db: Some([0.0, -0.0][round % 2]), ..conditions };
                let row = labelled(&format!("clip-{clip}"), label, conditions);
                accuracy.count(row, Some(Verdict::of(&says, label)));
            }
        }
        let [tally] = &accuracy.snapshot(0).tallies[..] else { panic!("one tally") };
        assert_eq!((tally.labelled, tally.distinct_labelled), (13_000, 650));
        assert_eq!((tally.signed, tally.distinct_signed), (20 * 433, 433));
        // The same identifier with another label is another clip; each clip without an identifier counts as different.
        accuracy.count(labelled("clip-1", 2.0, conditions), None);
        accuracy.count(labelled("", 2.0, conditions), None);
        accuracy.count(labelled("", 2.0, conditions), None);
        assert_eq!(accuracy.snapshot(0).tallies[0].distinct_labelled, 653);
    }

    #[test]
    fn endless_different_conditions_take_bounded_room() {
        let mut accuracy = Accuracy::default();
        let many = TALLIES_KEPT as u64 + 100;
        for k in 0..many {
            let conditions =
                Conditions { kind: ChannelKind::Awgn as i32, snr_db: Some(k as f64 / 1e3), k_factor: None };
            let channel = Some(ChannelReport { conditions: Some(conditions), ..Default::default() });
            for _ in 0..1 + k % 2 {
                accuracy.count(Row { channel, ..Default::default() }, None);
            }
        }
        assert_eq!((accuracy.clips(), accuracy.tallies.len()), (many * 3 / 2, TALLIES_KEPT));
        let shown = accuracy.snapshot(0).tallies;
        assert!(shown.len() == TALLIES_SHOWN && shown.iter().all(|tally| tally.clips == 2));
    }
}
