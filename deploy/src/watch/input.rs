//! What keys mean.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// The end.
    Quit,
    /// The end, or only that of the explanation.
    Back,
    /// The explanation of the keys.
    Help,
    /// Another metric.
    Metric,
    /// Another panel.
    Panel,
    /// So many lines down; up, if negative.
    Lines(isize),
    /// So many pages down; up, if negative.
    Pages(isize),
    /// To the first line.
    Top,
    /// To the last line.
    Bottom,
    /// So many dB more.
    Turn(f64),
    /// Another kind of channel.
    Channel,
    /// Nothing.
    Other,
}

/// Of a key that went down; `None` of one that went up.
pub fn action(key: &KeyEvent) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return Some(if key.code == KeyCode::Char('c') { Action::Quit } else { Action::Other });
    }
    Some(match key.code {
        KeyCode::Char('q') => Action::Quit,
        KeyCode::Esc => Action::Back,
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => Action::Help,
        KeyCode::Char('m') => Action::Metric,
        KeyCode::Tab | KeyCode::BackTab => Action::Panel,
        KeyCode::Up => Action::Lines(-1),
        KeyCode::Down => Action::Lines(1),
        KeyCode::PageUp => Action::Pages(-1),
        KeyCode::PageDown => Action::Pages(1),
        KeyCode::Home => Action::Top,
        KeyCode::End => Action::Bottom,
        KeyCode::Left => Action::Turn(-1.0),
        KeyCode::Right => Action::Turn(1.0),
        KeyCode::Char('c') => Action::Channel,
        _ => Action::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_help_says() {
        let plain = |code| action(&KeyEvent::new(code, KeyModifiers::NONE));
        let control = |c| action(&KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL));
        assert_eq!((plain(KeyCode::Char('q')), plain(KeyCode::Esc)), (Some(Action::Quit), Some(Action::Back)));
        assert_eq!((control('c'), control('q')), (Some(Action::Quit), Some(Action::Other)));
        assert_eq!(plain(KeyCode::Char('c')), Some(Action::Channel), "without Ctrl it is the channel");
        assert_eq!((plain(KeyCode::Left), plain(KeyCode::Right)), (Some(Action::Turn(-1.0)), Some(Action::Turn(1.0))));
        assert_eq!((plain(KeyCode::Tab), plain(KeyCode::Char('x'))), (Some(Action::Panel), Some(Action::Other)));
        let up = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(action(&up), None);
    }
}
