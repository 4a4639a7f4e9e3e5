//! The picture, from the model alone.
//!
//! ```text
//! receiver, clips                       two lines that are always there
//! conditions, emulator
//! ┌ curve ────────────┐┌ throughput ┐   one panel at a time where there is less room than 70 × 20,
//! │                   ││ latency    │   table and clips beside each other from 116 columns on
//! └───────────────────┘└────────────┘
//! ┌ points ┐ or ┌ clips ────────────┐
//! └────────┘    └───────────────────┘
//! keys
//! ```

mod axis;
mod chart;
mod clips;
mod side;
mod table;
mod theme;

#[cfg(test)]
mod tests;

use std::time::Instant;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};

use super::model::{Focus, Model, Peer, PeerState};
use super::text::count;
pub use chart::channel_name;
pub use theme::Theme;

/// Below this, one panel is shown alone.
const ROOMY: (u16, u16) = (70, 20);
/// From this width on, table and clips stand side by side.
const WIDE: u16 = 116;
/// Columns of the table where both are shown: all of it.
const TABLE: u16 = 76;
/// Columns beside the curve.
const SIDE: u16 = 29;

const HELP: [(&str, &str); 9] = [
    ("q  Ctrl-C  Esc", "quit"),
    ("m", "next metric: Acc-2 pos, nonneg, F1, Acc-7, MAE"),
    ("Tab", "points or latest clips; the curve on small screens"),
    ("↑ ↓ PgUp PgDn", "scroll the panel with the double frame"),
    ("Home End", "to its first line, to its last"),
    ("← →", "SNR 1 dB down or up (with --emulator)"),
    ("c", "next channel (with --emulator)"),
    ("?", "this"),
    ("", "any key closes it"),
];

/// Draws everything. Takes note in the model of what fitted.
pub fn draw(frame: &mut Frame, model: &mut Model, theme: Theme, now: Instant) {
    let area = frame.area();
    model.compact = area.width < ROOMY.0 || area.height < ROOMY.1;
    let head = 2.min(area.height);
    let foot = u16::from(area.height > 6);
    let [top, body, bottom] =
        Layout::vertical([Constraint::Length(head), Constraint::Min(0), Constraint::Length(foot)]).areas(area);
    frame.render_widget(Paragraph::new(vec![receiver(model, theme, now), channel(model, theme, now)]), top);
    if model.compact {
        panel(frame, body, model, model.focus, theme);
    } else {
        panels(frame, body, model, theme);
    }
    frame.render_widget(Paragraph::new(keys(model, theme, now)), bottom);
    if model.help {
        help(frame, area);
    }
}

fn panels(frame: &mut Frame, body: Rect, model: &mut Model, theme: Theme) {
    // The curve gets the larger part, and lists no more room than they can fill.
    let lines = model.points.len().max(5) as u16 + 3;
    let lists = lines.min(body.height * 2 / 5).max(8);
    let [upper, lower] = Layout::vertical([Constraint::Min(0), Constraint::Length(lists)]).areas(body);
    let [curve, beside] = Layout::horizontal([Constraint::Min(0), Constraint::Length(SIDE)]).areas(upper);
    chart::draw(frame, curve, model, Block::bordered(), theme);
    side::draw(frame, beside, model, theme);
    if body.width >= WIDE {
        let [points, latest] = Layout::horizontal([Constraint::Length(TABLE), Constraint::Min(0)]).areas(lower);
        panel(frame, points, model, Focus::Table, theme);
        panel(frame, latest, model, Focus::Clips, theme);
    } else {
        let list = if model.focus == Focus::Clips { Focus::Clips } else { Focus::Table };
        panel(frame, lower, model, list, theme);
    }
}

fn panel(frame: &mut Frame, area: Rect, model: &mut Model, which: Focus, theme: Theme) {
    let focused = model.focus == which || (!model.compact && which == Focus::Table && model.focus == Focus::Chart);
    let block = Block::bordered().border_type(if focused { BorderType::Double } else { BorderType::Plain });
    match which {
        Focus::Chart => chart::draw(frame, area, model, block, theme),
        Focus::Table => table::draw(frame, area, model, block, theme),
        Focus::Clips => clips::draw(frame, area, model, block, theme),
    }
}

/// A service's state in a word, with a mark of its own.
fn state(peer: &Peer, theme: Theme) -> Span<'static> {
    match peer.state {
        PeerState::Connecting => Span::styled("… connecting", theme.pending()),
        PeerState::Live => Span::styled("● live", theme.good()),
        PeerState::Away { .. } => Span::styled("✗ disconnected", theme.bad()),
    }
}

/// The first line: the receiver and how much it has, or what is waited for.
fn receiver(model: &Model, theme: Theme, now: Instant) -> Line<'static> {
    if let Some(waiting) = model.receiver.waiting("receiver", now) {
        return Line::styled(format!("✗ {waiting}"), theme.bad());
    }
    let mut line = vec![
        state(&model.receiver, theme),
        Span::styled(format!("  {} clips", count(model.clips)), theme.strong()),
        Span::raw(format!("  receiver {}", model.receiver.url)),
    ];
    if model.dropped > 0 {
        line.push(Span::styled(format!("  {} tallies make no sense", model.dropped), theme.bad()));
    }
    Line::from(line)
}

/// The second line: the channel's conditions and the emulator.
fn channel(model: &Model, theme: Theme, now: Instant) -> Line<'static> {
    let Some(emulator) = &model.emulator else {
        let met = model.met().map_or("none yet".to_owned(), ToString::to_string);
        return Line::from(vec![Span::raw("channel of the latest clip: "), Span::styled(met, theme.strong())]);
    };
    if let Some(waiting) = emulator.waiting("channel emulator", now) {
        return Line::styled(format!("✗ {waiting}"), theme.bad());
    }
    let in_force = model.control.in_force().map_or("not known".to_owned(), ToString::to_string);
    let mut line = vec![state(emulator, theme), Span::raw("  current "), Span::styled(in_force, theme.strong())];
    if let Some(wish) = model.control.wish() {
        line.push(Span::styled(format!(" → {wish}"), theme.pending()));
    }
    line.push(Span::raw(format!("  emulator {}", emulator.url)));
    Line::from(line)
}

/// The last line: what became of a key, or the keys.
fn keys(model: &Model, theme: Theme, now: Instant) -> Line<'static> {
    if let Some(note) = model.note(now) {
        return Line::styled(note.to_owned(), theme.pending());
    }
    let turn = if model.emulator.is_some() { "  ←→ SNR  c channel" } else { "" };
    Line::styled(format!("q quit  m metric  Tab panel  ↑↓ scroll{turn}  ? help"), theme.faint())
}

fn help(frame: &mut Frame, area: Rect) {
    let lines: Vec<Line> = HELP.iter().map(|(keys, what)| Line::raw(format!(" {keys:<15} {what}"))).collect();
    let (width, height) = (72.min(area.width), (lines.len() as u16 + 2).min(area.height));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    let place = Rect { x, y, width, height };
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" keys ")), place);
}
