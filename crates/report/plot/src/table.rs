//! What a sheet shows, as CSV.

use crate::{Axis, Figure, Panel, Sheet, Spacing};

/// The columns. `x` and `y` are what the columns before them say, `value` is what a colour says.
const HEADER: [&str; 9] = ["panel", "x_axis", "y_axis", "series", "x", "y", "low", "high", "value"];

impl Sheet {
    /// Every number that is drawn, one a line, as the shortest decimals that read back to the same bits.
    pub fn csv(&self) -> String {
        let mut out = HEADER.join(",") + "\n";
        for panel in &self.panels {
            match panel {
                Panel::Chart(figure) => chart(&mut out, figure),
                Panel::Heat(map) => {
                    for (name, row) in map.rows.iter().zip(&map.cells) {
                        for (column, cell) in map.columns.iter().zip(row) {
                            let value = cell.map_or(String::new(), |v| v.to_string());
                            line(&mut out, [&map.title, &map.x, &map.y, "", column, name, "", "", &value]);
                        }
                    }
                }
            }
        }
        out
    }
}

fn chart(out: &mut String, figure: &Figure) {
    let mut row = |series: &str, x: &str, y: f64, ends: Option<(f64, f64)>, value: Option<f64>| {
        let number = |v: Option<f64>| v.map_or(String::new(), |v| v.to_string());
        let (low, high) = (number(ends.map(|(low, _)| low)), number(ends.map(|(_, high)| high)));
        let (y, value) = (y.to_string(), number(value));
        line(out, [&figure.title, &figure.x.label, &figure.y.label, series, x, &y, &low, &high, &value]);
    };
    for curve in &figure.curves {
        for point in &curve.points {
            row(&curve.name, &place(&figure.x, point.x), point.y, point.interval, None);
        }
    }
    if let Some(cloud) = &figure.cloud {
        for dot in &cloud.dots {
            row(&cloud.name, &dot.x.to_string(), dot.y, None, Some(dot.value));
        }
    }
    for level in &figure.levels {
        row(&level.name, "", level.y, None, None);
    }
}

/// A number, or the name next to it: points that share a name are drawn beside each other.
fn place(axis: &Axis, x: f64) -> String {
    match &axis.spacing {
        Spacing::Names(names) => names.get(x.round().max(0.0) as usize).cloned().unwrap_or_default(),
        _ => x.to_string(),
    }
}

/// Quoted as RFC 4180 has it.
fn line(out: &mut String, fields: [&str; HEADER.len()]) {
    let quoted = fields.map(|field| match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    });
    *out += &(quoted.join(",") + "\n");
}
