//! What is lost without some modalities, point by point.

use metrics::Record;

/// One line a point: Acc-2 "pos", Acc-7 and MAE with and without, and the difference. The points of `full` that `without`
/// lacks are left out.
pub fn table(full: &[Record], without: &[Record]) -> String {
    let Some(scheme) = without.first().map(|record| &record.scheme) else { return String::new() };
    let clips = (full.first().map_or(0, |record| record.clips), without.first().map_or(0, |record| record.clips));
    let mut out = format!(
        "{scheme}: {} of {} clips have something left\n{:<12} {:>6}  {:^23}  {:^23}  {:^23}\n",
        clips.1, clips.0, "channel", "SNR dB", "Acc-2 pos", "Acc-7", "MAE"
    );
    for with in full {
        let same = |record: &&Record| record.channel == with.channel && record.snr_db == with.snr_db;
        let Some(less) = without.iter().find(same) else { continue };
        let snr = with.snr_db.map_or("-".to_owned(), |snr| snr.to_string());
        out += &format!("{:<12} {snr:>6}", with.channel);
        for (with, less) in [(with.acc2_pos, less.acc2_pos), (with.acc7, less.acc7), (with.mae, less.mae)] {
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
