//! The last ten minutes, one point a second, and how many clips a second there are now.

use super::emulator::{Emulator, Seen};
use crate::accuracy::{Accuracy, Counted};
use crate::journal::Live;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::time::MissedTickBehavior;

/// Points that are kept.
const POINTS: usize = 600;
/// Between two points.
const SECOND: Duration = Duration::from_secs(1);
/// Between two looks at the counts.
const TICK: Duration = Duration::from_millis(250);
/// What "now" means of a rate.
const RATE_WINDOW: Duration = Duration::from_secs(2);

/// The rows of one second.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HistoryPoint {
    /// The end of the second, in milliseconds since 1970.
    t_ms: u64,
    /// Rows written in it.
    clips: u64,
    clips_per_s: f64,
    /// Acc-2 "pos" of those rows that have a label other than 0.
    acc2_pos: Option<f64>,
    /// Of the emulator's live conditions at its end.
    snr_db: Option<f64>,
    kind: Option<&'static str>,
}

/// Keeps the points. Cheap to clone.
#[derive(Clone)]
pub struct History {
    live: Live,
    emulator: Option<Arc<Emulator>>,
    kept: Arc<Mutex<Kept>>,
}

struct Kept {
    points: VecDeque<HistoryPoint>,
    /// When there were how many rows, over the last [`RATE_WINDOW`].
    counts: VecDeque<(Instant, u64)>,
}

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

impl History {
    /// Of the rows that `live` counts and the conditions of `emulator`.
    pub fn new(live: Live, emulator: Option<Arc<Emulator>>) -> Self {
        let counts = VecDeque::from([(Instant::now(), live.read(Accuracy::clips))]);
        History { live, emulator, kept: Arc::new(Mutex::new(Kept { points: VecDeque::new(), counts })) }
    }

    /// Adds points for good.
    pub async fn run(&self) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut since = Instant::now();
        let mut before = self.live.read(Accuracy::counted);
        loop {
            ticks.tick().await;
            let (now, counted) = (Instant::now(), self.live.read(Accuracy::counted));
            let mut kept = self.lock();
            kept.count(now, counted.clips);
            let elapsed = now - since;
            // A tick may come a little early.
            if elapsed + TICK / 2 < SECOND {
                continue;
            }
            let point = self.point(before, counted, elapsed);
            if kept.points.len() == POINTS {
                kept.points.pop_front();
            }
            kept.points.push_back(point);
            (since, before) = (now, counted);
        }
    }

    fn point(&self, before: Counted, counted: Counted, elapsed: Duration) -> HistoryPoint {
        let seen = self.emulator.as_ref().map_or(Seen::Away, |emulator| *emulator.seen().borrow());
        let conditions = match seen {
            Seen::Here(conditions) => Some(conditions),
            Seen::Away => None,
        };
        let clips = counted.clips - before.clips;
        let signed = counted.signed - before.signed;
        HistoryPoint {
            t_ms: now_ms(),
            clips,
            clips_per_s: clips as f64 / elapsed.as_secs_f64(),
            acc2_pos: (signed > 0).then(|| (counted.sign_correct - before.sign_correct) as f64 / signed as f64),
            snr_db: conditions.and_then(|conditions| Some(conditions.snr_db()?.db())),
            kind: conditions.map(|conditions| conditions.kind().name()),
        }
    }

    /// The points, oldest first.
    pub fn points(&self) -> Vec<HistoryPoint> {
        self.lock().points.iter().cloned().collect()
    }

    /// Clips a second over the last two seconds, when there are `clips` in all.
    pub fn clips_per_s(&self, clips: u64) -> f64 {
        let kept = self.lock();
        let Some((then, before)) = kept.counts.front() else { return 0.0 };
        // The first moments make no rate yet.
        clips.saturating_sub(*before) as f64 / then.elapsed().max(SECOND).as_secs_f64()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn count(&mut self, now: Instant, clips: u64) {
        self.counts.push_back((now, clips));
        // The oldest that is kept lies at the window's edge or just before it.
        while self.counts.get(1).is_some_and(|(then, _)| now - *then >= RATE_WINDOW) {
            self.counts.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_two_seconds() {
        let began = Instant::now();
        let mut kept = Kept { points: VecDeque::new(), counts: VecDeque::from([(began, 7)]) };
        for tick in 1..=100 {
            kept.count(began + TICK * tick, 7 + 5 * u64::from(tick));
        }
        assert_eq!(kept.counts.len(), 9);
        assert_eq!(kept.counts[0], (began + TICK * 92, 7 + 5 * 92));
    }
}
