//! The results of `trainer corpus inspect`.

use corpus::Modality;
use serde::Serialize;

/// Everything that `trainer corpus inspect` prints about a corpus.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// Name of the corpus.
    pub corpus: String,
    /// Number of clips in the corpus.
    pub clips: usize,
    /// Number of clips with a transcript.
    pub transcripts: usize,
    /// One row for each split, in order of appearance.
    pub splits: Vec<SplitRow>,
    /// One row for each modality of which some clip has features.
    pub modalities: Vec<ModalityRow>,
    /// Description of the clips that the baselines were measured on.
    pub measured_on: String,
    /// The best constant predictor, then a linear baseline for each modality, then one over all of them if there are
    /// several.
    pub baselines: Vec<BaselineRow>,
    /// Optimal scores of a generated corpus; `None` for a corpus folder.
    pub truth: Option<TruthRow>,
    /// Warnings about leaks of the label, missing features and uninformative modalities.
    pub warnings: Vec<String>,
}

/// Clips, videos and labels of one split.
#[derive(Clone, Debug, Serialize)]
pub struct SplitRow {
    /// Name of the split.
    pub split: String,
    /// Number of clips in the split.
    pub clips: usize,
    /// Number of videos with clips in the split.
    pub videos: usize,
    /// Number of labels below zero.
    pub negative: usize,
    /// Number of labels of exactly zero.
    pub zero: usize,
    /// Number of labels above zero.
    pub positive: usize,
    /// Number of clips by rounded label, −3 … 3.
    pub classes: [usize; 7],
}

/// Features of one modality, over all clips of the corpus.
#[derive(Clone, Debug, Serialize)]
pub struct ModalityRow {
    /// The modality: `text`, `audio` or `visual`.
    pub modality: Modality,
    /// Number of values per frame.
    pub width: usize,
    /// Number of clips that have the modality.
    pub clips: usize,
    /// Number of clips that lack the modality.
    pub lacking: usize,
    /// Fewest frames of a clip that has the modality.
    pub frames_min: usize,
    /// Mean number of frames of the clips that have the modality.
    pub frames_mean: f64,
    /// Most frames of a clip that has the modality.
    pub frames_max: usize,
    /// Number of values that were NaN and were replaced by 0.
    pub replaced_nan: u64,
    /// Number of values that were infinite and were replaced by 0.
    pub replaced_infinite: u64,
}

/// Scores of one baseline predictor without a network.
#[derive(Clone, Debug, Serialize)]
pub struct BaselineRow {
    /// What the prediction is made from: `best constant`, a modality, or `all`.
    pub from: String,
    /// Number of feature columns that the baseline uses; 0 for the best constant.
    pub columns: usize,
    /// Number of those columns that have the same value in every training clip.
    pub constant_columns: usize,
    /// Ridge penalty per training clip, chosen on folds by video; `None` for the best constant.
    pub penalty: Option<f64>,
    /// Acc-2 "pos": accuracy of the sign, clips with label 0 dropped.
    pub acc2_pos: Option<f64>,
    /// Mean absolute error of the predicted score.
    pub mae: Option<f64>,
    /// Pearson's correlation of predicted score and label; `None` for a constant.
    pub corr: Option<f64>,
}

/// Optimal scores of a corpus that `builtin` generates, and the information in its modalities.
#[derive(Clone, Debug, Serialize)]
pub struct TruthRow {
    /// Acc-2 "pos" of the Bayes decision from all modalities, over the generator's distribution.
    pub bayes_acc2_pos: f64,
    /// Acc-2 "pos" of the Bayes decision from any one modality, over the generator's distribution.
    pub bayes_acc2_pos_of_one: f64,
    /// Acc-2 "pos" of the Bayes decision from all modalities on the clips that the baselines were measured on.
    pub bayes_acc2_pos_here: Option<f64>,
    /// Mutual information in nats of the label factors of any two modalities.
    pub shared_about_label_nats: f64,
    /// Mutual information in nats of the irrelevant factors of any two modalities.
    pub shared_irrelevant_nats: f64,
}
