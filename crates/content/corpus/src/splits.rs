//! Splits for clips that come without.

use std::collections::BTreeSet;

use crate::{Clip, CorpusError, folds_by_video};

/// The clips as they are if each has a split. Otherwise the clips of a fifth of the videos become `test`, those of the
/// others `train`; of a single video all become `train`, for one video cannot be cut.
///
/// # Errors
/// [`CorpusError::Folds`], if the folds cannot be cut.
pub fn with_splits(mut clips: Vec<Clip>) -> Result<Vec<Clip>, CorpusError> {
    if clips.iter().all(|clip| !clip.split.is_empty()) {
        return Ok(clips);
    }
    let videos = clips.iter().map(|clip| &clip.video_id).collect::<BTreeSet<_>>().len();
    let rows: Vec<(usize, &Clip)> = clips.iter().enumerate().collect();
    let test: BTreeSet<usize> = match videos {
        0 | 1 => BTreeSet::new(),
        _ => folds_by_video(&rows, videos.min(5), 0, 0)?.1.into_iter().collect(),
    };
    for (row, clip) in clips.iter_mut().enumerate() {
        clip.split = if test.contains(&row) { "test" } else { "train" }.into();
    }
    Ok(clips)
}
