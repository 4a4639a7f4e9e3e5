//! The points in numbers.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::super::model::Model;
use super::super::point::{Metric, Point};
use super::super::text::{count, db, left, right};
use super::chart::channel_name;
use super::theme::Theme;

/// A column: its heading, its width, its cell.
struct Column {
    heading: &'static str,
    width: usize,
    cell: fn(&Point, Metric) -> String,
}

/// From the most wanted to the least; those for which there is no room are left out.
fn columns(metric: Metric) -> Vec<Column> {
    let nonneg = metric == Metric::Acc2Nonneg;
    let acc2 = if nonneg { "Acc-2 nonneg" } else { "Acc-2 pos" };
    vec![
        Column { heading: "channel", width: 10, cell: |point, _| channel_name(&point.conditions) },
        Column {
            heading: "SNR",
            width: 5,
            cell: |point, _| point.conditions.snr_db().map_or("-".into(), |s| db(s.db())),
        },
        Column {
            heading: acc2,
            width: if nonneg { 12 } else { 9 },
            cell: |point, metric| number(point.value(family(metric))),
        },
        Column { heading: "clips", width: 7, cell: |point, _| count(point.clips) },
        Column {
            heading: "95 %",
            width: 14,
            cell: |point, metric| {
                let interval = point.interval(family(metric));
                interval.map_or("-".into(), |i| format!("{:.3} - {:.3}", i.low, i.high))
            },
        },
        Column {
            heading: if nonneg { "F1" } else { "F1 pos" },
            width: 6,
            cell: |point, metric| match family(metric) {
                Metric::Acc2Nonneg => number(point.nonneg.f1()),
                _ => number(point.value(Metric::F1Pos)),
            },
        },
        Column { heading: "Acc-7", width: 5, cell: |point, _| number(point.value(Metric::Acc7)) },
        Column { heading: "MAE", width: 5, cell: |point, _| number(point.value(Metric::Mae)) },
    ]
}

/// The order in which columns stand, as indices of [`columns`].
const ORDER: [usize; 8] = [0, 1, 3, 2, 4, 5, 6, 7];

/// The family of Acc-2 that the table shows beside a metric of the curve.
fn family(metric: Metric) -> Metric {
    if metric == Metric::Acc2Nonneg { metric } else { Metric::Acc2Pos }
}

fn number(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.3}"))
}

/// Draws as many lines of the table as there is room for, from where it is scrolled to.
pub fn draw(frame: &mut Frame, area: Rect, model: &mut Model, block: Block, theme: Theme) {
    let inner = block.inner(area);
    let page = usize::from(inner.height).saturating_sub(1);
    model.table.fit(model.points.len(), page);
    let first = model.table.first;
    let shown = &model.points[first..(first + page).min(model.points.len())];
    let title = match model.points.len() {
        0 => " points: none yet ".to_owned(),
        all if all > page && page > 0 => format!(" points {}–{} of {all} ", first + 1, first + shown.len()),
        all => format!(" points: {all} "),
    };
    let all = columns(model.metric);
    let mut room = usize::from(inner.width).saturating_sub(2);
    let mut fits = 0;
    while fits < all.len() && all[fits].width < room {
        room -= all[fits].width + 1;
        fits += 1;
    }
    let kept: Vec<&Column> = ORDER.iter().filter(|&&index| index < fits).map(|&index| &all[index]).collect();
    // Names stand left, numbers right.
    let cell = |number: usize, width: usize, text: &str| match number {
        0 => left(text, width),
        _ => format!(" {}", right(text, width)),
    };
    let line = |texts: &mut dyn Iterator<Item = (usize, String)>| -> String {
        texts.enumerate().map(|(number, (width, text))| cell(number, width, &text)).collect()
    };
    let heading = line(&mut kept.iter().map(|column| (column.width, column.heading.to_owned())));
    let mut lines = vec![Line::styled(format!("  {heading}"), theme.strong())];
    for point in shown {
        // The line that a clip sent now would count in.
        let present = model.present() == Some(&point.conditions);
        let mark = if present { Span::styled("▸ ", theme.pending()) } else { Span::raw("  ") };
        let cells = line(&mut kept.iter().map(|column| (column.width, (column.cell)(point, model.metric))));
        lines
            .push(Line::from(vec![mark, if present { Span::styled(cells, theme.strong()) } else { Span::raw(cells) }]));
    }
    frame.render_widget(Paragraph::new(lines).block(block.title(title)), area);
}
