//! A sweep: sets one live condition after the other, each until enough rows have arrived under it.
//!
//! The clips come from any client that sends without pinned conditions. If somebody else changes the conditions during
//! a sweep, the sweep ends and leaves the new ones; if it ends otherwise, it restores the conditions that it found.

use super::emulator::{Emulator, Seen};
use super::problem::Problem;
use super::view::ConditionsView;
use crate::journal::Live;
use axum::http::StatusCode;
use phy::{ChannelList, Conditions, SnrList};
use runtime::Drain;
use runtime::backoff::Backoff;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use wire::convert::conditions_to_wire;

/// Time between two readings of the counts.
const TICK: Duration = Duration::from_millis(50);
/// Time without a new row after which the sweep reports that it waits.
const PATIENCE: Duration = Duration::from_secs(3);
/// Time after which conditions that were set but are still not seen at the emulator count as changed by somebody else.
const SETTLING: Duration = Duration::from_secs(10);
/// How long restoring the previous conditions may be retried.
const RESTORING: Duration = Duration::from_secs(5);
/// Maximum number of rows that may be requested for one point.
const MOST_CLIPS: u64 = 1_000_000;

/// A request for a sweep: channels, SNRs, and the number of rows for each point.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    #[serde(default = "channels")]
    channels: Vec<String>,
    #[serde(default = "snr")]
    snr: String,
    #[serde(default = "clips")]
    clips: u64,
}

fn channels() -> Vec<String> {
    ["awgn", "rayleigh"].map(str::to_owned).to_vec()
}

fn snr() -> String {
    "-12:21:3".to_owned()
}

fn clips() -> u64 {
    200
}

impl Plan {
    /// The channel conditions that the sweep visits, in order.
    fn points(&self) -> Result<Vec<Conditions>, Problem> {
        let bad = |problem: String| Problem::bad(format!("This makes no sweep: {problem}."));
        if !(1..=MOST_CLIPS).contains(&self.clips) {
            return Err(bad(format!("expected 1 to {MOST_CLIPS} clips a point, got {}", self.clips)));
        }
        let channels: ChannelList = self.channels.join(",").parse().map_err(|error| bad(format!("{error}")))?;
        let snrs: SnrList = self.snr.parse().map_err(|error| bad(format!("{error}")))?;
        Ok(phy::sweep(&channels, &snrs))
    }
}

/// The progress of a sweep at its current point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Progress {
    running: bool,
    /// Number of the current point, from 1.
    point: usize,
    points: usize,
    conditions: ConditionsView,
    clips: u64,
    wanted: u64,
    waiting: bool,
}

impl Progress {
    fn at(plan: &[Conditions], index: usize, wanted: u64) -> Self {
        let conditions = ConditionsView::from(&plan[index]);
        Progress { running: true, point: index + 1, points: plan.len(), conditions, clips: 0, wanted, waiting: false }
    }
}

/// Starts and stops sweeps; at most one runs at a time.
pub struct Sweeps {
    emulator: Option<Arc<Emulator>>,
    live: Live,
    drain: Drain,
    progress: Arc<watch::Sender<Option<Progress>>>,
    running: Mutex<Option<Running>>,
}

struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Sweeps {
    /// Sweeps over the live conditions of `emulator`, which count the rows of `live`. Without an emulator none can be
    /// started.
    pub fn new(emulator: Option<Arc<Emulator>>, live: Live, drain: Drain) -> Self {
        Sweeps { emulator, live, drain, progress: Arc::default(), running: Mutex::default() }
    }

    /// The progress of the running sweep, now and at every change; `None` while none runs.
    pub fn progress(&self) -> watch::Receiver<Option<Progress>> {
        self.progress.subscribe()
    }

    /// Starts a sweep and returns its initial progress.
    ///
    /// # Errors
    /// Fails if the plan is not valid, a sweep runs already, or there is no emulator that answers.
    pub async fn start(&self, plan: &Plan) -> Result<Progress, Problem> {
        let points = plan.points()?;
        let emulator = self.emulator.clone().ok_or_else(no_emulator)?;
        let mut running = self.running.lock().await;
        if running.as_ref().is_some_and(|running| !running.task.is_finished()) {
            return Err(Problem::new(StatusCode::CONFLICT, "A sweep is running."));
        }
        let former = emulator.get().await?;
        let first = Progress::at(&points, 0, plan.clips);
        self.progress.send_replace(Some(first.clone()));
        let (stop, stopped) = watch::channel(false);
        let visit = Visit {
            seen: emulator.seen(),
            emulator,
            live: self.live.clone(),
            progress: self.progress.clone(),
            stopped,
            drain: self.drain.clone(),
        };
        let task = tokio::spawn(visit.run(points, plan.clips, former));
        *running = Some(Running { stop, task });
        Ok(first)
    }

    /// Stops the running sweep, if any, and returns when the previous conditions are restored.
    pub async fn stop(&self) {
        if let Some(Running { stop, task }) = self.running.lock().await.take() {
            stop.send_replace(true);
            // An error is a panic, which has been reported.
            let _ = task.await;
            self.progress.send_replace(None);
        }
    }
}

/// The answer of a dashboard without an emulator to requests that need one.
pub fn no_emulator() -> Problem {
    Problem::unavailable("This receiver knows no channel emulator; start it with --emulator URL.")
}

/// How the visit of one point ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Enough,
    Stopped,
    /// Somebody else changed the live conditions during the visit.
    TakenOver,
}

/// The task of a running sweep.
struct Visit {
    emulator: Arc<Emulator>,
    seen: watch::Receiver<Seen>,
    live: Live,
    progress: Arc<watch::Sender<Option<Progress>>>,
    stopped: watch::Receiver<bool>,
    drain: Drain,
}

impl Visit {
    async fn run(mut self, points: Vec<Conditions>, wanted: u64, former: Conditions) {
        let mut before = former;
        let mut end = End::Enough;
        for (index, point) in points.iter().enumerate() {
            end = self.visit(before, *point, Progress::at(&points, index, wanted)).await;
            if end != End::Enough {
                break;
            }
            before = *point;
        }
        match end {
            End::TakenOver => tracing::info!("the sweep ended: the conditions were changed by somebody else"),
            End::Enough | End::Stopped => self.restore(&former).await,
        }
        self.progress.send_replace(None);
    }

    /// Sets the conditions `point` and stays there until enough rows have arrived. `before` are the conditions that
    /// were current until now.
    async fn visit(&mut self, mut before: Conditions, point: Conditions, mut progress: Progress) -> End {
        let wire = conditions_to_wire(&point);
        let first = self.live.read(|accuracy| accuracy.clips_under(&wire));
        let mut moved = Instant::now();
        loop {
            // Set again after the emulator was away: it may have come back with other conditions.
            if !self.put(&point).await {
                return End::Stopped;
            }
            let put = Instant::now();
            let mut settled = false;
            loop {
                let seen = *self.seen.borrow();
                match seen {
                    Seen::Here(conditions) if conditions == point => settled = true,
                    Seen::Here(conditions) if !settled && conditions == before && put.elapsed() < SETTLING => {}
                    Seen::Here(_) => return End::TakenOver,
                    Seen::Away => {}
                }
                let clips = self.live.read(|accuracy| accuracy.clips_under(&wire)) - first;
                if clips != progress.clips {
                    moved = Instant::now();
                }
                (progress.clips, progress.waiting) = (clips, moved.elapsed() >= PATIENCE);
                self.show(&progress);
                if clips >= progress.wanted {
                    return End::Enough;
                }
                if !self.pause(TICK).await {
                    return End::Stopped;
                }
                if seen == Seen::Away
                    && let Seen::Here(conditions) = *self.seen.borrow()
                {
                    before = conditions;
                    break;
                }
            }
        }
    }

    /// Sets the live conditions, and retries while the emulator is away; returns `false` if the sweep is to stop.
    async fn put(&self, conditions: &Conditions) -> bool {
        let mut backoff = Backoff::default();
        while let Err(problem) = self.emulator.set(conditions).await {
            tracing::debug!(error = problem.error, "the sweep waits");
            if !self.pause(backoff.next_delay()).await {
                return false;
            }
        }
        true
    }

    /// Restores the conditions `former`; gives up after [`RESTORING`].
    async fn restore(&self, former: &Conditions) {
        let began = Instant::now();
        let mut backoff = Backoff::default();
        while let Err(problem) = self.emulator.set(former).await {
            if began.elapsed() > RESTORING {
                tracing::warn!(%former, error = problem.error, "the sweep could not put the conditions back");
                return;
            }
            sleep(backoff.next_delay()).await;
        }
    }

    /// Waits for `duration`; returns `false` at once if the sweep is to stop.
    async fn pause(&self, duration: Duration) -> bool {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            () = sleep(duration) => true,
            // An error means that nobody can stop it any more; the process ends.
            _ = stopped.wait_for(|stopped| *stopped) => false,
            () = self.drain.started() => false,
        }
    }

    fn show(&self, progress: &Progress) {
        self.progress.send_if_modified(|shown| {
            let news = shown.as_ref() != Some(progress);
            if news {
                *shown = Some(progress.clone());
            }
            news
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_checked() {
        let points = |json: &str| serde_json::from_str::<Plan>(json).unwrap().points();
        let default = points("{}").unwrap();
        assert_eq!(
            (default.len(), default[0].to_string(), default[23].to_string()),
            (24, "awgn -12 dB".into(), "rayleigh 21 dB".into())
        );
        assert_eq!(points(r#"{"channels":["none","rician:4"],"snr":"0,3"}"#).unwrap().len(), 3);
        let sentence = |json: &str| points(json).unwrap_err().error;
        assert!(sentence(r#"{"channels":[]}"#).contains("unknown channel ``"));
        assert!(sentence(r#"{"channels":["rician"]}"#).contains("K factor"));
        assert!(sentence(r#"{"snr":"1:0:1"}"#).contains("stops below its start"));
        assert!(sentence(r#"{"clips":0}"#).contains("got 0"));
        assert!(serde_json::from_str::<Plan>(r#"{"clips":-1}"#).is_err());
        assert!(serde_json::from_str::<Plan>(r#"{"points":1}"#).is_err());
    }
}
