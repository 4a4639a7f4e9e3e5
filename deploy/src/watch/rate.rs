//! Throughput over time, from counts seen now and then.

use std::collections::VecDeque;
use std::time::Instant;

/// Samples that are kept: as many as the widest terminal shows.
const KEPT: usize = 400;

/// Clips a second, one sample for each time it is asked.
#[derive(Debug, Default)]
pub struct Rate {
    /// The count at the last sample.
    base: Option<(u64, Instant)>,
    count: Option<u64>,
    samples: VecDeque<u64>,
}

impl Rate {
    /// The count is `clips` now.
    pub fn observe(&mut self, clips: u64, now: Instant) {
        self.count = Some(clips);
        self.base.get_or_insert((clips, now));
    }

    /// Nothing more is seen of the count; what it gains meanwhile is not to look like a burst.
    pub fn lost(&mut self) {
        (self.base, self.count) = (None, None);
    }

    /// Takes a sample of the time since the last one.
    pub fn sample(&mut self, now: Instant) {
        let rate = match (self.base, self.count) {
            (Some((base, since)), Some(count)) => {
                let seconds = now.saturating_duration_since(since).as_secs_f64().max(1e-3);
                self.base = Some((count, now));
                (count.saturating_sub(base) as f64 / seconds).round() as u64
            }
            _ => 0,
        };
        if self.samples.len() == KEPT {
            self.samples.pop_front();
        }
        self.samples.push_back(rate);
    }

    /// The latest sample.
    pub fn now(&self) -> u64 {
        self.samples.back().copied().unwrap_or(0)
    }

    /// The largest sample kept.
    pub fn peak(&self) -> u64 {
        self.samples.iter().copied().max().unwrap_or(0)
    }

    /// The `count` newest samples, oldest first.
    pub fn newest(&self, count: usize) -> impl Iterator<Item = u64> {
        self.samples.iter().skip(self.samples.len().saturating_sub(count)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn samples_are_clips_a_second_and_absence_is_no_burst() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        rate.sample(at(0));
        rate.observe(1000, at(1));
        rate.sample(at(2));
        rate.observe(1060, at(3));
        rate.sample(at(4));
        rate.lost();
        rate.sample(at(5));
        rate.observe(9000, at(6));
        rate.sample(at(7));
        rate.observe(10, at(8));
        rate.sample(at(9));
        assert_eq!(rate.newest(100).collect::<Vec<_>>(), [0, 0, 30, 0, 0, 0]);
        assert_eq!((rate.now(), rate.peak()), (0, 30));
        assert_eq!(rate.newest(4).collect::<Vec<_>>(), [30, 0, 0, 0]);
        (0..1000).for_each(|second| rate.sample(at(10 + second)));
        assert_eq!(rate.newest(usize::MAX).count(), KEPT);
    }
}
