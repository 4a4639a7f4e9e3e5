//! The best constant: what one answer for every clip reaches. Fitted on the training split.

use crate::{Binary, label_class, mae};

/// One constant per metric, each the best on the labels it was fitted on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestConstant {
    /// The more frequent truth of the family "nonneg". It is best for Acc-2 and for F1 alike: the weighted F1 of a
    /// constant that is right in a share q of the clips is 2q²/(1+q), which grows with q.
    pub nonneg: bool,
    /// The more frequent truth of the family "pos", best for Acc-2 and F1 alike.
    pub pos: bool,
    /// The most frequent class, −3 … 3, for Acc-7.
    pub class: i8,
    /// The median label, for MAE.
    pub score: f32,
}

/// There are no labels to fit a constant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no labels to fit the best constant on")]
pub struct NoLabels;

/// What the constants reach on other labels; `None` where no label counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConstantScores {
    /// Acc-2 "nonneg".
    pub acc2_nonneg: Option<f64>,
    /// Acc-2 "pos".
    pub acc2_pos: Option<f64>,
    /// F1 "nonneg".
    pub f1_nonneg: Option<f64>,
    /// F1 "pos".
    pub f1_pos: Option<f64>,
    /// Acc-7.
    pub acc7: Option<f64>,
    /// Mean absolute error over all clips.
    pub mae: Option<f64>,
}

impl BestConstant {
    /// The best constants for these labels; positive where both signs are as frequent, the lowest of equally frequent
    /// classes.
    ///
    /// # Errors
    /// If there are no labels.
    pub fn fit(labels: &[f32]) -> Result<Self, NoLabels> {
        let mut sorted = labels.to_vec();
        sorted.sort_by(f32::total_cmp);
        let (Some(lower), Some(upper)) = (sorted.get((sorted.len().max(1) - 1) / 2), sorted.get(sorted.len() / 2))
        else {
            return Err(NoLabels);
        };
        let mut counts = [0u64; 7];
        for label in labels {
            counts[(label_class(*label) + 3) as usize] += 1;
        }
        let most = (1..7).fold(0, |best, k| if counts[k] > counts[best] { k } else { best });
        let count = |holds: fn(f32) -> bool| labels.iter().filter(|y| holds(**y)).count();
        Ok(BestConstant {
            nonneg: count(|y| y >= 0.0) >= count(|y| y < 0.0),
            pos: count(|y| y > 0.0) >= count(|y| y < 0.0),
            class: most as i8 - 3,
            score: (lower + upper) / 2.0,
        })
    }

    /// What these constants reach on `labels`.
    pub fn scores(&self, labels: &[f32]) -> ConstantScores {
        let nonneg = Binary::count(labels.iter().map(|y| (*y >= 0.0, self.nonneg)));
        let pos = Binary::count(labels.iter().filter(|y| **y != 0.0).map(|y| (*y > 0.0, self.pos)));
        let met = labels.iter().filter(|y| label_class(**y) == self.class).count();
        let pairs: Vec<(f32, f32)> = labels.iter().map(|y| (self.score, *y)).collect();
        ConstantScores {
            acc2_nonneg: nonneg.accuracy(),
            acc2_pos: pos.accuracy(),
            f1_nonneg: nonneg.f1(),
            f1_pos: pos.f1(),
            acc7: (!labels.is_empty()).then(|| met as f64 / labels.len() as f64),
            mae: mae(&pairs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_constant_is_better_where_it_was_fitted() {
        let labels = [-2.6, -1.0, -0.8, 0.0, 0.0, 0.4, 1.2, -3.0, -1.4, 0.2];
        let best = BestConstant::fit(&labels).unwrap();
        let scores = best.scores(&labels);
        for pos in [false, true] {
            for nonneg in [false, true] {
                for class in -3..=3 {
                    for tenth in -30..=30 {
                        let other = BestConstant { nonneg, pos, class, score: tenth as f32 / 10.0 }.scores(&labels);
                        assert!(scores.acc2_nonneg >= other.acc2_nonneg && scores.acc2_pos >= other.acc2_pos);
                        assert!(scores.f1_nonneg >= other.f1_nonneg && scores.f1_pos >= other.f1_pos);
                        assert!(scores.acc7 >= other.acc7);
                        assert!(scores.mae.unwrap() <= other.mae.unwrap() + 1e-6);
                    }
                }
            }
        }
        // The families disagree here: 5 of 10 are not negative, 3 of 8 are positive.
        assert_eq!((best.nonneg, best.pos, best.class), (true, false, 0));
        assert_eq!(scores.acc2_pos, Some(0.625));
    }

    #[test]
    fn without_labels_there_is_no_constant() {
        assert_eq!(BestConstant::fit(&[]), Err(NoLabels));
        let constant = BestConstant::fit(&[1.0]).unwrap();
        assert_eq!(constant.score, 1.0);
        assert_eq!(constant.scores(&[0.0]).acc2_pos, None);
    }
}
