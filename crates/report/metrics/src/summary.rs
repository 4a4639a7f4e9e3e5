//! Several runs of one system that differ in their seeds: mean and spread, point by point.

use crate::table::{aligned, notes};
use crate::{Record, mean_sd};
use serde::Serialize;

/// Mean and sample standard deviation (n − 1) over runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation; null for one run.
    pub sd: Option<f64>,
}

impl Spread {
    /// `None` unless every run has a value.
    pub fn of(values: impl IntoIterator<Item = Option<f64>>) -> Option<Spread> {
        let values: Option<Vec<f64>> = values.into_iter().collect();
        mean_sd(&values?).map(|(mean, sd)| Spread { mean, sd })
    }

    /// `0.832 ± 0.012`.
    pub fn text(self) -> String {
        let sd = self.sd.map_or(String::new(), |sd| format!(" ± {sd:.3}"));
        format!("{:.3}{sd}", self.mean)
    }
}

/// One point of a sweep over several runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The scheme's name.
    pub scheme: String,
    /// `none`, `awgn`, `rayleigh`, `rician:K`.
    pub channel: String,
    /// Es/N0; null for `none`.
    pub snr_db: Option<f64>,
    /// Whether the SNR lies within the range trained at.
    pub in_training_range: Option<bool>,
    /// Runs.
    pub runs: usize,
    /// Acc-2 "pos".
    pub acc2_pos: Option<Spread>,
    /// Acc-2 "nonneg".
    pub acc2_nonneg: Option<Spread>,
    /// Weighted F1 "pos".
    pub f1_pos: Option<Spread>,
    /// Acc-7 of the most likely class.
    pub acc7: Option<Spread>,
    /// Mean absolute error.
    pub mae: Option<Spread>,
    /// Pearson correlation.
    pub corr: Option<Spread>,
    /// Expected calibration error of the sign.
    pub ece: Option<Spread>,
    /// Share of the matched-filter reference that each run's Acc-2 "pos" reaches, the reference taken at the run's own noiseless
    /// accuracy.
    pub share: Option<Spread>,
}

/// Summaries of runs over the same points, in the order of the first run. Points that another run lacks are left out.
pub fn summaries(runs: &[Vec<Record>]) -> Vec<Summary> {
    let Some(first) = runs.first() else { return Vec::new() };
    let summary = |point: &Record| {
        let same = |r: &&Record| (&r.scheme, &r.channel, r.snr_db) == (&point.scheme, &point.channel, point.snr_db);
        let records: Vec<&Record> = runs.iter().map(|run| run.iter().find(same)).collect::<Option<_>>()?;
        let spread = |value: fn(&Record) -> Option<f64>| Spread::of(records.iter().map(|r| value(r)));
        Some(Summary {
            scheme: point.scheme.clone(),
            channel: point.channel.clone(),
            snr_db: point.snr_db,
            in_training_range: point.in_training_range,
            runs: records.len(),
            acc2_pos: spread(|r| r.acc2_pos),
            acc2_nonneg: spread(|r| r.acc2_nonneg),
            f1_pos: spread(|r| r.f1_pos),
            acc7: spread(|r| r.acc7),
            mae: spread(|r| r.mae),
            corr: spread(|r| r.corr),
            ece: spread(|r| r.ece),
            share: spread(Record::share),
        })
    };
    first.iter().filter_map(summary).collect()
}

/// The summaries as lines of aligned columns, with the notes they need. `point` is one of the records they were made from.
pub fn summary_table(summaries: &[Summary], point: &Record) -> String {
    const HEADER: [&str; 10] = [
        "channel",
        "SNR dB",
        "Acc-2 pos",
        "Acc-2 nonneg",
        "F1 pos",
        "Acc-7",
        "MAE",
        "corr",
        "ECE",
        "share of reference",
    ];
    let mut lines = vec![HEADER.map(str::to_owned).to_vec()];
    for s in summaries {
        let mark = if s.in_training_range == Some(false) { "*" } else { "" };
        let mut line = vec![s.channel.clone(), s.snr_db.map_or("-".to_owned(), |snr| format!("{snr}{mark}"))];
        let spreads = [s.acc2_pos, s.acc2_nonneg, s.f1_pos, s.acc7, s.mae, s.corr, s.ece, s.share];
        line.extend(spreads.map(|spread| spread.map_or("-".to_owned(), Spread::text)));
        lines.push(line);
    }
    let mut out = aligned(&lines);
    if summaries.iter().any(|s| s.in_training_range == Some(false)) {
        out += "*: outside the range of SNRs trained at.\n";
    }
    let runs = summaries.first().map_or(0, |s| s.runs);
    out += &format!(
        "Mean ± standard deviation over {runs} training seeds; {} clips, {} draws each.\n",
        point.clips, point.draws
    );
    out += &notes(point);
    let shares: Vec<(f64, &Summary)> = summaries.iter().filter_map(|s| Some((s.share?.mean, s))).collect();
    if let Some((least, at)) = shares.iter().min_by(|a, b| a.0.total_cmp(&b.0)) {
        let mean = shares.iter().map(|(share, _)| share).sum::<f64>() / shares.len() as f64;
        let snr = at.snr_db.map_or(String::new(), |snr| format!(" at {snr} dB"));
        out += &format!(
            "Share of the reference: mean {mean:.3} over the points, least {least:.3} ({}{snr}).\n",
            at.channel
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Prediction, PredictionRow, records};

    /// A run whose first `right` of ten clips are right, noiseless and at 0 dB.
    fn run(right: u64) -> Vec<Record> {
        let row = |index: u64, snr_db: Option<f64>| {
            let positive = (index < right) == index.is_multiple_of(2);
            let p_pos = if positive { 0.75 } else { 0.25 };
            let mut classes = [0.0; 7];
            (classes[2], classes[4]) = (1.0 - p_pos, p_pos);
            PredictionRow {
                id: index.to_string(),
                row: index,
                draw: 0,
                channel: if snr_db.is_some() { "awgn" } else { "none" }.into(),
                snr_db,
                label: if index.is_multiple_of(2) { 1.0 } else { -1.0 },
                prediction: Prediction { p_neg: 1.0 - p_pos, p_zero: 0.0, p_pos, classes, score: 2.0 * p_pos - 1.0 },
                h_re: 1.0,
                h_im: 0.0,
            }
        };
        let rows: Vec<PredictionRow> = [None, Some(0.0)].iter().flat_map(|snr| (0..10).map(|i| row(i, *snr))).collect();
        let context = Context {
            scheme: "proposed".into(),
            corpus: "c".into(),
            split: "test".into(),
            equaliser: "mmse".into(),
            training_snr_db: Some((3.0, 21.0)),
            symbols: 25,
            model_id: "m".into(),
            seed: 0,
            training_seed: None,
        };
        records(&rows, &context, None)
    }

    #[test]
    fn means_and_spreads_over_runs() {
        let runs = [run(8), run(10)];
        let all = summaries(&runs);
        assert_eq!((all.len(), all[0].runs), (2, 2));
        let accuracy = all[0].acc2_pos.unwrap();
        assert!((accuracy.mean - 0.9).abs() < 1e-12 && (accuracy.sd.unwrap() - 0.02f64.sqrt()).abs() < 1e-12);
        // Without noise there is no reference; at 0 dB over 25 symbols it is the noiseless accuracy itself.
        assert!(all[0].share.is_none() && (all[1].share.unwrap().mean - 1.0).abs() < 1e-6);
        let text = summary_table(&all, &runs[0][1]);
        assert!(text.contains("0.900 ± 0.141") && text.contains("0*") && text.contains("least 1.000 (awgn at 0 dB)"));
    }

    #[test]
    fn a_point_that_a_run_lacks_is_left_out() {
        let mut other = run(8);
        other.truncate(1);
        let all = summaries(&[run(8), other]);
        assert_eq!(all.iter().map(|s| s.channel.as_str()).collect::<Vec<_>>(), ["none"]);
        assert_eq!(summaries(&[run(8)])[0].acc2_pos.unwrap().sd, None);
        assert!(summaries(&[]).is_empty());
    }
}
