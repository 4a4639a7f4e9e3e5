//! The history of the last ten minutes, one point a second, and the current rate of clips per second.

use super::emulator::{Emulator, Seen};
use crate::accuracy::{Accuracy, Arrivals};
use crate::journal::Live;
use phy::Conditions;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::time::MissedTickBehavior;
use wire::convert::conditions_to_wire;

/// Number of points that are kept.
const POINTS: usize = 600;
/// Time between two points.
const SECOND: Duration = Duration::from_secs(1);
/// Time between two readings of the counts.
const TICK: Duration = Duration::from_millis(250);
/// The time window of the current rate.
const RATE_WINDOW: Duration = Duration::from_secs(2);

/// A point of the history: counts and conditions of one second.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HistoryPoint {
    /// The end of the second, in milliseconds since 1970.
    t_ms: u64,
    /// Number of rows written in the second.
    clips: u64,
    clips_per_s: f64,
    /// Number of these rows under the conditions that were current at the end of the second; all rows if these were not
    /// known.
    here: u64,
    /// Acc-2 Non0 (`pos`) of the `here` rows; `None` if none of them has a label other than 0.
    acc2_pos: Option<f64>,
    /// SNR in dB of the emulator's live conditions at the end of the second; `None` if not known or noiseless.
    snr_db: Option<f64>,
    kind: Option<&'static str>,
    k_factor: Option<f64>,
}

/// The history: collects its points and keeps the last ten minutes. Cheap to clone.
#[derive(Clone)]
pub struct History {
    live: Live,
    emulator: Option<Arc<Emulator>>,
    kept: Arc<Mutex<Kept>>,
}

struct Kept {
    points: VecDeque<HistoryPoint>,
    /// Total number of rows at each reading over the last [`RATE_WINDOW`].
    counts: VecDeque<(Instant, u64)>,
}

/// The current time in milliseconds since 1970.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

impl History {
    /// An empty history of the rows that `live` counts and the live conditions of `emulator`.
    pub fn new(live: Live, emulator: Option<Arc<Emulator>>) -> Self {
        let counts = VecDeque::from([(Instant::now(), live.read(Accuracy::clips))]);
        History { live, emulator, kept: Arc::new(Mutex::new(Kept { points: VecDeque::new(), counts })) }
    }

    /// Adds a point every second, without end.
    pub async fn run(&self) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut since = Instant::now();
        let mut seen = self.live.read(Accuracy::clips);
        let mut second = Second::default();
        loop {
            ticks.tick().await;
            let (now, current) = (Instant::now(), self.current());
            let wire = current.as_ref().map(conditions_to_wire);
            let (clips, arrived) = self.live.read(|accuracy| {
                let clips = accuracy.clips();
                (clips, accuracy.recent().newest(clips - seen, wire.as_ref()))
            });
            second.add(current, clips - seen, arrived);
            seen = clips;
            let mut kept = self.lock();
            kept.count(now, clips);
            let elapsed = now - since;
            // A tick may come slightly early.
            if elapsed + TICK / 2 < SECOND {
                continue;
            }
            let point = std::mem::take(&mut second).point(elapsed);
            if kept.points.len() == POINTS {
                kept.points.pop_front();
            }
            kept.points.push_back(point);
            since = now;
        }
    }

    /// The emulator's live conditions; `None` if there is no emulator or it does not answer.
    fn current(&self) -> Option<Conditions> {
        match self.emulator.as_ref().map(|emulator| *emulator.seen().borrow()) {
            Some(Seen::Here(conditions)) => Some(conditions),
            Some(Seen::Away) | None => None,
        }
    }

    /// The points of the last ten minutes, oldest first.
    pub fn points(&self) -> Vec<HistoryPoint> {
        self.lock().points.iter().cloned().collect()
    }

    /// Clips per second over the last two seconds, given that there are `clips` rows in total now.
    pub fn clips_per_s(&self, clips: u64) -> f64 {
        let kept = self.lock();
        let Some((then, before)) = kept.counts.front() else { return 0.0 };
        // Shortly after the start the rate is taken over a full second.
        clips.saturating_sub(*before) as f64 / then.elapsed().max(SECOND).as_secs_f64()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The counts of the second that is in progress.
#[derive(Clone, Copy, Debug, Default)]
struct Second {
    clips: u64,
    current: Option<Conditions>,
    arrived: Arrivals,
}

impl Second {
    /// Adds the rows that arrived while the live conditions were `current`. If these have changed, the rows added
    /// before were under other conditions and no longer count as `here`.
    fn add(&mut self, current: Option<Conditions>, clips: u64, arrived: Arrivals) {
        if self.current != current {
            *self = Second { current, clips: self.clips, arrived: Arrivals::default() };
        }
        self.clips += clips;
        self.arrived.here += arrived.here;
        self.arrived.signed += arrived.signed;
        self.arrived.sign_correct += arrived.sign_correct;
    }

    fn point(self, elapsed: Duration) -> HistoryPoint {
        let Second { clips, current, arrived } = self;
        HistoryPoint {
            t_ms: now_ms(),
            clips,
            clips_per_s: clips as f64 / elapsed.as_secs_f64(),
            here: arrived.here,
            acc2_pos: (arrived.signed > 0).then(|| arrived.sign_correct as f64 / arrived.signed as f64),
            snr_db: current.and_then(|conditions| Some(conditions.snr_db()?.db())),
            kind: current.map(|conditions| conditions.kind().name()),
            k_factor: current.and_then(|conditions| conditions.k_factor()),
        }
    }
}

impl Kept {
    fn count(&mut self, now: Instant, clips: u64) {
        self.counts.push_back((now, clips));
        // The oldest reading kept lies at the window's edge or just before it.
        while self.counts.get(1).is_some_and(|(then, _)| now - *then >= RATE_WINDOW) {
            self.counts.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_counts_what_met_the_conditions_at_its_end() {
        let at = |db: f64| Some(Conditions::Rayleigh(phy::SnrDb::try_from(db).unwrap()));
        let arrived = |here, sign_correct| Arrivals { here, others: 5, signed: here, sign_correct };
        let mut second = Second::default();
        second.add(at(9.0), 15, arrived(10, 9));
        second.add(at(-20.0), 25, arrived(20, 10));
        second.add(at(-20.0), 15, arrived(10, 5));
        let point = second.point(SECOND);
        assert_eq!((point.clips, point.here, point.acc2_pos, point.snr_db), (55, 30, Some(0.5), Some(-20.0)));
    }

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
