//! The record of one point of a sweep: what `demo`, `evaluate` and `send` print and write alike.

use std::{cmp::Ordering, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use crate::{
    Binary, Fading, Interval, PredictionRow, label_class, mae, matched_filter, mean_interval, mean_sd, pearson,
    sign_ece, wilson, wilson_of_rate,
};

/// What the records of a sweep have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    /// The scheme's name.
    pub scheme: String,
    /// The corpus's name.
    pub corpus: String,
    /// The split evaluated.
    pub split: String,
    /// `mmse` or `zf`.
    pub equaliser: String,
    /// Lowest and highest SNR trained at, in dB, inclusive; `None` if not known or trained without noise.
    pub training_snr_db: Option<(f64, f64)>,
    /// Complex symbols of one burst; 0: clips differ in that, and there is no reference.
    pub symbols: usize,
    /// Of the weights.
    pub model_id: String,
    /// The seed of the channel.
    pub seed: u64,
    /// The seed that the weights were trained with; `None` where it is not known.
    pub training_seed: Option<u64>,
}

/// One point of a sweep. All metrics pool the point's clips and draws; `None` (null) where one has no meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The scheme's name.
    pub scheme: String,
    /// The corpus's name.
    pub corpus: String,
    /// The split evaluated.
    pub split: String,
    /// `none`, `awgn`, `rayleigh`, `rician:K`.
    pub channel: String,
    /// Es/N0; null for `none`.
    pub snr_db: Option<f64>,
    /// `mmse` or `zf`.
    pub equaliser: String,
    /// Whether the SNR lies within the range trained at; null for `none` and where the range is not known.
    pub in_training_range: Option<bool>,
    /// Distinct clips.
    pub clips: usize,
    /// Distinct draws; 1 for `none`, which has no randomness.
    pub draws: usize,
    /// Acc-2 "nonneg".
    pub acc2_nonneg: Option<f64>,
    /// Acc-2 "pos".
    pub acc2_pos: Option<f64>,
    /// Standard deviation of Acc-2 "pos" over complete draws, those that have a prediction of every clip of the point; null below
    /// two such draws.
    pub acc2_pos_sd: Option<f64>,
    /// Weighted F1 "nonneg".
    pub f1_nonneg: Option<f64>,
    /// Weighted F1 "pos".
    pub f1_pos: Option<f64>,
    /// Acc-7 of the most likely class.
    pub acc7: Option<f64>,
    /// Acc-7 of the rounded score.
    pub acc7_rounded: Option<f64>,
    /// Mean absolute error over all clips.
    pub mae: Option<f64>,
    /// Pearson correlation over all clips; null of a constant.
    pub corr: Option<f64>,
    /// Mean absolute error over clips with y ≠ 0.
    pub mae_nonzero: Option<f64>,
    /// Pearson correlation over clips with y ≠ 0.
    pub corr_nonzero: Option<f64>,
    /// The matched-filter reference for Acc-2 "pos" at the noiseless accuracy of the same system; null where that is not
    /// known and for channels without a formula (`none`, `rician`).
    pub reference_acc2: Option<f64>,
    /// Expected calibration error of the sign.
    pub ece: Option<f64>,
    /// The seed of the channel.
    pub seed: u64,
    /// Of the weights.
    pub model_id: String,
    /// The seed that the weights were trained with; null where it is not known.
    #[serde(default)]
    pub training_seed: Option<u64>,
    /// Complex symbols of every clip's burst; null where clips differ in that.
    #[serde(default)]
    pub symbols: Option<usize>,
    /// Complex channel uses of a clip, the mean over clips: `symbols` where all have as many; null where they differ and were not
    /// counted.
    #[serde(default)]
    pub channel_uses: Option<f64>,
    /// Distinct clips with y ≠ 0, those that Acc-2 "pos" and F1 "pos" are over.
    #[serde(default)]
    pub clips_nonzero: Option<usize>,
    /// 95 % interval of `acc2_pos`: Wilson's for one draw, over the clips' means for several. Not written to files.
    #[serde(skip)]
    pub acc2_pos_interval: Option<Interval>,
}

impl Record {
    /// Wilson's 95 % interval of Acc-2 "pos", were each clip one trial: the draws of one clip are not independent of each other.
    /// `None` where the accuracy or the number of clips is not known.
    pub fn acc2_pos_binomial(&self) -> Option<Interval> {
        wilson_of_rate(self.acc2_pos?, self.clips_nonzero? as u64)
    }

    /// Wilson's 95 % interval of Acc-7, were each clip one trial. `None` where there is no clip.
    pub fn acc7_binomial(&self) -> Option<Interval> {
        wilson_of_rate(self.acc7?, self.clips as u64)
    }

    /// The share of the matched-filter reference that Acc-2 "pos" reaches.
    pub fn share(&self) -> Option<f64> {
        Some(self.acc2_pos? / self.reference_acc2?)
    }
}

/// One record for every (channel, SNR) among `rows`: `none` first, then AWGN, Rayleigh and others by name, SNR rising. The
/// order of `rows` does not matter, to the last bit. The reference is computed from `noiseless`, or where that is `None` from
/// the rows of channel `none`.
pub fn records(rows: &[PredictionRow], context: &Context, noiseless: Option<&[PredictionRow]>) -> Vec<Record> {
    let mut points: BTreeMap<Point, Vec<&PredictionRow>> = BTreeMap::new();
    for row in rows {
        points.entry(Point::of(row)).or_default().push(row);
    }
    let source = match noiseless {
        Some(rows) => Binary::pos(rows.iter().map(PredictionRow::pair)).source(),
        None => Binary::pos(rows.iter().filter(|r| r.channel == "none").map(PredictionRow::pair)).source(),
    };
    let record = |(point, mut rows): (Point, Vec<&PredictionRow>)| {
        rows.sort_by_key(|r| (r.draw, r.row));
        let fading = match point.channel {
            "awgn" => Some(Fading::None),
            "rayleigh" => Some(Fading::Rayleigh),
            _ => None,
        };
        let reference = source
            .zip(fading)
            .zip(point.snr_db)
            .filter(|_| context.symbols > 0)
            .map(|((source, fading), snr)| matched_filter(&source, context.symbols, snr, fading));
        Record { reference_acc2: reference, ..score(&point, &rows, context) }
    };
    points.into_iter().map(record).collect()
}

/// Everything but the reference.
fn score(point: &Point, rows: &[&PredictionRow], context: &Context) -> Record {
    let pairs = || rows.iter().map(|r| r.pair());
    let (nonneg, pos) = (Binary::nonneg(pairs()), Binary::pos(pairs()));
    let scores: Vec<(f32, f32)> = pairs().map(|(p, y)| (p.score, y)).collect();
    let nonzero: Vec<(f32, f32)> = scores.iter().copied().filter(|(_, y)| *y != 0.0).collect();
    let met = |class: fn(&PredictionRow) -> i8| {
        rows.iter().filter(|r| class(r) == label_class(r.label)).count() as f64 / rows.len() as f64
    };
    let spread = SignSpread::of(rows);
    let within = |snr: f64| context.training_snr_db.map(|(low, high)| (low..=high).contains(&snr));
    Record {
        scheme: context.scheme.clone(),
        corpus: context.corpus.clone(),
        split: context.split.clone(),
        channel: point.channel.to_owned(),
        snr_db: point.snr_db,
        equaliser: context.equaliser.clone(),
        in_training_range: point.snr_db.and_then(within),
        clips: spread.clips,
        draws: spread.draws,
        acc2_nonneg: nonneg.accuracy(),
        acc2_pos: pos.accuracy(),
        acc2_pos_sd: spread.sd,
        f1_nonneg: nonneg.f1(),
        f1_pos: pos.f1(),
        acc7: Some(met(|r| r.prediction.class())),
        acc7_rounded: Some(met(|r| r.prediction.rounded())),
        mae: mae(&scores),
        corr: pearson(&scores),
        mae_nonzero: mae(&nonzero),
        corr_nonzero: pearson(&nonzero),
        reference_acc2: None,
        ece: sign_ece(pairs()),
        seed: context.seed,
        model_id: context.model_id.clone(),
        training_seed: context.training_seed,
        symbols: (context.symbols > 0).then_some(context.symbols),
        channel_uses: (context.symbols > 0).then_some(context.symbols as f64),
        clips_nonzero: Some(spread.clips_nonzero),
        acc2_pos_interval: spread.interval,
    }
}

/// How Acc-2 "pos" spreads over draws and over clips.
struct SignSpread {
    clips: usize,
    clips_nonzero: usize,
    draws: usize,
    sd: Option<f64>,
    interval: Option<Interval>,
}

impl SignSpread {
    fn of(rows: &[&PredictionRow]) -> Self {
        let mut draws: BTreeMap<u32, Vec<&PredictionRow>> = BTreeMap::new();
        let mut clips: BTreeMap<(u64, &str), Vec<&PredictionRow>> = BTreeMap::new();
        for row in rows {
            draws.entry(row.draw).or_default().push(row);
            clips.entry((row.row, &row.id)).or_default().push(row);
        }
        let count = |rows: &[&PredictionRow]| Binary::pos(rows.iter().map(|r| r.pair()));
        let accuracies = |groups: Vec<&Vec<&PredictionRow>>| -> Vec<f64> {
            groups.into_iter().filter_map(|rows| count(rows).accuracy()).collect()
        };
        let all = count(rows);
        // A draw that was cut short, or that lost clips on the way, is over other clips than the rest: its accuracy differs for that.
        let complete = draws.values().filter(|rows| rows.len() == clips.len()).collect();
        SignSpread {
            clips: clips.len(),
            clips_nonzero: clips.values().filter(|rows| rows[0].label != 0.0).count(),
            draws: draws.len(),
            sd: mean_sd(&accuracies(complete)).and_then(|(_, sd)| sd),
            interval: match draws.len() {
                1 => wilson(all.correct(), all.total()),
                _ => mean_interval(&accuracies(clips.values().collect())),
            },
        }
    }
}

/// A channel at an SNR, ordered as records are.
struct Point<'a> {
    channel: &'a str,
    snr_db: Option<f64>,
}

impl<'a> Point<'a> {
    fn of(row: &'a PredictionRow) -> Self {
        Point { channel: &row.channel, snr_db: row.snr_db }
    }

    fn rank(&self) -> usize {
        ["none", "awgn", "rayleigh"].iter().position(|c| *c == self.channel).unwrap_or(3)
    }
}

impl Ord for Point<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let snr = |p: &Self| p.snr_db.unwrap_or(f64::NEG_INFINITY);
        (self.rank(), self.channel).cmp(&(other.rank(), other.channel)).then_with(|| snr(self).total_cmp(&snr(other)))
    }
}

impl PartialOrd for Point<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Point<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Point<'_> {}

#[cfg(test)]
mod tests;
