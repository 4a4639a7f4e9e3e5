//! The newest rows: their channel conditions, which of their decisions were correct, and how long they took.

use super::{ClipKey, Met, Verdict};
use proto::v1::{Conditions, Row, Timings};
use std::collections::VecDeque;

/// A row of the journal, reduced to its conditions, verdict and time.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    met: Met,
    /// The verdict and the clip of a row with a label; `None` without a label.
    judged: Option<(Verdict, ClipKey)>,
    written_at_ms: u64,
}

/// The newest rows under any channel conditions.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    /// The newest rows, oldest first, at most [`Recent::ROWS`].
    arrivals: VecDeque<Arrival>,
}

/// The verdicts of some labelled rows, and the number of different clips among them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdicts {
    /// One verdict for each row, the newest first.
    pub verdicts: Vec<Verdict>,
    /// Number of different clips among the rows.
    pub clips: u64,
    /// Number of different clips among the rows with a label other than 0.
    pub signed_clips: u64,
}

/// Counts of the rows that arrived within some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// Number of rows under the requested channel conditions.
    pub here: u64,
    /// Number of rows under other conditions.
    pub others: u64,
    /// Number of the `here` rows with a label other than 0.
    pub signed: u64,
    /// Number of the `signed` rows whose sign was predicted correctly.
    pub sign_correct: u64,
}

impl Recent {
    /// Number of labelled rows under the same conditions that count as recent.
    pub const KEPT: usize = 200;
    /// Number of newest rows, under any conditions, that are kept and searched for recent ones.
    pub const ROWS: usize = 20_000;

    /// Adds the newest row; `verdict` is `None` for a row without a label.
    pub fn add(&mut self, row: &Row, verdict: Option<Verdict>) {
        let conditions = row.channel.as_ref().and_then(|channel| channel.conditions).unwrap_or_default();
        let judged = verdict.map(|verdict| (verdict, ClipKey::of(&row.clip_id, row.label.unwrap_or_default())));
        let arrival = Arrival { met: Met::from(&conditions), judged, written_at_ms: row.written_at_ms };
        push(&mut self.arrivals, arrival, Recent::ROWS);
    }

    /// The newest [`Recent::KEPT`] verdicts of rows whose channel conditions are exactly `conditions`, or of any rows
    /// if that is `None`.
    pub fn under(&self, conditions: Option<&Conditions>) -> Verdicts {
        let met = conditions.map(Met::from);
        let judged: Vec<(Verdict, ClipKey)> = self
            .arrivals
            .iter()
            .rev()
            .filter(|arrival| met.is_none_or(|met| met == arrival.met))
            .filter_map(|arrival| arrival.judged)
            .take(Recent::KEPT)
            .collect();
        let signed = judged.iter().filter(|(verdict, _)| verdict.sign_correct.is_some());
        Verdicts {
            clips: ClipKey::distinct(judged.iter().map(|(_, clip)| *clip)),
            signed_clips: ClipKey::distinct(signed.map(|(_, clip)| *clip)),
            verdicts: judged.into_iter().map(|(verdict, _)| verdict).collect(),
        }
    }

    /// Counts the `newest` rows, by whether their channel conditions are `conditions`; `None` counts all as `here`.
    pub fn newest(&self, newest: u64, conditions: Option<&Conditions>) -> Arrivals {
        let newest = usize::try_from(newest).unwrap_or(usize::MAX);
        self.count(self.arrivals.iter().rev().take(newest), conditions)
    }

    /// Counts the rows written at `since_ms` (milliseconds since 1970) or later, among the newest [`Recent::ROWS`], by
    /// whether their channel conditions are `conditions`; `None` counts all as `here`.
    pub fn since(&self, since_ms: u64, conditions: Option<&Conditions>) -> Arrivals {
        self.count(self.arrivals.iter().rev().take_while(|arrival| arrival.written_at_ms >= since_ms), conditions)
    }

    fn count<'a>(&self, arrivals: impl Iterator<Item = &'a Arrival>, conditions: Option<&Conditions>) -> Arrivals {
        let met = conditions.map(Met::from);
        let mut counts = Arrivals::default();
        for arrival in arrivals {
            if met.is_some_and(|met| met != arrival.met) {
                counts.others += 1;
                continue;
            }
            counts.here += 1;
            if let Some(sign_correct) = arrival.judged.and_then(|(verdict, _)| verdict.sign_correct) {
                counts.signed += 1;
                counts.sign_correct += u64::from(sign_correct);
            }
        }
        counts
    }
}

/// Microseconds that each of the newest rows spent in each process.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    /// The timings of the newest rows, oldest first, at most [`Latencies::KEPT`].
    timings: VecDeque<Timings>,
}

/// Quantiles of the time that rows spent in one process, by nearest rank, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Quantiles {
    /// The median, in microseconds.
    pub p50_us: u64,
    /// The 95th percentile, in microseconds.
    pub p95_us: u64,
    /// The 99th percentile, in microseconds.
    pub p99_us: u64,
}

impl Latencies {
    /// Number of newest rows that the quantiles are over.
    pub const KEPT: usize = 1000;

    /// Adds the timings of the newest row.
    pub fn add(&mut self, timings: Timings) {
        push(&mut self.timings, timings, Latencies::KEPT);
    }

    /// The quantiles of the process whose time `of` selects; `None` if there are no rows.
    pub fn quantiles(&self, of: impl Fn(&Timings) -> u64) -> Option<Quantiles> {
        let mut sorted: Vec<u64> = self.timings.iter().map(of).collect();
        sorted.sort_unstable();
        let rank = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).checked_sub(1)?).copied();
        Some(Quantiles { p50_us: rank(50)?, p95_us: rank(95)?, p99_us: rank(99)? })
    }
}

fn push<T>(ring: &mut VecDeque<T>, value: T, most: usize) {
    if ring.len() == most {
        ring.pop_front();
    }
    ring.push_back(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics::Prediction;
    use proto::v1::ChannelReport;

    fn at(snr_db: f64) -> Conditions {
        Conditions { kind: 3, snr_db: Some(snr_db), k_factor: None }
    }

    /// Adds a labelled row of `clip` at `snr_db` dB whose predicted sign is right or wrong.
    fn add(recent: &mut Recent, clip: &str, snr_db: f64, right: bool, written_at_ms: u64) {
        let channel = Some(ChannelReport { conditions: Some(at(snr_db)), ..ChannelReport::default() });
        let row = Row { clip_id: clip.into(), label: Some(1.0), channel, written_at_ms, ..Row::default() };
        let p_pos = if right { 0.9 } else { 0.1 };
        let prediction = Prediction { p_neg: 1.0 - p_pos, p_zero: 0.0, p_pos, classes: [0.0; 7], score: 0.0 };
        recent.add(&row, Some(Verdict::of(&prediction, 1.0)));
    }

    #[test]
    fn rows_under_other_conditions_are_told_and_not_mixed_in() {
        let mut recent = Recent::default();
        // Right on the good channel, wrong on the bad one; every clip twice.
        for n in 0..1000u64 {
            add(&mut recent, &format!("clip-{}", n % 50), if n % 4 == 0 { -20.0 } else { 9.0 }, n % 4 != 0, n);
        }
        let bad = recent.under(Some(&at(-20.0)));
        assert_eq!(bad.verdicts.len(), Recent::KEPT);
        assert!(bad.verdicts.iter().all(|verdict| verdict.sign_correct == Some(false)));
        // The indices 0, 4, 8, … modulo 50 are the even ones.
        assert_eq!((bad.clips, bad.signed_clips), (25, 25));
        assert_eq!(recent.under(Some(&at(3.0))), Verdicts::default());
        assert_eq!(recent.under(None).clips, 50);
        let arrivals = Arrivals { here: 25, others: 75, signed: 25, sign_correct: 0 };
        assert_eq!(recent.since(900, Some(&at(-20.0))), arrivals);
        assert_eq!(recent.newest(100, Some(&at(-20.0))), arrivals);
        let all = recent.newest(8, None);
        assert_eq!((all.here, all.others, all.sign_correct), (8, 0, 6));
        for n in 0..Recent::ROWS as u64 {
            add(&mut recent, "", 3.0, true, n);
        }
        assert_eq!((recent.arrivals.len(), recent.under(Some(&at(9.0))).verdicts.len()), (Recent::ROWS, 0));
    }

    #[test]
    fn quantiles_are_those_of_the_newest_rows() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.quantiles(|timings| timings.emulator_us), None);
        latencies.add(Timings { emulator_us: 7, ..Timings::default() });
        let one = Quantiles { p50_us: 7, p95_us: 7, p99_us: 7 };
        assert_eq!(latencies.quantiles(|timings| timings.emulator_us), Some(one));
        for us in (1..=5000).rev() {
            latencies.add(Timings { emulator_us: us, ..Timings::default() });
        }
        let last = Quantiles { p50_us: 500, p95_us: 950, p99_us: 990 };
        assert_eq!(latencies.quantiles(|timings| timings.emulator_us), Some(last));
        assert_eq!(latencies.timings.len(), Latencies::KEPT);
    }
}
