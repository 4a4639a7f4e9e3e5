//! Records as a plain-text table.

use crate::Record;

const HEADER: [&str; 15] = [
    "channel",
    "SNR dB",
    "clips",
    "draws",
    "Acc-2 pos",
    "± sd",
    "Acc-2 nonneg",
    "F1 pos",
    "F1 nonneg",
    "Acc-7",
    "MAE",
    "corr",
    "ECE",
    "reference",
    "share of it [95 %]",
];

/// The records as lines of aligned columns, with the notes they need: the families, and `*` at each SNR outside the
/// training range.
pub fn table(records: &[Record]) -> String {
    let mut lines: Vec<Vec<String>> = vec![HEADER.map(str::to_owned).to_vec()];
    lines.extend(records.iter().map(|r| cells(r).to_vec()));
    let mut out = aligned(&lines);
    if records.iter().any(outside) {
        out += "*: outside the range of SNRs trained at.\n";
    }
    if let Some(record) = records.first() {
        out += &notes(record);
    }
    out
}

/// Lines of cells as lines of text in columns.
pub(crate) fn aligned(lines: &[Vec<String>]) -> String {
    let mut out = String::new();
    for line in lines {
        let mut text = String::new();
        for (column, cell) in line.iter().enumerate() {
            let width = lines.iter().map(|l| l[column].chars().count()).max().unwrap_or(0);
            // Names stand left, numbers right.
            text += &if column == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") };
        }
        out += text.trim_end();
        out.push('\n');
    }
    out
}

/// What the figures mean, as every table says it.
pub(crate) fn notes(record: &Record) -> String {
    format!(
        "SNR: Es/N0 per complex symbol, mean |x|^2 = 1 and one h per burst; perfect CSI, {} equaliser.\n\
         pos (Non0 in MMSA): clips with label 0 dropped, truth y > 0. nonneg (Has0): all clips, truth y >= 0. F1 is weighted by support.\n\
         Acc-7: most likely class. MAE and corr: all clips. ECE: of the sign. reference: matched filter for Acc-2 pos at this system's \
         noiseless Acc-2 pos.\n",
        record.equaliser
    )
}

fn outside(record: &Record) -> bool {
    record.in_training_range == Some(false)
}

fn cells(record: &Record) -> [String; 15] {
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.3}"));
    let mark = if outside(record) { "*" } else { "" };
    let share = match (record.share(), record.reference_acc2, record.acc2_pos_interval) {
        (_, Some(reference), Some(interval)) => {
            let share = interval.share_of(reference);
            format!("{:.3} [{:.3}, {:.3}]", share.estimate, share.low, share.high)
        }
        (Some(share), ..) => format!("{share:.3}"),
        _ => "-".to_owned(),
    };
    [
        record.channel.clone(),
        record.snr_db.map_or("-".to_owned(), |snr| format!("{snr}{mark}")),
        record.clips.to_string(),
        record.draws.to_string(),
        number(record.acc2_pos),
        number(record.acc2_pos_sd),
        number(record.acc2_nonneg),
        number(record.f1_pos),
        number(record.f1_nonneg),
        number(record.acc7),
        number(record.mae),
        number(record.corr),
        number(record.ece),
        number(record.reference_acc2),
        share,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Interval;

    #[test]
    fn the_family_and_points_outside_the_range_are_marked() {
        let record = Record {
            scheme: "proposed".into(),
            corpus: "builtin".into(),
            split: "test".into(),
            channel: "rayleigh".into(),
            snr_db: Some(-18.0),
            equaliser: "mmse".into(),
            in_training_range: Some(false),
            clips: 686,
            draws: 10,
            acc2_nonneg: Some(0.7),
            acc2_pos: Some(0.72),
            acc2_pos_sd: Some(0.01),
            f1_nonneg: Some(0.69),
            f1_pos: Some(0.71),
            acc7: Some(0.4),
            acc7_rounded: Some(0.38),
            mae: Some(0.9),
            corr: None,
            mae_nonzero: None,
            corr_nonzero: None,
            reference_acc2: Some(0.75),
            ece: Some(0.02),
            seed: 0,
            model_id: "abc".into(),
            training_seed: None,
            symbols: Some(25),
            channel_uses: Some(25.0),
            clips_nonzero: Some(656),
            acc2_pos_interval: Some(Interval { estimate: 0.72, low: 0.69, high: 0.75 }),
        };
        let inside = Record { snr_db: Some(3.0), in_training_range: Some(true), ..record.clone() };
        let text = table(&[record, inside.clone()]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].contains("Acc-2 pos") && lines[0].contains("Acc-2 nonneg"), "{text}");
        assert!(lines[1].contains("-18*") && lines[1].ends_with("0.960 [0.920, 1.000]"), "{text}");
        assert!(!lines[2].contains('*') && lines[3].starts_with("*: outside"), "{text}");
        assert_eq!(lines[0].chars().count(), lines[1].chars().count().max(lines[0].chars().count()));
        assert!(!table(&[inside]).contains("*:"));
    }
}
