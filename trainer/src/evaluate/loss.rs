//! Tables of the scores with all modalities and with some dropped, point by point.

use metrics::{Record, Spread, Summary};

/// Scores at one point of a sweep: Acc-2 "pos", Acc-7 and MAE.
struct Point<'a> {
    scheme: &'a str,
    channel: &'a str,
    snr_db: Option<f64>,
    scores: [Option<f64>; 3],
}

/// A table with one line for each point: Acc-2 "pos", Acc-7 and MAE with all modalities and with some dropped, and the
/// difference. Points of `full` that `without` lacks are left out.
pub fn table(full: &[Record], without: &[Record]) -> String {
    fn point(r: &Record) -> Point<'_> {
        Point { scheme: &r.scheme, channel: &r.channel, snr_db: r.snr_db, scores: [r.acc2_pos, r.acc7, r.mae] }
    }
    let clips = (full.first().map_or(0, |record| record.clips), without.first().map_or(0, |record| record.clips));
    let left = format!("{} of {} clips have something left", clips.1, clips.0);
    lines(&full.iter().map(point).collect::<Vec<_>>(), &without.iter().map(point).collect::<Vec<_>>(), &left)
}

/// A table with one line for each point: Acc-2 "pos", Acc-7 and MAE as means over several runs, with all modalities
/// and with some dropped, and the difference.
pub fn over_seeds(full: &[Summary], without: &[Summary]) -> String {
    fn point(s: &Summary) -> Point<'_> {
        let mean = |spread: Option<Spread>| spread.map(|s| s.mean);
        Point {
            scheme: &s.scheme,
            channel: &s.channel,
            snr_db: s.snr_db,
            scores: [mean(s.acc2_pos), mean(s.acc7), mean(s.mae)],
        }
    }
    let runs = format!("means over {} seeds", full.first().map_or(0, |summary| summary.runs));
    lines(&full.iter().map(point).collect::<Vec<_>>(), &without.iter().map(point).collect::<Vec<_>>(), &runs)
}

fn lines(full: &[Point], without: &[Point], what: &str) -> String {
    let Some(scheme) = without.first().map(|point| point.scheme) else { return String::new() };
    let mut out = format!(
        "{scheme}: {what}\n{:<12} {:>6}  {:^23}  {:^23}  {:^23}\n",
        "channel", "SNR dB", "Acc-2 pos", "Acc-7", "MAE"
    );
    for with in full {
        let same = |point: &&Point| (point.channel, point.snr_db) == (with.channel, with.snr_db);
        let Some(less) = without.iter().find(same) else { continue };
        let snr = with.snr_db.map_or("-".to_owned(), |snr| snr.to_string());
        out += &format!("{:<12} {snr:>6}", with.channel);
        for (with, less) in with.scores.into_iter().zip(less.scores) {
            let cell = match (with, less) {
                (Some(with), Some(less)) => format!("{with:.3} → {less:.3} ({:+.3})", less - with),
                _ => "-".to_owned(),
            };
            out += &format!("  {cell:>23}");
        }
        out.push('\n');
    }
    out
}
