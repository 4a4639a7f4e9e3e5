//! One snapshot as text, for scripts and for outputs that are no terminal.

use phy::Conditions;
use serde_json::{Value, json};

use super::draw::channel_name;
use super::latency::{HOPS, show};
use super::model::Model;
use super::point::{Metric, Point};
use super::text::{count, db};

const HEADER: [&str; 9] = ["channel", "SNR dB", "clips", "Acc-2 pos", "95 %", "Acc-2 nonneg", "F1 pos", "Acc-7", "MAE"];

/// The table, with what it is of.
pub fn table(model: &Model) -> String {
    let mut out = format!("receiver {}: {} clips\n", model.receiver.url, count(model.clips));
    if let (Some(emulator), Some(in_force)) = (&model.emulator, model.control.in_force()) {
        out += &format!("channel emulator {}: current conditions {in_force}\n", emulator.url);
    }
    if let Some(latency) = model.latency {
        let hops = HOPS.iter().zip(latency);
        let hops: Vec<String> = hops.map(|(name, spread)| format!("{name} {}", show(spread.median_us))).collect();
        out += &format!("median latency of the last {} clips: {}\n", model.latest.len(), hops.join(", "));
    }
    let mut lines = vec![HEADER.map(str::to_owned)];
    lines.extend(model.points.iter().map(cells));
    for line in &lines {
        let mut text = String::new();
        for (column, cell) in line.iter().enumerate() {
            let width = lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
            text += &if column == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") };
        }
        out += text.trim_end();
        out.push('\n');
    }
    out
}

fn cells(point: &Point) -> [String; 9] {
    let number = |metric| point.value(metric).map_or("-".to_owned(), |value| format!("{value:.3}"));
    let interval = point.interval(Metric::Acc2Pos);
    [
        channel_name(&point.conditions),
        point.conditions.snr_db().map_or("-".to_owned(), |snr| db(snr.db())),
        point.clips.to_string(),
        number(Metric::Acc2Pos),
        interval.map_or("-".to_owned(), |i| format!("{:.3} - {:.3}", i.low, i.high)),
        number(Metric::Acc2Nonneg),
        number(Metric::F1Pos),
        number(Metric::Acc7),
        number(Metric::Mae),
    ]
}

/// The same as an object. Its `records` have the names of those that `send --json` writes.
pub fn json(model: &Model) -> Value {
    let latency = model.latency.map(|latency| {
        let hops = HOPS.iter().zip(latency);
        hops.map(|(name, spread)| {
            ((*name).to_owned(), json!({ "median_us": spread.median_us, "p95_us": spread.p95_us }))
        })
        .collect::<serde_json::Map<String, Value>>()
    });
    json!({
        "receiver": model.receiver.url,
        "clips": model.clips,
        "in_force": model.control.in_force(),
        "latency": latency,
        "records": model.points.iter().map(record).collect::<Vec<Value>>(),
    })
}

fn record(point: &Point) -> Value {
    let interval = point.interval(Metric::Acc2Pos).map(|interval| [interval.low, interval.high]);
    json!({
        "channel": channel_name(&point.conditions),
        "snr_db": point.conditions.snr_db().map(f64::from),
        "clips": point.clips,
        "acc2_nonneg": point.nonneg.accuracy(),
        "acc2_pos": point.pos.accuracy(),
        "acc2_pos_interval": interval,
        "f1_nonneg": point.nonneg.f1(),
        "f1_pos": point.pos.f1(),
        "acc7": point.value(Metric::Acc7),
        "mae": point.value(Metric::Mae),
    })
}

/// The state after one snapshot, and with an emulator named, one look at its conditions.
pub fn heard(model: &mut Model, snapshot: proto::v1::Snapshot, in_force: Option<Conditions>) {
    let now = std::time::Instant::now();
    model.update(super::feed::Update::Snapshot(Box::new(snapshot)), now);
    if let Some(conditions) = in_force {
        model.update(super::feed::Update::Conditions(conditions), now);
    }
}
