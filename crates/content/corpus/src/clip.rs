//! One clip: what is said, how it sounds, how the face moves, and the label.

use sequences::Sequence;

/// A clip of a corpus.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// Unique within the corpus.
    pub id: String,
    /// The video the clip was cut from; folds are cut along it.
    pub video_id: String,
    /// `train`, `valid`, `test` or whatever the corpus names.
    pub split: String,
    /// Sentiment in [−3, 3].
    pub label: f32,
    /// The transcript; may be empty.
    pub text: String,
    /// Features by [`Modality::index`](sequences::Modality::index); `None` where the clip lacks them.
    pub features: [Option<Sequence>; 3],
}
