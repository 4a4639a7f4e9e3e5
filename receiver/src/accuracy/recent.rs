//! The newest rows in numbers: how right they were and how long they took.

use super::Verdict;
use proto::v1::Timings;
use std::collections::VecDeque;

/// What the newest labelled rows were right about.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    /// Oldest first, at most [`Recent::KEPT`].
    verdicts: VecDeque<Verdict>,
}

impl Recent {
    /// How many labelled rows count as recent.
    pub const KEPT: usize = 200;

    /// Takes up the newest one.
    pub fn add(&mut self, verdict: Verdict) {
        push(&mut self.verdicts, verdict, Recent::KEPT);
    }

    /// The verdicts, oldest first.
    pub fn verdicts(&self) -> impl ExactSizeIterator<Item = &Verdict> {
        self.verdicts.iter()
    }
}

/// Microseconds that the newest rows spent in each process.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    /// Oldest first, at most [`Latencies::KEPT`].
    timings: VecDeque<Timings>,
}

/// Of one process, by nearest rank, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Quantiles {
    /// The median.
    pub p50_us: u64,
    /// What 95 of 100 keep within.
    pub p95_us: u64,
    /// What 99 of 100 keep within.
    pub p99_us: u64,
}

impl Latencies {
    /// How many rows count.
    pub const KEPT: usize = 1000;

    /// Takes up the newest one.
    pub fn add(&mut self, timings: Timings) {
        push(&mut self.timings, timings, Latencies::KEPT);
    }

    /// Of one of the processes; `None` of no row.
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
