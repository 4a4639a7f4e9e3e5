//! The latest clips: what was said, what is true, what was predicted.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::super::model::{Clip, Model};
use super::super::text::{db, fit, left, right};
use super::chart::channel_name;
use super::theme::Theme;

/// The least width in which it is said what a clip met.
const WIDE: u16 = 44;
/// Columns for what a clip met.
const MET: usize = 12;

/// Draws as many clips as there is room for, from where the list is scrolled to.
pub fn draw(frame: &mut Frame, area: Rect, model: &mut Model, block: Block, theme: Theme) {
    let inner = block.inner(area);
    let page = usize::from(inner.height).saturating_sub(1);
    model.list.fit(model.latest.len(), page);
    let title = match model.latest.len() {
        0 => " latest clips: none yet ".to_owned(),
        all => format!(" latest {all} clips, newest first "),
    };
    let wide = inner.width >= WIDE;
    let met = if wide { left("channel", MET + 1) } else { String::new() };
    let heading = format!("    true   pred {met}clip");
    let mut lines = vec![Line::styled(heading, theme.strong())];
    for clip in model.latest.iter().skip(model.list.first).take(page) {
        lines.push(line(clip, usize::from(inner.width), wide, theme));
    }
    frame.render_widget(Paragraph::new(lines).block(block.title(title)), area);
}

fn line(clip: &Clip, width: usize, wide: bool, theme: Theme) -> Line<'_> {
    let mark = match clip.right {
        Some(true) => Span::styled("✓ ", theme.good()),
        Some(false) => Span::styled("✗ ", theme.bad()),
        None => Span::raw("· "),
    };
    let score = |score: Option<f32>| right(&score.map_or("-".into(), |score| format!("{score:+.2}")), 6);
    let mut text = format!("{}{} ", score(clip.truth), score(clip.score));
    if wide {
        let met = clip.met.as_ref().map_or("-".to_owned(), |met| match met.snr_db() {
            Some(snr) => format!("{} {}", channel_name(met), db(snr.db())),
            None => channel_name(met),
        });
        text += &format!("{} ", left(&met, MET));
    }
    let used = 2 + text.chars().count();
    Line::from(vec![mark, Span::raw(text), Span::raw(fit(&clip.name, width.saturating_sub(used)))])
}
