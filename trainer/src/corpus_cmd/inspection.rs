//! What `trainer corpus inspect` finds in a corpus.

use corpus::Modality;
use serde::Serialize;

/// Everything `inspect` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// Name of the corpus.
    pub corpus: String,
    /// Number of clips.
    pub clips: usize,
    /// Clips with a transcript.
    pub transcripts: usize,
    /// The splits, in order of appearance.
    pub splits: Vec<SplitRow>,
    /// The modalities of which some clip has features.
    pub modalities: Vec<ModalityRow>,
    /// What the baselines were measured on.
    pub measured_on: String,
    /// The best constant, then a line per modality, then a line over all of them.
    pub baselines: Vec<BaselineRow>,
    /// What is true of a generated corpus.
    pub truth: Option<TruthRow>,
    /// What looks wrong.
    pub warnings: Vec<String>,
}

/// Labels of one split.
#[derive(Clone, Debug, Serialize)]
pub struct SplitRow {
    /// Name of the split.
    pub split: String,
    /// Number of clips.
    pub clips: usize,
    /// Number of videos.
    pub videos: usize,
    /// Labels below zero.
    pub negative: usize,
    /// Labels of exactly zero.
    pub zero: usize,
    /// Labels above zero.
    pub positive: usize,
    /// Clips by rounded label, −3 … 3.
    pub classes: [usize; 7],
}

/// Features of one modality.
#[derive(Clone, Debug, Serialize)]
pub struct ModalityRow {
    /// `text`, `audio` or `visual`.
    pub modality: Modality,
    /// Values per frame.
    pub width: usize,
    /// Clips that have the modality.
    pub clips: usize,
    /// Clips that lack it.
    pub lacking: usize,
    /// Fewest frames of a clip that has it.
    pub frames_min: usize,
    /// Mean number of frames.
    pub frames_mean: f64,
    /// Most frames.
    pub frames_max: usize,
    /// Values that were NaN and became 0.
    pub replaced_nan: u64,
    /// Values that were infinite and became 0.
    pub replaced_infinite: u64,
}

/// What a predictor without a network reaches.
#[derive(Clone, Debug, Serialize)]
pub struct BaselineRow {
    /// `best constant`, a modality, or `all`.
    pub from: String,
    /// Columns of features.
    pub columns: usize,
    /// Columns that never change.
    pub constant_columns: usize,
    /// Penalty per training clip, chosen on folds by video.
    pub penalty: Option<f64>,
    /// Acc-2, clips with label 0 dropped.
    pub acc2_pos: Option<f64>,
    /// Mean absolute error.
    pub mae: Option<f64>,
    /// Pearson's correlation; none of a constant.
    pub corr: Option<f64>,
}

/// The generator's own numbers.
#[derive(Clone, Debug, Serialize)]
pub struct TruthRow {
    /// Bayes Acc-2 (family "pos") from all modalities.
    pub bayes_acc2_pos: f64,
    /// The same from any one modality.
    pub bayes_acc2_pos_of_one: f64,
    /// What the Bayes decision reaches on the clips the baselines were measured on.
    pub bayes_acc2_pos_here: Option<f64>,
    /// Mutual information in nats of the label factors of any two modalities.
    pub shared_about_label_nats: f64,
    /// Mutual information in nats of their irrelevant factors.
    pub shared_irrelevant_nats: f64,
}
