//! The majority/median baseline in the output of an evaluation.

use anyhow::Result;
use corpus::Corpus;
use metrics::BestConstant;

/// A line with the scores of the majority/median baseline (best constant predictor) on `split`; empty if the corpus
/// has no training split to fit it on.
pub(super) fn constant_line(corpus: &Corpus, split: &str) -> Result<String> {
    let labels = |split: &str| -> Result<Vec<f32>, corpus::CorpusError> {
        Ok(corpus.split(split)?.iter().map(|(_, clip)| clip.label).collect())
    };
    let Ok(training) = labels("train") else {
        return Ok(String::new());
    };
    let scores = BestConstant::fit(&training)?.scores(&labels(split)?);
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.3}"));
    Ok(format!(
        "Majority/median baseline (best constant predictor, fitted on train): Acc-2 pos {}, nonneg {}, F1 pos {}, nonneg {}, Acc-7 {}, MAE {}.\n",
        number(scores.acc2_pos),
        number(scores.acc2_nonneg),
        number(scores.f1_pos),
        number(scores.f1_nonneg),
        number(scores.acc7),
        number(scores.mae)
    ))
}
