//! What a line can tell from the features: ridge regression on means over time.
//!
//! It shows a leak (a line that is nearly perfect) or a dead modality (a line no better than chance) before hours of
//! training hide it. Each clip is the mean of its frames, columns are standardised with the training clips, a missing modality is
//! the training mean. The penalty is the one of least squared error on folds by video of the training clips.

mod ridge;

use std::collections::HashSet;

use metrics::{Binary, mae, pearson};
use ridge::Ridge;

use crate::{Corpus, CorpusError, Modality, folds_by_video};

/// Penalties that are tried, per training clip; features have unit variance.
const PENALTIES: [f64; 6] = [0.01, 0.03, 0.1, 0.3, 1.0, 10.0];
/// Folds by video; fewer where there are fewer videos.
const FOLDS: usize = 5;

/// A fitted line and what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// The chosen penalty, per training clip.
    pub penalty: f64,
    /// Columns that are the same in every training clip.
    pub constant_columns: usize,
    /// All columns.
    pub columns: usize,
    /// Scores in [−3, 3] of the clips in the rows asked for, in their order.
    pub scores: Vec<f32>,
}

/// Scores against labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Decisions on the sign, clips with label 0 dropped (family "pos").
    pub sign: Binary,
    /// Mean absolute error over all clips.
    pub mae: Option<f64>,
    /// Pearson's correlation over all clips; `None` of a constant.
    pub corr: Option<f64>,
}

impl Fit {
    /// Compares scores with labels.
    pub fn of(scores: &[f32], labels: &[f32]) -> Self {
        let pairs: Vec<(f32, f32)> = scores.iter().copied().zip(labels.iter().copied()).collect();
        let signs = pairs.iter().filter(|(_, label)| *label != 0.0).map(|(score, label)| (*label > 0.0, *score > 0.0));
        Fit { sign: Binary::count(signs), mae: mae(&pairs), corr: pearson(&pairs) }
    }
}

/// Fits a line from the features of `modalities`, side by side, to the labels of `train`, and scores `rows`.
/// `None` where no training clip has any of the modalities.
///
/// # Errors
/// None but those of [`folds_by_video`], whose conditions are met here.
pub fn linear(
    corpus: &Corpus,
    modalities: &[Modality],
    train: &[usize],
    rows: &[usize],
) -> Result<Option<Baseline>, CorpusError> {
    let Some(scale) = Standardisation::fit(corpus, modalities, train) else {
        return Ok(None);
    };
    let design = |rows: &[usize]| rows.iter().map(|row| scale.apply(corpus, *row)).collect::<Vec<_>>();
    let labels: Vec<f64> = train.iter().map(|row| f64::from(corpus.clips[*row].label)).collect();
    let ridge = Ridge::new(design(train), labels);
    let penalty = choose_penalty(corpus, train, &ridge)?;
    let all: Vec<usize> = (0..train.len()).collect();
    let line = ridge.fit(&all, penalty);
    let scores = design(rows).iter().map(|x| line.predict(x).clamp(-3.0, 3.0) as f32).collect();
    let constant_columns = scale.inverse_sd.iter().filter(|inverse| **inverse == 0.0).count();
    Ok(Some(Baseline { penalty, constant_columns, columns: scale.inverse_sd.len(), scores }))
}

fn choose_penalty(corpus: &Corpus, train: &[usize], ridge: &Ridge) -> Result<f64, CorpusError> {
    // Positions within `train` stand for rows here, as the design matrix holds only these.
    let clips: Vec<_> = train.iter().enumerate().map(|(position, row)| (position, &corpus.clips[*row])).collect();
    let videos = clips.iter().map(|(_, clip)| clip.video_id.as_str()).collect::<HashSet<_>>().len();
    if videos < 2 {
        return Ok(1.0);
    }
    let n_folds = FOLDS.min(videos);
    let folds = (0..n_folds).map(|fold| folds_by_video(&clips, n_folds, fold, 0)).collect::<Result<Vec<_>, _>>()?;
    let errors: Vec<[f64; PENALTIES.len()]> = std::thread::scope(|scope| {
        let threads: Vec<_> = folds
            .iter()
            .map(|(kept, held_out)| {
                scope.spawn(move || PENALTIES.map(|penalty| ridge.squared_error(kept, held_out, penalty)))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a fold does not panic")).collect()
    });
    let total = |index: usize| errors.iter().map(|fold| fold[index]).sum::<f64>();
    let best = (0..PENALTIES.len()).min_by(|a, b| total(*a).total_cmp(&total(*b))).unwrap_or(0);
    Ok(PENALTIES[best])
}

/// Means over time, standardised with the training clips.
struct Standardisation {
    modalities: Vec<(Modality, usize)>,
    mean: Vec<f64>,
    /// 1 / standard deviation; 0 for a constant column.
    inverse_sd: Vec<f64>,
}

impl Standardisation {
    fn fit(corpus: &Corpus, modalities: &[Modality], train: &[usize]) -> Option<Self> {
        let with_width = |modality: &Modality| corpus.widths[modality.index()].map(|width| (*modality, width));
        let modalities: Vec<_> = modalities.iter().filter_map(with_width).collect();
        let (mut mean, mut inverse_sd) = (Vec::new(), Vec::new());
        let mut clips = 0;
        for (modality, width) in &modalities {
            let means: Vec<_> = train.iter().filter_map(|row| time_mean(corpus, *row, *modality)).collect();
            clips += means.len();
            let n = means.len().max(1) as f64;
            for column in 0..*width {
                let values = || means.iter().map(|x| x[column]);
                let m = values().sum::<f64>() / n;
                let sd = (values().map(|x| (x - m) * (x - m)).sum::<f64>() / n).sqrt();
                // Rounding leaves a constant column a spread of its own.
                let constant = sd <= 1e-9 * m.abs().max(f64::MIN_POSITIVE);
                mean.push(m);
                inverse_sd.push(if constant { 0.0 } else { 1.0 / sd });
            }
        }
        (clips > 0).then_some(Standardisation { modalities, mean, inverse_sd })
    }

    fn apply(&self, corpus: &Corpus, row: usize) -> Vec<f64> {
        let mut values = Vec::with_capacity(self.mean.len());
        for (modality, width) in &self.modalities {
            let start = values.len();
            let mean = time_mean(corpus, row, *modality).unwrap_or_else(|| self.mean[start..start + width].to_vec());
            values
                .extend(mean.iter().enumerate().map(|(i, x)| (x - self.mean[start + i]) * self.inverse_sd[start + i]));
        }
        values
    }
}

/// The mean of a clip's frames, `[width]`.
fn time_mean(corpus: &Corpus, row: usize, modality: Modality) -> Option<Vec<f64>> {
    let sequence = corpus.clips[row].features[modality.index()].as_ref()?;
    let mut mean = vec![0.0; sequence.width()];
    for frame in sequence.data().chunks_exact(sequence.width()) {
        mean.iter_mut().zip(frame).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    mean.iter_mut().for_each(|sum| *sum /= sequence.frames() as f64);
    Some(mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::tests::clip;
    use crate::{Sequence, builtin};

    fn rows(corpus: &Corpus, split: &str) -> Vec<usize> {
        corpus.split(split).unwrap().into_iter().map(|(row, _)| row).collect()
    }

    /// The generated corpus can be learnt: a line over all three comes near the Bayes accuracy, one modality near its own.
    #[test]
    fn a_line_learns_builtin() {
        let corpus = builtin::generate(0.5, 0).unwrap();
        let truth = builtin::truth(0.5).unwrap();
        let (train, test) = (rows(&corpus, "train"), rows(&corpus, "test"));
        let labels: Vec<f32> = test.iter().map(|row| corpus.clips[*row].label).collect();
        let accuracy = |modalities: &[Modality]| {
            let baseline = linear(&corpus, modalities, &train, &test).unwrap().unwrap();
            assert_eq!(baseline.constant_columns, 0);
            Fit::of(&baseline.scores, &labels).sign.accuracy().unwrap()
        };
        let joint = accuracy(&Modality::ALL);
        println!("joint {joint}");
        assert!(joint > 0.82, "{joint}");
        for modality in Modality::ALL {
            let one = accuracy(&[modality]);
            println!("{modality:?} {one}");
            assert!((one - truth.acc2_pos_of_one).abs() < 0.06, "{modality:?}: {one}");
        }
    }

    /// A column that is the label is found, constant columns are counted, an absent modality gives no line.
    #[test]
    fn leaks_and_constants_show() {
        let label = |i: usize| (i % 13) as f32 * 0.4 - 2.4;
        let clips = (0..60).map(|i| clip(&format!("c{i}"), &format!("v{}", i % 7), "train", label(i))).collect();
        let mut corpus = Corpus::new("toy", clips).unwrap();
        corpus.clips[3].features[1] = None;
        let all: Vec<usize> = (0..60).collect();
        let baseline = linear(&corpus, &[Modality::Audio], &all, &all).unwrap().unwrap();
        assert_eq!((baseline.columns, baseline.constant_columns), (2, 1));
        let labels: Vec<f32> = corpus.clips.iter().map(|clip| clip.label).collect();
        assert!(Fit::of(&baseline.scores, &labels).corr.unwrap() > 0.98);
        assert!(linear(&corpus, &[Modality::Text], &all, &all).unwrap().is_none());
    }

    /// More columns than clips, one video only.
    #[test]
    fn wide_features_and_a_single_video() {
        let mut clips: Vec<_> =
            (0..10).map(|i| clip(&format!("c{i}"), "v", "train", if i < 5 { -1.0 } else { 1.0 })).collect();
        for (i, clip) in clips.iter_mut().enumerate() {
            let values = (0..40).map(|j| if j == i { 1.0 } else { clip.label * 0.1 }).collect();
            clip.features[1] = Some(Sequence::new(40, values));
        }
        let corpus = Corpus::new("toy", clips).unwrap();
        let all: Vec<usize> = (0..10).collect();
        let baseline = linear(&corpus, &[Modality::Audio], &all, &all).unwrap().unwrap();
        let labels: Vec<f32> = corpus.clips.iter().map(|clip| clip.label).collect();
        assert_eq!(Fit::of(&baseline.scores, &labels).sign.accuracy(), Some(1.0));
    }
}
