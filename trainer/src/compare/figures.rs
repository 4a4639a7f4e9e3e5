//! Figures of a comparison, one for each metric: a chart for each channel, with a curve for each system, named at its
//! end.

use super::pairing::{Comparison, Point};
use crate::metric::{METRICS, Metric};
use crate::scheme_name::channel_label;
use anyhow::{Context, Result};
use plot::{Curve, Figure, Sheet};
use std::path::Path;

/// Draws the points that have an SNR into `folder`, one figure for each metric. Returns the names of the figures.
///
/// # Errors
/// If a figure cannot be drawn or written.
pub fn draw(comparison: &Comparison, folder: &Path) -> Result<Vec<&'static str>> {
    let mut drawn = Vec::new();
    for (index, metric) in METRICS.iter().enumerate() {
        let sheet = sheet(comparison, index, metric);
        if sheet.panels.is_empty() {
            continue;
        }
        let stem = folder.join(metric.name);
        sheet.save(&stem).with_context(|| format!("figure {}", metric.name))?;
        sheet.save_table(&stem)?;
        drawn.push(metric.name);
    }
    Ok(drawn)
}

fn sheet(comparison: &Comparison, index: usize, metric: &Metric) -> Sheet {
    let mut channels: Vec<&str> = Vec::new();
    for point in comparison.points.iter().filter(|point| point.snr_db.is_some()) {
        if !channels.contains(&point.channel.as_str()) {
            channels.push(&point.channel);
        }
    }
    let first = &comparison.systems[0];
    let corpus = first.corpus.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let mut sheet =
        Sheet::new(format!("{}: {corpus}, {} split", metric.label, first.split), 1).name_ends().own_ranges();
    for channel in channels {
        let mut figure = Figure::against_snr(channel_label(channel), metric.label);
        for (system, shown) in comparison.systems.iter().enumerate() {
            let here = comparison.points.iter().filter(|point| point.channel == channel);
            let points = here.filter_map(|point| place(point, system, index)).collect();
            figure = figure.curve(Curve::measured(system, shown.label.clone(), points));
        }
        if !figure.is_empty() {
            sheet = sheet.with(figure);
        }
    }
    sheet
}

fn place(point: &Point, system: usize, metric: usize) -> Option<plot::Point> {
    let level = point.values.iter().find(|value| value.system == system)?.metrics[metric].level?;
    Some(plot::Point { x: point.snr_db?, y: level.mean, interval: level.ends() })
}
