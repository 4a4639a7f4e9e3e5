//! All that the screen shows, and what updates and keys do to it. No input or output.

use std::time::{Duration, Instant};

use metrics::Prediction;
use phy::Conditions;
use proto::v1::{Row, Snapshot};
use wire::convert;

use super::control::Control;
use super::feed::Update;
use super::input::Action;
use super::latency::{Spread, spreads};
use super::point::{Metric, Point};
use super::rate::Rate;
use super::text::clean;

/// Points that are shown: as many as a receiver sends.
const POINTS: usize = 500;
/// Clips that are listed.
const CLIPS: usize = 100;

/// A service that is watched.
#[derive(Debug)]
pub struct Peer {
    /// Where it is.
    pub url: String,
    /// How it is.
    pub state: PeerState,
}

/// How a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerState {
    /// It was not reached yet, and no try has failed.
    Connecting,
    /// It is connected.
    Live,
    /// It is disconnected, and tried again and again.
    Away {
        /// What went wrong last.
        reason: String,
        /// When it first did.
        since: Instant,
    },
}

impl Peer {
    fn new(url: String) -> Peer {
        Peer { url, state: PeerState::Connecting }
    }

    fn lost(&mut self, why: String, now: Instant) {
        let since = match &self.state {
            PeerState::Away { since, .. } => *since,
            _ => now,
        };
        self.state = PeerState::Away { reason: why, since };
    }

    /// A line that names the service which is waited for, since when and why; `None` while it is connected.
    pub fn waiting(&self, role: &str, now: Instant) -> Option<String> {
        match &self.state {
            PeerState::Connecting => Some(format!("connecting to the {role} at {}", self.url)),
            PeerState::Live => None,
            PeerState::Away { reason, since } => {
                let seconds = now.saturating_duration_since(*since).as_secs();
                Some(format!("waiting for the {role} at {} ({seconds} s): {reason}", self.url))
            }
        }
    }
}

/// One of the latest clips.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// What was said, or the clip's id.
    pub name: String,
    /// The label.
    pub truth: Option<f32>,
    /// The predicted score; `None` if the receiver sent none that can be one.
    pub score: Option<f32>,
    /// What it met.
    pub met: Option<Conditions>,
    /// Whether the sign was met; `None` where there is no sign to meet.
    pub right: Option<bool>,
}

impl Clip {
    fn of(row: &Row) -> Clip {
        let prediction: Option<Prediction> =
            row.prediction.as_ref().and_then(|wire| convert::prediction_from_wire(wire).ok());
        let truth = row.label.filter(|label| (-3.0..=3.0).contains(label));
        let signed = truth.filter(|label| *label != 0.0);
        let met = row.channel.as_ref().and_then(|report| report.conditions.as_ref());
        let caption = clean(&row.caption);
        Clip {
            name: if caption.is_empty() { clean(&row.clip_id) } else { caption },
            truth,
            score: prediction.as_ref().map(|p| p.score),
            met: met.and_then(|wire| convert::conditions_from_wire(wire).ok()),
            right: prediction.zip(signed).map(|(p, label)| p.is_pos() == (label > 0.0)),
        }
    }
}

/// A panel that keys can be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The curve.
    Chart,
    /// The points in numbers.
    Table,
    /// The latest clips.
    Clips,
}

/// How far a list is scrolled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scroll {
    /// The first line shown.
    pub first: usize,
    /// Lines shown at a time, as drawn last.
    pub page: usize,
}

impl Scroll {
    fn by(&mut self, lines: isize) {
        self.first = self.first.saturating_add_signed(lines);
    }

    /// Takes up that `page` of `lines` lines are shown, and goes no further than to the last page.
    pub fn fit(&mut self, lines: usize, page: usize) {
        self.page = page;
        self.first = self.first.min(lines.saturating_sub(page));
    }
}

/// All that the screen shows.
#[derive(Debug)]
pub struct Model {
    /// Where the numbers come from.
    pub receiver: Peer,
    /// Where the conditions come from, if it was named.
    pub emulator: Option<Peer>,
    /// Rows in the receiver's journal.
    pub clips: u64,
    /// By kind, K and SNR.
    pub points: Vec<Point>,
    /// Tallies that make no sense.
    pub dropped: usize,
    /// Newest first.
    pub latest: Vec<Clip>,
    /// Of the latest rows, for each hop.
    pub latency: Option<[Spread; 3]>,
    /// Clips a second.
    pub rate: Rate,
    /// The channel's conditions.
    pub control: Control,
    /// What the curve shows.
    pub metric: Metric,
    /// The panel that keys are for.
    pub focus: Focus,
    /// Whether there is room for one panel alone, as drawn last.
    pub compact: bool,
    /// Of the table.
    pub table: Scroll,
    /// Of the clips.
    pub list: Scroll,
    /// Whether the keys are explained.
    pub help: bool,
    /// What became of the last key, if it needs words, and since when.
    note: Option<(String, Instant)>,
}

impl Model {
    /// Nothing heard yet.
    pub fn new(receiver: String, emulator: Option<String>) -> Model {
        Model {
            receiver: Peer::new(receiver),
            emulator: emulator.map(Peer::new),
            clips: 0,
            points: Vec::new(),
            dropped: 0,
            latest: Vec::new(),
            latency: None,
            rate: Rate::default(),
            control: Control::new(),
            metric: Metric::Acc2Pos,
            focus: Focus::Chart,
            compact: false,
            table: Scroll::default(),
            list: Scroll::default(),
            help: false,
            note: None,
        }
    }

    /// Takes up what was heard.
    pub fn update(&mut self, update: Update, now: Instant) {
        match update {
            Update::Snapshot(snapshot) => self.snapshot(&snapshot, now),
            Update::ReceiverAway(reason) => {
                self.rate.lost();
                self.receiver.lost(reason, now);
            }
            Update::Conditions(conditions) => {
                self.control.heard(conditions);
                if let Some(emulator) = &mut self.emulator {
                    emulator.state = PeerState::Live;
                }
            }
            Update::EmulatorAway(reason) => {
                self.control.lost();
                if let Some(emulator) = &mut self.emulator {
                    emulator.lost(reason, now);
                }
            }
            Update::Answered(Ok(conditions)) => {
                self.control.heard(conditions);
                self.control.answered();
            }
            Update::Answered(Err(reason)) => {
                self.control.answered();
                self.note = Some((format!("the channel is not changed: {reason}"), now));
            }
        }
    }

    fn snapshot(&mut self, snapshot: &Snapshot, now: Instant) {
        self.receiver.state = PeerState::Live;
        self.clips = snapshot.clips;
        self.rate.observe(snapshot.clips, now);
        let tallies = snapshot.tallies.iter().take(POINTS);
        self.points = tallies.clone().filter_map(Point::of).collect();
        self.dropped = tallies.len() - self.points.len();
        let latest = &snapshot.latest[..snapshot.latest.len().min(CLIPS)];
        self.latest = latest.iter().map(Clip::of).collect();
        self.latency = spreads(latest);
    }

    /// Does what a key asks for. `false`: it asks for the end.
    pub fn act(&mut self, action: Action, now: Instant) -> bool {
        if self.help && action != Action::Quit {
            // Any key puts the explanation away.
            self.help = false;
            return true;
        }
        match action {
            Action::Quit | Action::Back => return false,
            Action::Help => self.help = true,
            Action::Metric => self.metric = self.metric.next(),
            Action::Panel => {
                self.focus = match (self.focus, self.compact) {
                    (Focus::Chart, true) | (Focus::Clips, false) => Focus::Table,
                    (Focus::Clips, true) => Focus::Chart,
                    (Focus::Table, _) | (Focus::Chart, false) => Focus::Clips,
                }
            }
            Action::Lines(lines) => self.scroll().by(lines),
            Action::Pages(pages) => {
                let page = self.scroll().page.max(1) as isize;
                self.scroll().by(pages.saturating_mul(page));
            }
            Action::Top => self.scroll().first = 0,
            Action::Bottom => self.scroll().first = usize::MAX,
            Action::Turn(by_db) => self.change(|control| control.turn(by_db, now), now),
            Action::Channel => self.change(|control| control.next_channel(now), now),
            Action::Other => {}
        }
        true
    }

    fn scroll(&mut self) -> &mut Scroll {
        match self.focus {
            Focus::Clips => &mut self.list,
            Focus::Chart | Focus::Table => &mut self.table,
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Control) -> Result<(), &'static str>, now: Instant) {
        let changed = match &self.emulator {
            None => Err("to change the channel, start with --emulator URL"),
            Some(_) => change(&mut self.control),
        };
        self.note = changed.err().map(|why| (why.to_owned(), now));
    }

    /// What became of the last key, for a few seconds.
    pub fn note(&self, now: Instant) -> Option<&str> {
        const SHOWN: Duration = Duration::from_secs(6);
        self.note.as_ref().filter(|(_, since)| now.saturating_duration_since(*since) < SHOWN).map(|(note, _)| &note[..])
    }

    /// The channel conditions of the newest clip; `None` before the first one.
    pub fn met(&self) -> Option<&Conditions> {
        self.latest.first()?.met.as_ref()
    }

    /// The current conditions of the emulator; without an emulator to ask, those of the newest clip.
    pub fn present(&self) -> Option<&Conditions> {
        match self.emulator {
            Some(_) => self.control.in_force(),
            None => self.met(),
        }
    }
}
