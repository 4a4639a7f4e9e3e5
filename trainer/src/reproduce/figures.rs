//! The figures, each as SVG, PNG and CSV.

use super::cell::{Cell, Watched};
use super::entries::{Entry, named};
use super::plan::{Constant, Plan};
use anyhow::{Context, Result};
use files::PendingFile;
use metrics::{Record, Spread};
use model::discriminator::{PAIRS, pair_name};
use plot::{Axis, Colour, Curve, Figure, Marker, Pattern, Point};
use std::path::Path;

/// A metric that is drawn against SNR.
pub struct Metric {
    /// In names of files.
    pub name: &'static str,
    /// On the axis.
    pub label: &'static str,
    /// Of a record.
    pub of: fn(&Record) -> Option<f64>,
    /// Of the best constant.
    constant: fn(&Constant) -> Option<f64>,
}

/// Those of figures 5 and 6, and calibration.
pub const METRICS: [Metric; 5] = [
    Metric { name: "acc2", label: "Acc-2 pos", of: |r| r.acc2_pos, constant: |c| c.acc2_pos },
    Metric { name: "f1", label: "F1 pos, weighted", of: |r| r.f1_pos, constant: |c| c.f1_pos },
    Metric { name: "acc7", label: "Acc-7", of: |r| r.acc7, constant: |c| c.acc7 },
    Metric { name: "mae", label: "MAE, scale of the score", of: |r| r.mae, constant: |c| c.mae },
    Metric { name: "ece", label: "Calibration error of the sign", of: |r| r.ece, constant: |_| None },
];

/// The channels that are drawn.
pub const CHANNELS: [(&str, &str); 2] = [("awgn", "AWGN"), ("rayleigh", "Rayleigh fading")];

/// A figure that was written.
pub struct Drawn {
    /// Without its extension.
    pub stem: String,
    /// What it shows.
    pub caption: String,
    /// The vector image.
    pub svg: String,
}

/// What one scheme's cells say, over the seeds.
pub struct Scheme<'a> {
    /// The scheme.
    pub entry: Entry,
    /// In the order of the seeds.
    pub cells: Vec<&'a Cell>,
}

impl<'a> Scheme<'a> {
    /// The schemes of a plan.
    ///
    /// # Errors
    /// If the plan has one that this program does not know.
    pub fn all(plan: &Plan, cells: &'a [Cell]) -> Result<Vec<Self>> {
        let of = |name: &String| -> Result<Scheme<'a>> {
            Ok(Scheme { entry: named(name)?, cells: cells.iter().filter(|cell| cell.entry == *name).collect() })
        };
        plan.entries.iter().map(of).collect()
    }

    /// Mean and spread over the seeds at one point; `None` where it was not scored or has no meaning.
    pub fn at(&self, channel: &str, snr_db: Option<f64>, of: fn(&Record) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.values(channel, snr_db, of))
    }

    /// Of each seed.
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

    /// Complex symbols for each clip.
    pub fn uses(&self) -> usize {
        self.cells.first().map_or(0, |cell| cell.scored.config.network.reals / 2)
    }

    /// The SNRs scored over a channel, in order.
    pub fn snrs(&self, channel: &str) -> Vec<f64> {
        let records = self.cells.first().map_or(&[][..], |cell| &cell.records);
        records.iter().filter(|r| r.channel == channel).filter_map(|r| r.snr_db).collect()
    }

    fn curve(&self, channel: &str, metric: &Metric) -> Curve {
        let point = |snr: f64| {
            let spread = self.at(channel, Some(snr), metric.of)?;
            Some(match spread.sd {
                Some(sd) => Point::within(snr, spread.mean, spread.mean - sd, spread.mean + sd),
                None => Point::new(snr, spread.mean),
            })
        };
        let points = self.snrs(channel).into_iter().filter_map(point).collect();
        let (colour, pattern) = look(self.entry.name);
        let name = format!("{} ({} uses)", self.entry.label, self.uses());
        let marker = if pattern == Pattern::Solid { Marker::nth(colour) } else { Marker::None };
        Curve { name, points, colour: Colour::nth(colour), pattern, marker }
    }
}

/// Position in the palette and pattern: variations of one system share its colour.
fn look(entry: &str) -> (usize, Pattern) {
    match entry {
        "proposed" => (0, Pattern::Solid),
        "proposed-l1" => (0, Pattern::Dashed),
        "proposed-watching" => (0, Pattern::Dotted),
        "t-deepsc" => (1, Pattern::Solid),
        "t-deepsc-mse" => (1, Pattern::Dashed),
        "t-deepsc-published" => (1, Pattern::Dotted),
        "sign-repetition" => (2, Pattern::Solid),
        "class-repetition" => (3, Pattern::Solid),
        _ => (4, Pattern::Solid),
    }
}

/// Draws all figures into `folder`.
///
/// # Errors
/// If one cannot be drawn or written.
pub fn draw(plan: &Plan, schemes: &[Scheme], folder: &Path) -> Result<Vec<Drawn>> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut drawn = Vec::new();
    for metric in &METRICS {
        for (channel, shown) in CHANNELS {
            let figure = against_snr(plan, schemes, metric, channel, shown);
            let caption = format!("{} over {shown}", metric.label);
            drawn.extend(write(folder, &format!("{}-{channel}", metric.name), caption, &figure)?);
        }
    }
    for (i, pair) in PAIRS.into_iter().enumerate() {
        let name = pair_name(pair);
        let caption = format!("What the discriminator of {} and {} loses", pair.0.name(), pair.1.name());
        drawn.extend(write(folder, &format!("bce-{name}"), caption, &losses(schemes, i))?);
        let caption = format!("What it says of joint and of shuffled pairs of {} and {}", pair.0.name(), pair.1.name());
        drawn.extend(write(folder, &format!("pairs-{name}"), caption, &probabilities(schemes, i))?);
    }
    Ok(drawn)
}

fn against_snr(plan: &Plan, schemes: &[Scheme], metric: &Metric, channel: &str, shown: &str) -> Figure {
    let corpus = plan.corpus.rsplit('/').next().unwrap_or(&plan.corpus);
    let title = format!("{corpus}, {} split, {shown}, {} seeds", plan.sweep.split, plan.seeds);
    let mut figure = Figure::against_snr(title, metric.label);
    for scheme in schemes {
        figure = figure.curve(scheme.curve(channel, metric));
    }
    let Some(proposed) = schemes.iter().find(|scheme| scheme.entry.name == "proposed") else { return figure };
    if metric.name == "acc2" {
        let reference = |snr: f64| Some(Point::new(snr, proposed.at(channel, Some(snr), |r| r.reference_acc2)?.mean));
        let points: Vec<Point> = proposed.snrs(channel).into_iter().filter_map(reference).collect();
        let (name, marker) = ("matched filter at its noiseless accuracy".to_owned(), Marker::None);
        figure = figure.curve(Curve { name, points, colour: Colour::Black, pattern: Pattern::Dashed, marker });
    }
    if let Some(noiseless) = proposed.at("none", None, metric.of) {
        figure = figure.level("proposed, noiseless", noiseless.mean, Colour::Grey, Pattern::DashDotted);
    }
    if let Some(constant) = plan.constant.as_ref().and_then(metric.constant) {
        figure = figure.level("best constant", constant, Colour::Grey, Pattern::Dotted);
    }
    let trained = proposed.cells.first().map(|cell| cell.scored.config.law.snr_db);
    trained.map_or(figure.clone(), |(low, high)| figure.shade("SNR trained at", low, high))
}

/// One value an epoch, of the first seed.
fn by_epoch(scheme: &Scheme, of: impl Fn(&Watched) -> Option<f64>) -> Vec<Point> {
    let epochs = scheme.cells.first().map_or(&[][..], |cell| &cell.discriminators);
    epochs.iter().enumerate().filter_map(|(i, watched)| Some(Point::new((i + 1) as f64, of(watched)?))).collect()
}

/// Figures 7 and 8: the discriminator's loss, with redundancy reduction and without.
fn losses(schemes: &[Scheme], pair: usize) -> Figure {
    let mut figure = Figure::new("Training, seed 0", Axis::new("epoch"), Axis::new("BCE, joint + shuffled (nats)"));
    let watched = schemes.iter().filter(|scheme| scheme.entry.watches);
    for (index, scheme) in watched.enumerate() {
        let points = by_epoch(scheme, |watched| watched.bce[pair]);
        if !points.is_empty() {
            figure = figure.curve(Curve::measured(index, scheme.entry.label, points));
        }
    }
    figure.level("cannot tell, 2 ln 2", 2.0 * std::f64::consts::LN_2, Colour::Grey, Pattern::Dotted)
}

/// Figure 9: what the discriminator says of joint and of shuffled pairs.
fn probabilities(schemes: &[Scheme], pair: usize) -> Figure {
    let mut figure = Figure::new("Training, seed 0", Axis::new("epoch"), Axis::new("probability of a joint pair"));
    for (index, scheme) in schemes.iter().filter(|scheme| scheme.entry.watches).enumerate() {
        for (kind, pattern) in [("joint", Pattern::Solid), ("shuffled", Pattern::Dashed)] {
            let of = |watched: &Watched| if kind == "joint" { watched.joint[pair] } else { watched.shuffled[pair] };
            let points = by_epoch(scheme, of);
            if !points.is_empty() {
                let name = format!("{}, {kind}", scheme.entry.label);
                let marker = if pattern == Pattern::Solid { Marker::nth(index) } else { Marker::None };
                figure = figure.curve(Curve { name, points, colour: Colour::nth(index), pattern, marker });
            }
        }
    }
    figure
}

/// Writes the three files, or none if the figure has nothing to show.
fn write(folder: &Path, stem: &str, caption: String, figure: &Figure) -> Result<Option<Drawn>> {
    if figure.curves.iter().all(|curve| curve.points.is_empty()) {
        return Ok(None);
    }
    figure.save(&folder.join(stem)).with_context(|| format!("figure {stem}"))?;
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["curve", &figure.x.label, &figure.y.label, "low", "high"])?;
    for curve in &figure.curves {
        for point in &curve.points {
            let (low, high) =
                point.interval.map_or((String::new(), String::new()), |(l, h)| (l.to_string(), h.to_string()));
            table.write_record([&curve.name, &point.x.to_string(), &point.y.to_string(), &low, &high])?;
        }
    }
    for level in &figure.levels {
        table.write_record([&level.name, "", &level.y.to_string(), "", ""])?;
    }
    let bytes = table.into_inner().context("a table in memory")?;
    PendingFile::create(&folder.join(format!("{stem}.csv")))?.commit(|out| out.write_all(&bytes))?;
    Ok(Some(Drawn { stem: stem.to_owned(), caption, svg: figure.svg()? }))
}
