//! The live state that watchers get: made at most five times a second for all of them together, and serialised once.

use super::emulator::{Emulator, Seen};
use super::history::{History, now_ms};
use super::reference::{Reference, ReferenceView};
use super::sweep::Progress;
use super::view::{ArrivingView, ConditionsView, Point, RecentView, RowView};
use crate::accuracy::{Latencies, Quantiles};
use crate::journal::Live;
use crate::tap::{Constellation, Points, Tap};
use axum::body::Bytes;
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use wire::convert::conditions_to_wire;

/// Least time between two states.
const INTERVAL: Duration = Duration::from_millis(200);
/// Time between two states while only the rate changes.
const RATE_INTERVAL: Duration = Duration::from_millis(500);
/// Number of latest rows in a state.
const ROWS: usize = 20;
/// The time window of the rows that count as arriving.
const ARRIVING: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct State<'a> {
    now_ms: u64,
    model_id: &'a str,
    clips: u64,
    clips_per_s: f64,
    conditions: Option<ConditionsView>,
    emulator: &'static str,
    sweep: Option<&'a Progress>,
    curve: Vec<Point>,
    reference: &'a [ReferenceView],
    /// Metrics of the newest rows under `conditions`; of all newest rows if these are not known.
    recent: RecentView,
    arriving: ArrivingView,
    latency: Option<Latency>,
    latest: Vec<RowView>,
    constellation: Option<ConstellationView>,
}

#[derive(Serialize)]
struct Latency {
    transmitter: Quantiles,
    emulator: Quantiles,
    receiver: Quantiles,
}

impl Latency {
    fn of(latencies: &Latencies) -> Option<Self> {
        Some(Latency {
            transmitter: latencies.quantiles(|timings| timings.transmitter_us)?,
            emulator: latencies.quantiles(|timings| timings.emulator_us)?,
            receiver: latencies.quantiles(|timings| timings.receiver_us)?,
        })
    }
}

#[derive(Serialize)]
struct ConstellationView {
    received: Points,
    equalised: Points,
    conditions: ConditionsView,
}

impl From<Constellation> for ConstellationView {
    fn from(Constellation { received, equalised, conditions }: Constellation) -> Self {
        ConstellationView { received, equalised, conditions: conditions.into() }
    }
}

/// A serialised state. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    event: Bytes,
}

const BEFORE: &[u8] = b"event: state\ndata: ";
const AFTER: &[u8] = b"\n\n";

impl Frame {
    fn new(state: &State<'_>) -> Self {
        let mut event = BEFORE.to_vec();
        // `to_writer` writes JSON on one line, as an event needs; writing to memory does not fail.
        let _ = serde_json::to_writer(&mut event, state);
        event.extend_from_slice(AFTER);
        Frame { event: event.into() }
    }

    /// The state as a server-sent event named `state`.
    pub fn event(&self) -> Bytes {
        self.event.clone()
    }

    /// The state as JSON.
    pub fn json(&self) -> Bytes {
        self.event.slice(BEFORE.len()..self.event.len() - AFTER.len())
    }
}

/// Makes the states and sends them to all watchers.
pub struct States {
    model_id: String,
    live: Live,
    tap: Tap,
    history: History,
    emulator: Option<Arc<Emulator>>,
    sweep: watch::Receiver<Option<Progress>>,
    reference: Reference,
    frames: watch::Sender<Frame>,
    last: Mutex<Option<(Instant, Frame)>>,
    /// Notified when a watcher arrives.
    arrived: Notify,
}

impl States {
    /// Makes states of what the parts show, for the weights `model_id`. `symbols` is the number of complex symbols of a
    /// burst, 0 if it differs between clips.
    pub fn new(
        (model_id, symbols): (&str, usize),
        live: Live,
        tap: Tap,
        history: History,
        emulator: Option<Arc<Emulator>>,
        sweep: watch::Receiver<Option<Progress>>,
    ) -> Self {
        States {
            model_id: model_id.into(),
            live,
            tap,
            history,
            emulator,
            sweep,
            reference: Reference::new(symbols),
            frames: watch::Sender::default(),
            last: Mutex::default(),
            arrived: Notify::new(),
        }
    }

    /// The current state, or one that is at most 200 ms old.
    pub fn current(&self) -> Frame {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((made, frame)) if made.elapsed() < INTERVAL => frame.clone(),
            _ => {
                let frame = self.make().0;
                *last = Some((Instant::now(), frame.clone()));
                frame
            }
        }
    }

    /// The current state, and a receiver of all later ones.
    pub fn watch(&self) -> (Frame, watch::Receiver<Frame>) {
        let frames = self.frames.subscribe();
        let current = self.current();
        self.arrived.notify_one();
        (current, frames)
    }

    /// Makes a state whenever something has changed and somebody watches, without end.
    pub async fn run(&self) {
        let mut live = self.live.clone();
        let mut sweep = self.sweep.clone();
        let mut emulator = self.emulator.as_ref().map(|emulator| emulator.seen());
        loop {
            if self.frames.receiver_count() == 0 {
                self.arrived.notified().await;
            }
            let (made, moving) = self.publish();
            tokio::time::sleep_until((made + INTERVAL).into()).await;
            let seen = async {
                match &mut emulator {
                    // The sender lives as long as the emulator, so this is no error.
                    Some(seen) => drop(seen.changed().await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                open = live.changed() => if !open {
                    // The journal is closed: the process ends.
                    return std::future::pending().await;
                },
                _ = sweep.changed() => {}
                () = seen => {}
                () = self.arrived.notified() => {}
                () = tokio::time::sleep(RATE_INTERVAL), if moving => {}
            }
        }
    }

    /// Makes a new state and sends it to all watchers; returns when it was made, and whether the rate or the arriving
    /// rows will change without a new row.
    fn publish(&self) -> (Instant, bool) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (frame, moving) = self.make();
        let made = Instant::now();
        *last = Some((made, frame.clone()));
        self.frames.send_replace(frame);
        (made, moving)
    }

    fn make(&self) -> (Frame, bool) {
        let (emulator, conditions) = match self.emulator.as_ref().map(|emulator| *emulator.seen().borrow()) {
            None => ("absent", None),
            Some(Seen::Away) => ("away", None),
            Some(Seen::Here(conditions)) => ("ok", Some(conditions)),
        };
        let current = conditions.as_ref().map(conditions_to_wire);
        let now_ms = now_ms();
        let since_ms = now_ms.saturating_sub(ARRIVING.as_millis() as u64);
        // Work that takes time is done outside the lock, so that the journal's writer does not wait for it.
        let (snapshot, verdicts, arrivals, latencies) = self.live.read(|accuracy| {
            let recent = accuracy.recent();
            let (verdicts, arrivals) = (recent.under(current.as_ref()), recent.since(since_ms, current.as_ref()));
            (accuracy.snapshot(ROWS), verdicts, arrivals, accuracy.latencies().clone())
        });
        let sweep = self.sweep.borrow().clone();
        let clips_per_s = self.history.clips_per_s(snapshot.clips);
        let reference = self.reference.curves(&snapshot);
        let state = State {
            now_ms,
            model_id: &self.model_id,
            clips: snapshot.clips,
            clips_per_s,
            conditions: conditions.as_ref().map(ConditionsView::from),
            emulator,
            sweep: sweep.as_ref(),
            curve: snapshot.tallies.iter().map(Point::from).collect(),
            reference: &reference,
            recent: RecentView::from(&verdicts),
            arriving: ArrivingView { seconds: ARRIVING.as_secs(), here: arrivals.here, others: arrivals.others },
            latency: Latency::of(&latencies),
            latest: snapshot.latest.into_iter().map(RowView::from).collect(),
            constellation: self.tap.constellation().map(ConstellationView::from),
        };
        (Frame::new(&state), clips_per_s > 0.0 || arrivals.here + arrivals.others > 0)
    }
}
