//! The labels that the report of the demo needs.

use anyhow::Result;
use corpus::Corpus;
use metrics::BestConstant;

/// The labels of a corpus that the report needs.
pub struct Labels {
    /// Of the training split, empty if there is none.
    train: Vec<f32>,
    /// Of the split that was streamed.
    streamed: Vec<f32>,
}

impl Labels {
    /// From a corpus that has the split.
    ///
    /// # Errors
    /// If it has not.
    pub fn of(corpus: &Corpus, split: &str) -> Result<Labels> {
        let labels =
            |split: &str| -> Result<Vec<f32>> { Ok(corpus.split(split)?.iter().map(|(_, clip)| clip.label).collect()) };
        Ok(Labels { train: labels("train").unwrap_or_default(), streamed: labels(split)? })
    }

    /// Acc-2 "pos" of the best constant; none where there is nothing to fit it on.
    pub fn best_constant(&self) -> Option<f64> {
        BestConstant::fit(&self.train).ok()?.scores(&self.streamed).acc2_pos
    }
}
