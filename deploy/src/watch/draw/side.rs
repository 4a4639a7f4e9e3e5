//! Beside the curve: throughput and where the time goes.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, Sparkline};

use super::super::latency::{HOPS, show};
use super::super::model::Model;
use super::super::text::{count, left, right};
use super::theme::Theme;

/// Rows of the latencies, their frame included.
const LATENCY: u16 = 6;

/// Draws both, or what there is room for.
pub fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: Theme) {
    let latency = if area.height >= LATENCY + 3 { LATENCY } else { 0 };
    let [top, bottom] = Layout::vertical([Constraint::Min(0), Constraint::Length(latency)]).areas(area);
    throughput(frame, top, model, theme);
    latencies(frame, bottom, model, theme);
}

fn throughput(frame: &mut Frame, area: Rect, model: &Model, theme: Theme) {
    let (now, peak) = (model.rate.now(), model.rate.peak());
    let block = Block::bordered().title(format!(" {} clips/s, peak {} ", count(now), count(peak)));
    let inner = block.inner(area);
    let samples: Vec<u64> = model.rate.newest(inner.width.into()).collect();
    // New samples come in on the right.
    let blank = usize::from(inner.width).saturating_sub(samples.len());
    let data = std::iter::repeat_n(0, blank).chain(samples).collect::<Vec<u64>>();
    let line = Sparkline::default().data(&data).max(peak.max(1)).style(theme.bars());
    frame.render_widget(block, area);
    frame.render_widget(line, inner);
}

fn latencies(frame: &mut Frame, area: Rect, model: &Model, theme: Theme) {
    let mut lines = vec![Line::styled(format!("{}  median    95 %", left("", 11)), theme.strong())];
    for (hop, name) in HOPS.iter().enumerate() {
        let spread = model.latency.map(|latency| latency[hop]);
        let cell = |of: Option<u64>| right(&of.map_or("-".into(), show), 8);
        let (median, p95) = (spread.map(|s| s.median_us), spread.map(|s| s.p95_us));
        lines.push(Line::raw(format!("{}{}{}", left(name, 11), cell(median), cell(p95))));
    }
    let title = match model.latest.len() {
        0 => " latency by hop ".to_owned(),
        rows => format!(" latency, last {rows} clips "),
    };
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(title)), area);
}
