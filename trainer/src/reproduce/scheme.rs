//! A scheme of the grid with its cells, and what is computed from them over the training seeds.

use super::cell::Cell;
use super::entries::{Entry, REALS, Role, named};
use super::plan::Plan;
use crate::metric::{Difference, Level, Metric};
use anyhow::Result;
use metrics::{Record, Spread};
use plot::{Colour, Marker, Pattern, Point};

/// A scheme of the grid with the cells of all its training seeds.
pub struct Scheme<'a> {
    /// The entry of the grid.
    pub entry: Entry,
    /// The entry's cells, in the order of the seeds.
    pub cells: Vec<&'a Cell>,
}

/// How figures draw a scheme.
pub struct Look {
    /// Colour of the scheme; variations of one system share it.
    pub colour: Colour,
    /// Pattern of the scheme's lines.
    pub pattern: Pattern,
    /// Marker of the scheme's points.
    pub marker: Marker,
}

impl<'a> Scheme<'a> {
    /// The schemes of a plan with their cells, in the plan's order: those of Table I are last.
    ///
    /// # Errors
    /// If the plan has an entry that this program does not know.
    pub fn all(plan: &Plan, cells: &'a [Cell]) -> Result<Vec<Self>> {
        let of = |name: &String| -> Result<Scheme<'a>> {
            Ok(Scheme { entry: named(name)?, cells: cells.iter().filter(|cell| cell.entry == *name).collect() })
        };
        plan.entries.iter().map(of).collect()
    }

    /// Mean and standard deviation over the seeds of the value `of` at one point; `None` if a seed lacks the point or
    /// the value.
    pub fn at(&self, channel: &str, snr_db: Option<f64>, of: fn(&Record) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.values(channel, snr_db, of))
    }

    /// The value `of` of each seed at one point, in the order of the seeds; `None` where the point was not scored or
    /// the value is undefined.
    pub fn values(
        &self,
        channel: &str,
        snr_db: Option<f64>,
        of: fn(&Record) -> Option<f64>,
    ) -> impl Iterator<Item = Option<f64>> {
        let found =
            move |cell: &&Cell| cell.records.iter().find(|r| r.channel == channel && r.snr_db == snr_db).and_then(of);
        self.cells.iter().map(found)
    }

    /// The records of one point, one for each seed that was scored there.
    pub fn records(&self, channel: &str, snr_db: Option<f64>) -> Vec<&'a Record> {
        let found = |cell: &&'a Cell| cell.records.iter().find(|r| r.channel == channel && r.snr_db == snr_db);
        self.cells.iter().filter_map(found).collect()
    }

    /// A metric at one point: mean and standard deviation over the seeds, or with one seed its interval over clips.
    /// `None` if the point was not scored or the metric is undefined.
    pub fn level(&self, channel: &str, snr_db: Option<f64>, metric: &Metric) -> Option<Level> {
        Level::of(&self.records(channel, snr_db), metric)
    }

    /// This scheme less `other` in a metric at one point, paired by seed; `None` if there is no pair or the metric is
    /// undefined.
    pub fn ahead_of(&self, other: &Scheme, channel: &str, snr_db: Option<f64>, metric: &Metric) -> Option<Difference> {
        let (mine, theirs) = (self.records(channel, snr_db), other.records(channel, snr_db));
        Difference::of(&mine.into_iter().zip(theirs).collect::<Vec<_>>(), metric)
    }

    /// Complex channel uses of a clip; for a scheme that spends a different number at each point, the least of them.
    pub fn uses(&self) -> usize {
        let traffic = self.cells.first().map_or(&[][..], |cell| &cell.traffic);
        if let Some(least) = traffic.iter().map(|point| point.uses).min_by(f64::total_cmp) {
            return least.round() as usize;
        }
        self.cells.first().map_or(0, |cell| cell.scored.config.network.reals / 2)
    }

    /// Complex channel uses of a clip at one point, the mean over seeds and clips.
    pub fn uses_at(&self, channel: &str, snr_db: f64) -> f64 {
        let there = |cell: &&Cell| {
            let point = cell.traffic.iter().find(|point| point.channel == channel && point.snr_db == Some(snr_db));
            point.map(|point| point.uses)
        };
        let spent: Vec<f64> = self.cells.iter().filter_map(there).collect();
        if spent.is_empty() { self.uses() as f64 } else { spent.iter().sum::<f64>() / spent.len() as f64 }
    }

    /// Whether the number of channel uses depends on channel and SNR.
    pub fn uses_vary(&self) -> bool {
        self.cells.first().is_some_and(|cell| !cell.traffic.is_empty())
    }

    /// The SNRs in dB that were scored over a channel, in the order of the records.
    pub fn snrs(&self, channel: &str) -> Vec<f64> {
        let records = self.cells.first().map_or(&[][..], |cell| &cell.records);
        records.iter().filter(|r| r.channel == channel).filter_map(|r| r.snr_db).collect()
    }

    /// Colour, line pattern and marker that figures draw the scheme with.
    pub fn look(&self) -> Look {
        let (colour, pattern, marker) = match self.entry.name {
            "proposed-l1" => (0, Pattern::Dashed, Marker::Triangle),
            "proposed-watching" => (0, Pattern::Dotted, Marker::Diamond),
            "t-deepsc" => (1, Pattern::Solid, Marker::Square),
            "t-deepsc-mse" => (1, Pattern::Dashed, Marker::Triangle),
            "t-deepsc-published" => (1, Pattern::Dotted, Marker::Diamond),
            "sign-repetition" => (2, Pattern::Solid, Marker::Triangle),
            "class-repetition" => (3, Pattern::Solid, Marker::Diamond),
            "quantised-latent" => (4, Pattern::Solid, Marker::Circle),
            "conventional" => (5, Pattern::Solid, Marker::Square),
            "conventional-diverse" => (5, Pattern::Dashed, Marker::Triangle),
            _ if self.entry.name == "proposed" || self.entry.role == Role::Dimension => {
                (0, Pattern::Solid, Marker::Circle)
            }
            _ => (6, Pattern::Solid, Marker::Square),
        };
        Look { colour: Colour::nth(colour), pattern, marker }
    }
}

/// The scheme with the entry of this name.
pub fn find<'s, 'a>(schemes: &'s [Scheme<'a>], name: &str) -> Option<&'s Scheme<'a>> {
    schemes.iter().find(|scheme| scheme.entry.name == name)
}

/// The schemes that are compared with each other: all but those of Table I.
pub fn rivals<'s, 'a>(schemes: &'s [Scheme<'a>]) -> impl Iterator<Item = &'s Scheme<'a>> {
    schemes.iter().filter(|scheme| scheme.entry.role != Role::Dimension)
}

/// The proposed scheme by number of real channel dimensions, for those of Table I that were trained; empty if there
/// are fewer than two.
pub fn by_reals<'s, 'a>(schemes: &'s [Scheme<'a>]) -> Vec<(usize, &'s Scheme<'a>)> {
    let of = |reals: usize| {
        let right = |scheme: &&Scheme| scheme.entry.role == Role::Dimension || scheme.entry.name == "proposed";
        Some((reals, schemes.iter().filter(right).find(|scheme| scheme.uses() * 2 == reals)?))
    };
    let found: Vec<_> = REALS.into_iter().filter_map(of).collect();
    if found.len() < 2 { Vec::new() } else { found }
}

/// A point of a figure with its interval: one standard deviation over the seeds to either side, or with one seed the
/// interval over clips, where the metric has one.
pub fn point(x: f64, level: Level) -> Point {
    Point { x, y: level.mean, interval: level.ends() }
}

/// A point of a figure with one standard deviation over the seeds to either side, for values without an interval over
/// clips.
pub fn spread_point(x: f64, spread: Spread) -> Point {
    point(x, Level { mean: spread.mean, sd: spread.sd, interval: None })
}
