//! The curve: a metric against SNR, a line for each channel.

use phy::{Conditions, SnrDb};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::canvas::{Canvas, Context, Line as Stroke, Points};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::super::model::Model;
use super::super::point::{Metric, Point};
use super::super::text::{fit, left, right};
use super::axis::Axis;
use super::theme::{Curve, Theme};

/// Curves drawn; those of further channels would not be told apart.
const CURVES: usize = 7;
/// The least room in which intervals are drawn, columns and rows.
const ROOM: (u16, u16) = (30, 8);
/// Columns for the numbers beside the curve.
const GUTTER: u16 = 5;
/// Columns and rows from one number to the next, at least.
const GAPS: (u16, u16) = (6, 3);
/// The SNRs shown while there are no points, dB.
const USUAL: [f64; 2] = [-12.0, 21.0];

/// One channel's points.
struct Channel<'a> {
    name: String,
    look: Curve,
    points: Vec<&'a Point>,
}

impl Channel<'_> {
    /// SNR and value of each point that has both.
    fn places(&self, metric: Metric) -> Vec<(f64, f64)> {
        let place = |point: &&Point| Some((point.conditions.snr_db()?.db(), point.value(metric)?));
        self.points.iter().filter_map(place).collect()
    }
}

/// Draws the curve.
pub fn draw(frame: &mut Frame, area: Rect, model: &Model, block: Block, theme: Theme) {
    let metric = model.metric;
    let (channels, left_out) = channels(&model.points, metric, theme);
    let title = match left_out {
        0 => format!(" {} against SNR (dB) ", metric.name()),
        more => format!(" {} against SNR (dB), {more} channels left out ", metric.name()),
    };
    let inner = block.inner(area);
    frame.render_widget(block.title(title), area);
    if inner.width < GUTTER + 6 || inner.height < 4 {
        return;
    }
    let plot = Rect { x: inner.x + GUTTER, width: inner.width - GUTTER, height: inner.height - 1, ..inner };
    let intervals = plot.width >= ROOM.0 && plot.height >= ROOM.1;
    let present = model.present().and_then(Conditions::snr_db).map(SnrDb::db);
    let snr = snr_axis(&channels, present, plot.width);
    let value = value_axis(&channels, metric, intervals, plot.height);
    let picture = Canvas::default().x_bounds(snr.bounds()).y_bounds(value.bounds()).paint(|canvas| {
        // What is drawn later comes in front, the first channel last.
        if let Some(at) = present {
            stroke(canvas, Marker::Custom('┊'), Color::Reset, [at, value.low], [at, value.high]);
        }
        for channel in channels.iter().rev().filter(|_| intervals) {
            spans(canvas, channel, metric, &value);
        }
        for channel in channels.iter().rev() {
            curve(canvas, channel, metric, &snr);
        }
        for channel in channels.iter().rev() {
            canvas.marker(Marker::Custom(channel.look.mark));
            canvas.draw(&Points { coords: &channel.places(metric), color: channel.look.colour });
        }
    });
    frame.render_widget(picture, plot);
    numbers(frame, inner, plot, &snr, &value, theme);
    let mut names: Vec<(String, Color)> = channels
        .iter()
        .map(|channel| (format!("{} {}", channel.look.mark, channel.name), channel.look.colour))
        .collect();
    if present.is_some() {
        let what = if model.emulator.is_some() { "┊ current" } else { "┊ latest clip" };
        names.push((what.to_owned(), Color::Reset));
    }
    legend(frame, plot, &names, metric);
}

/// The points by channel, without those that have no value, and how many channels are too many.
fn channels<'a>(points: &'a [Point], metric: Metric, theme: Theme) -> (Vec<Channel<'a>>, usize) {
    let mut channels: Vec<Channel> = Vec::new();
    for point in points.iter().filter(|point| point.value(metric).is_some()) {
        let (name, kind) = (channel_name(&point.conditions), point.conditions.kind());
        match channels.last_mut().filter(|channel| channel.name == name) {
            Some(channel) => channel.points.push(point),
            None => {
                let before = channels.iter().filter(|channel| channel.points[0].conditions.kind() == kind).count();
                let look = theme.curve(kind, before);
                channels.push(Channel { name, look, points: vec![point] });
            }
        }
    }
    let left_out = channels.len().saturating_sub(CURVES);
    channels.truncate(CURVES);
    (channels, left_out)
}

/// The kind, and the K factor of one that has it.
pub fn channel_name(conditions: &Conditions) -> String {
    match conditions.k_factor() {
        Some(k) => format!("{}:{k}", conditions.kind()),
        None => conditions.kind().to_string(),
    }
}

/// The 95 % intervals of a channel's points, each a line up and down.
fn spans(canvas: &mut Context, channel: &Channel, metric: Metric, value: &Axis) {
    for point in &channel.points {
        if let (Some(interval), Some(snr)) = (point.interval(metric), point.conditions.snr_db()) {
            let (low, high) = (interval.low.max(value.low), interval.high.min(value.high));
            stroke(canvas, Marker::Braille, channel.look.colour, [snr.db(), low], [snr.db(), high]);
        }
    }
}

/// The line through a channel's points. The noiseless channel has no SNR; its value is a line across.
fn curve(canvas: &mut Context, channel: &Channel, metric: Metric, snr: &Axis) {
    let colour = channel.look.colour;
    for point in channel.points.iter().filter(|point| point.conditions.snr_db().is_none()) {
        if let Some(level) = point.value(metric) {
            stroke(canvas, Marker::Braille, colour, [snr.low, level], [snr.high, level]);
        }
    }
    for ends in channel.places(metric).windows(2) {
        stroke(canvas, Marker::Braille, colour, ends[0].into(), ends[1].into());
    }
}

fn stroke(canvas: &mut Context, marker: Marker, color: Color, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) {
    canvas.marker(marker);
    canvas.draw(&Stroke { x1, y1, x2, y2, color });
}

/// An axis around all SNRs, that of the current conditions included.
fn snr_axis(channels: &[Channel], present: Option<f64>, width: u16) -> Axis {
    let points = channels.iter().flat_map(|channel| &channel.points);
    let mut snrs: Vec<f64> = points.filter_map(|point| point.conditions.snr_db()).map(SnrDb::db).collect();
    if snrs.is_empty() {
        snrs.extend(USUAL);
    }
    Axis::around(snrs.into_iter().chain(present), &[1.0, 3.0, 6.0], width / GAPS.0)
}

/// An axis around all that is drawn.
fn value_axis(channels: &[Channel], metric: Metric, intervals: bool, height: u16) -> Axis {
    let points = channels.iter().flat_map(|channel| &channel.points);
    let mut reach: Vec<f64> = points
        .flat_map(|point| {
            let interval = point.interval(metric).filter(|_| intervals).map(|interval| [interval.low, interval.high]);
            interval.or(point.value(metric).map(|value| [value; 2])).into_iter().flatten()
        })
        .collect();
    if reach.is_empty() {
        reach.extend([0.5, 1.0]);
    }
    Axis::around(reach.into_iter(), &[0.01, 0.02, 0.05], height / GAPS.1)
}

/// The numbers beside and below the plot, each where its value is.
fn numbers(frame: &mut Frame, inner: Rect, plot: Rect, snr: &Axis, value: &Axis, theme: Theme) {
    let buffer = frame.buffer_mut();
    for (at, label) in value.ticks() {
        let row = plot.y + value.row(at, plot.height);
        let text = right(&label, usize::from(GUTTER) - 1);
        buffer.set_string(inner.x, row, text + "┤", theme.faint());
    }
    let mut free = inner.x;
    for (at, label) in snr.ticks() {
        let width = label.chars().count() as u16;
        let middle = plot.x + snr.column(at, plot.width);
        let start = middle.saturating_sub(width / 2).min((plot.x + plot.width).saturating_sub(width));
        if start >= free {
            buffer.set_string(start, plot.y + plot.height, &label, theme.faint());
            free = start + width + 1;
        }
    }
}

/// What the marks stand for, where curves of the metric seldom are; none where it would cover too much of the plot.
fn legend(frame: &mut Frame, plot: Rect, names: &[(String, Color)], metric: Metric) {
    let widest = names.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(20) as u16;
    let lines = names.len() as u16;
    let framed = (lines + 2) * 2 <= plot.height;
    let (width, height) = if framed { (widest + 2, lines + 2) } else { (widest, lines) };
    if lines == 0 || width * 3 > plot.width || height + 2 > plot.height {
        return;
    }
    let y = if metric.is_rate() { plot.y + plot.height - height } else { plot.y };
    let place = Rect { x: plot.x + plot.width - width, y, width, height };
    let line = |(name, colour): &(String, Color)| {
        Line::from(Span::styled(left(&fit(name, widest.into()), widest.into()), Style::new().fg(*colour)))
    };
    let text = Paragraph::new(names.iter().map(line).collect::<Vec<Line>>());
    frame.render_widget(Clear, place);
    frame.render_widget(if framed { text.block(Block::bordered()) } else { text }, place);
}
