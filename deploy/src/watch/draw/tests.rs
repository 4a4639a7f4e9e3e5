//! The picture at all sizes: what must be there is, and nothing panics.

use std::time::{Duration, Instant};

use proto::v1::{ChannelReport, Conditions, Prediction, Row, ScorePrediction, Snapshot, Tally, Timings};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::super::feed::Update;
use super::super::input::Action;
use super::super::model::Model;
use super::super::point::Metric;
use super::{Theme, draw};

fn at(kind: i32, snr_db: f64) -> Option<Conditions> {
    Some(Conditions { kind, snr_db: (kind != 1).then_some(snr_db), k_factor: (kind == 4).then_some(4.0) })
}

fn tally(conditions: Option<Conditions>, correct: u64) -> Tally {
    Tally {
        conditions,
        clips: 1234,
        labelled: 1000,
        signed: 1000,
        sign_correct: correct,
        nonneg_correct: correct,
        class_correct: 321,
        absolute_error: 765.0,
        squared_error: 900.0,
        positive: 600,
        positive_correct: correct - 300,
        nonneg: 600,
        nonneg_met: correct - 300,
        distinct_labelled: 1000,
        distinct_signed: 1000,
    }
}

fn row(caption: &str, label: f32, p_pos: f32) -> Row {
    Row {
        clip_id: "clip-7".into(),
        label: Some(label),
        prediction: Some(Prediction {
            distribution: vec![0.1; 7],
            score: Some(ScorePrediction { median: 1.25, p_neg: 1.0 - p_pos, p_zero: 0.0, p_pos }),
        }),
        channel: Some(ChannelReport { conditions: at(3, -6.0), ..ChannelReport::default() }),
        caption: caption.into(),
        timings: Some(Timings { transmitter_us: 24_512, emulator_us: 17, receiver_us: 1_234 }),
        ..Row::default()
    }
}

fn snapshot() -> Snapshot {
    let snrs = (0..12).map(|step| f64::from(step) * 3.0 - 12.0);
    let mut tallies = vec![tally(at(1, 0.0), 843)];
    for kind in [2, 3, 4] {
        tallies.extend(
            snrs.clone().enumerate().map(|(step, snr)| tally(at(kind, snr), 760 - 20 * kind as u64 + 10 * step as u64)),
        );
    }
    let latest =
        vec![row("a wonderful film", 1.4, 0.9), row("dreadful\x1b[31m 映画\u{202e}", -2.0, 0.8), row("", 0.0, 0.5)];
    Snapshot { clips: 45_678, tallies, latest }
}

fn model() -> Model {
    let now = Instant::now();
    let mut model = Model::new("http://127.0.0.1:50053".into(), Some("http://127.0.0.1:50052".into()));
    model.update(Update::Snapshot(Box::new(snapshot())), now);
    let in_force = wire::convert::conditions_from_wire(&at(3, -6.0).unwrap()).unwrap();
    model.update(Update::Conditions(in_force), now);
    model
}

fn picture(model: &mut Model, width: u16, height: u16, theme: Theme) -> (String, Vec<Color>) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, model, theme, Instant::now())).unwrap();
    let buffer = terminal.backend().buffer();
    let mut colours: Vec<Color> = buffer.content().iter().flat_map(|cell| [cell.fg, cell.bg]).collect();
    colours.dedup();
    // Lines as a reader sees them: a wide character takes the cell after it.
    let lines = buffer.content().chunks(width.into()).map(|cells| cells.iter().map(|cell| cell.symbol()).collect());
    (lines.collect::<Vec<String>>().join("\n"), colours)
}

fn text(model: &mut Model, width: u16, height: u16) -> String {
    picture(model, width, height, Theme::new(true)).0
}

#[track_caller]
fn shows(picture: &str, wanted: &[&str]) {
    for word in wanted {
        assert!(picture.contains(word), "no {word:?} in\n{picture}");
    }
}

#[test]
fn a_usual_terminal_shows_curve_table_and_conditions() {
    let mut model = model();
    let shown = text(&mut model, 80, 24);
    shows(&shown, &["45 678 clips", "current rayleigh -6 dB", "Acc-2 pos against SNR", "● awgn", "▲ rayleigh"]);
    // 843 of 1000 with Wilson's interval, F1 of 543 of 600 and 300 of 400, Acc-7 and MAE of the tally.
    shows(&shown, &["none", "1 234", "0.843", "0.819 - 0.864", "0.841", "0.321", "0.765"]);
    shows(&shown, &["24.5 ms", "17 µs", "1.23 ms", "clips/s", "q quit", "-12", "21"]);
    assert!(!shown.contains("wonderful"), "clips are on the other panel");
    model.act(Action::Panel, Instant::now());
    let shown = text(&mut model, 80, 24);
    shows(
        &shown,
        &["✓  +1.40 +1.25 rayleigh -6", "a wonderful film", "✗  -2.00", "dreadful [31m 映 画", "·  +0.00", "clip-7"],
    );
    assert!(!shown.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn a_wide_terminal_shows_table_and_clips_together() {
    let mut model = model();
    let shown = text(&mut model, 160, 50);
    shows(&shown, &["0.819 - 0.864", "a wonderful film", "Acc-2 pos against SNR", "┊ current", "■ rician:4"]);
    model.act(Action::Pages(1), Instant::now());
    shows(&text(&mut model, 160, 50), &["▸ rayleigh      -6"]);
}

#[test]
fn a_small_terminal_shows_one_panel_at_a_time() {
    let mut model = model();
    shows(&text(&mut model, 40, 12), &["45 678 clips", "Acc-2 pos against SNR", "q quit"]);
    model.act(Action::Panel, Instant::now());
    let shown = text(&mut model, 40, 12);
    shows(&shown, &["points", "none", "0.843"]);
    assert!(!shown.contains("against SNR"));
    model.act(Action::Panel, Instant::now());
    shows(&text(&mut model, 40, 12), &["latest", "a wonderful film"]);
    model.act(Action::Panel, Instant::now());
    shows(&text(&mut model, 40, 12), &["against SNR"]);
}

#[test]
fn the_curve_follows_the_metric() {
    let mut model = model();
    for (metric, axis) in [
        (Metric::Acc2Pos, "Acc-2 pos against"),
        (Metric::Acc2Nonneg, "Acc-2 nonneg against"),
        (Metric::F1Pos, "F1 pos against"),
        (Metric::Acc7, "Acc-7 against"),
        (Metric::Mae, "MAE against"),
    ] {
        assert_eq!(model.metric, metric);
        shows(&text(&mut model, 100, 30), &[axis]);
        model.act(Action::Metric, Instant::now());
    }
    assert_eq!(model.metric, Metric::Acc2Pos);
}

/// A point of AWGN lies in the column above its SNR and in the row beside its value.
#[test]
fn points_lie_where_the_numbers_say() {
    let mut model = Model::new("r".into(), None);
    let tallies = vec![tally(at(2, -12.0), 700), tally(at(2, 0.0), 800), tally(at(2, 12.0), 900)];
    model.update(Update::Snapshot(Box::new(Snapshot { clips: 3, tallies, latest: vec![] })), Instant::now());
    let shown = text(&mut model, 100, 40);
    let lines: Vec<Vec<char>> = shown.lines().map(|line| line.chars().collect()).collect();
    let row = lines.iter().position(|line| line.iter().collect::<String>().contains("0.80┤")).expect("a number");
    let column =
        lines[row].iter().position(|&c| c == '●').unwrap_or_else(|| panic!("no point in row {row} of\n{shown}"));
    let below = lines.iter().find(|line| line.iter().collect::<String>().contains("-12 ")).expect("numbers below");
    assert_eq!(below[column], '0', "{shown}");
}

#[test]
fn the_table_scrolls_to_its_ends_and_no_further() {
    let mut model = model();
    let now = Instant::now();
    shows(&text(&mut model, 80, 24), &["points 1–"]);
    model.act(Action::Bottom, now);
    shows(&text(&mut model, 80, 24), &["of 37", "rician:4", "–37 of"]);
    let last = model.table.first;
    model.act(Action::Pages(3), now);
    text(&mut model, 80, 24);
    assert_eq!(model.table.first, last);
    model.act(Action::Lines(-1), now);
    text(&mut model, 80, 24);
    assert_eq!(model.table.first, last - 1);
    model.act(Action::Top, now);
    shows(&text(&mut model, 80, 24), &["points 1–"]);
}

#[test]
fn who_is_waited_for_is_said_and_the_last_numbers_stay() {
    let mut model = model();
    let since = Instant::now().checked_sub(Duration::from_secs(9)).unwrap();
    model.update(Update::ReceiverAway("connection refused".into()), since);
    model.update(Update::ReceiverAway("connection reset".into()), Instant::now());
    model.update(Update::EmulatorAway("gone".into()), Instant::now());
    let shown = text(&mut model, 100, 30);
    shows(&shown, &["waiting for the receiver at http://127.0.0.1:50053 (9 s): connection reset"]);
    shows(&shown, &["waiting for the channel emulator at http://127.0.0.1:50052", "0.843"]);
    model.update(Update::Snapshot(Box::new(snapshot())), Instant::now());
    assert!(!text(&mut model, 100, 30).contains("waiting for the receiver"));
}

#[test]
fn a_wish_is_shown_until_it_is_met() {
    let mut model = model();
    model.act(Action::Turn(1.0), Instant::now());
    shows(&text(&mut model, 80, 24), &["current rayleigh -6 dB → rayleigh -5 dB"]);
    let mut alone = Model::new("http://127.0.0.1:50053".into(), None);
    alone.act(Action::Turn(1.0), Instant::now());
    shows(&text(&mut alone, 80, 24), &["start with --emulator"]);
}

#[test]
fn without_colours_there_are_none_and_with_them_only_the_sixteen() {
    let mut model = model();
    let (plain, colours) = picture(&mut model, 120, 36, Theme::new(false));
    assert!(colours.iter().all(|colour| *colour == Color::Reset), "{colours:?}");
    let (coloured, colours) = picture(&mut model, 120, 36, Theme::new(true));
    assert_eq!(plain, coloured, "nothing is told by colour alone");
    assert!(colours.contains(&Color::Cyan) && colours.contains(&Color::Yellow));
    assert!(!colours.iter().any(|colour| matches!(colour, Color::Rgb(..) | Color::Indexed(_))), "{colours:?}");
}

#[test]
fn no_size_and_no_state_panics() {
    let hostile = || {
        let mut snapshot = snapshot();
        snapshot.clips = u64::MAX;
        snapshot.tallies.extend((0..900).map(|n| tally(at(4, f64::from(n) * 0.37 - 190.0), 300 + n as u64 % 600)));
        snapshot.tallies.insert(0, Tally { sign_correct: u64::MAX, ..tally(at(2, 0.0), 800) });
        for (number, tally) in snapshot.tallies.iter_mut().enumerate().filter(|(n, _)| n % 3 == 0) {
            let k = tally.conditions.as_mut().and_then(|c| c.k_factor.as_mut());
            k.into_iter().for_each(|k| *k = 10f64.powi(number as i32 - 300));
        }
        snapshot.latest.push(Row { label: Some(f32::NAN), caption: "\u{301}\n映".repeat(5000), ..Row::default() });
        let timings = Timings { transmitter_us: u64::MAX, ..Timings::default() };
        snapshot.latest.push(Row { timings: Some(timings), ..Row::default() });
        let mut model = model();
        model.update(Update::Snapshot(Box::new(snapshot)), Instant::now());
        assert!(model.dropped > 0);
        model
    };
    let mut models = [Model::new("http://h:1".into(), None), model(), hostile()];
    let sizes = (1..=200).step_by(7).flat_map(|width| (1..=60).step_by(3).map(move |height| (width, height)));
    let edges = [(1, 60), (200, 1), (200, 60), (69, 19), (70, 20), (115, 24), (116, 24), (2, 2)];
    for (number, (width, height)) in sizes.chain(edges).enumerate() {
        for model in &mut models {
            let actions = [Action::Panel, Action::Metric, Action::Help, Action::Bottom, Action::Pages(-1)];
            model.act(actions[number % actions.len()], Instant::now());
            model.rate.sample(Instant::now());
            text(model, width, height);
        }
    }
}
