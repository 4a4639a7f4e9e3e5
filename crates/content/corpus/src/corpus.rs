//! A corpus: clips in rows, with the splits they belong to.

use std::collections::HashMap;

use crate::values::{LABEL_RANGE, Replaced};
use crate::{Clip, CorpusError, Modality, Origins};

/// Clips in a fixed order; a clip's row is its index.
#[derive(Clone, Debug, PartialEq)]
pub struct Corpus {
    /// Shown in results and messages.
    pub name: String,
    /// The clips by row.
    pub clips: Vec<Clip>,
    /// Feature width by [`Modality::index`]; `None` where no clip has the modality.
    pub widths: [Option<usize>; 3],
    /// What was replaced on reading, by [`Modality::index`].
    pub replaced: [Replaced; 3],
    /// What made the features, where that is known.
    pub origins: Origins,
}

impl Corpus {
    /// Checks the clips and finds the widths.
    ///
    /// # Errors
    /// If there is no clip, or one has an empty or repeated id, an empty video or split, a label outside
    /// [−3, 3], nothing to predict from, a value that is not finite, or a width that differs from the clips before it.
    pub fn new(name: impl Into<String>, clips: Vec<Clip>) -> Result<Corpus, CorpusError> {
        let name = name.into();
        if clips.is_empty() {
            return Err(CorpusError::Empty { corpus: name });
        }
        let mut widths = [None; 3];
        let mut rows = HashMap::with_capacity(clips.len());
        for (row, clip) in clips.iter().enumerate() {
            let wrong = |field, problem: String| CorpusError::Clip {
                corpus: name.clone(),
                row,
                id: clip.id.clone(),
                field,
                problem,
            };
            for (field, value) in [("id", &clip.id), ("video_id", &clip.video_id), ("split", &clip.split)] {
                if value.is_empty() {
                    return Err(wrong(field, "is empty".into()));
                }
            }
            if let Some(first) = rows.insert(clip.id.as_str(), row) {
                return Err(wrong("id", format!("is also the id of row {first}")));
            }
            if !LABEL_RANGE.contains(&clip.label) {
                return Err(wrong("label", format!("expected a number in [-3, 3], got {}", clip.label)));
            }
            if clip.text.trim().is_empty() && clip.features.iter().all(Option::is_none) {
                return Err(wrong("features", "the clip has neither features nor a transcript".into()));
            }
            for modality in Modality::ALL {
                let Some(sequence) = &clip.features[modality.index()] else {
                    continue;
                };
                if sequence.frames() == 0 || sequence.data().iter().any(|value| !value.is_finite()) {
                    return Err(wrong(modality.name(), "expected at least one frame of finite values".into()));
                }
                let width = *widths[modality.index()].get_or_insert(sequence.width());
                if width != sequence.width() {
                    return Err(wrong(modality.name(), format!("width {}, others have {width}", sequence.width())));
                }
            }
        }
        Ok(Corpus { name, clips, widths, replaced: Default::default(), origins: Origins::default() })
    }

    /// The rows and clips of a split, in row order.
    ///
    /// # Errors
    /// [`CorpusError::UnknownSplit`], which lists the splits there are.
    pub fn split(&self, split: &str) -> Result<Vec<(usize, &Clip)>, CorpusError> {
        let rows: Vec<_> = self.clips.iter().enumerate().filter(|(_, clip)| clip.split == split).collect();
        if rows.is_empty() {
            let known =
                self.splits().iter().map(|(name, clips)| format!("`{name}` ({clips} clips)")).collect::<Vec<_>>();
            return Err(CorpusError::UnknownSplit {
                corpus: self.name.clone(),
                split: split.to_owned(),
                known: known.join(", "),
            });
        }
        Ok(rows)
    }

    /// Names and numbers of clips of the splits, in the order in which they first appear.
    pub fn splits(&self) -> Vec<(&str, usize)> {
        let mut splits: Vec<(&str, usize)> = Vec::new();
        for clip in &self.clips {
            match splits.iter_mut().find(|(name, _)| *name == clip.split) {
                Some((_, clips)) => *clips += 1,
                None => splits.push((&clip.split, 1)),
            }
        }
        splits
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Sequence;

    /// A clip with one audio frame of width 2.
    pub(crate) fn clip(id: &str, video: &str, split: &str, label: f32) -> Clip {
        Clip {
            id: id.into(),
            video_id: video.into(),
            split: split.into(),
            label,
            text: String::new(),
            features: [None, Some(Sequence::new(2, vec![label, 1.0])), None],
        }
    }

    #[test]
    fn splits_keep_rows_and_name_themselves_in_errors() {
        let clips = vec![clip("a", "v", "train", 0.0), clip("b", "v", "valid", 1.0), clip("c", "w", "train", -1.0)];
        let corpus = Corpus::new("toy", clips).unwrap();
        let rows: Vec<usize> = corpus.split("train").unwrap().iter().map(|(row, _)| *row).collect();
        assert_eq!(rows, [0, 2]);
        assert_eq!(corpus.widths, [None, Some(2), None]);
        let error = corpus.split("test").unwrap_err().to_string();
        assert_eq!(error, "corpus `toy` has no split `test`; it has `train` (2 clips), `valid` (1 clips)");
    }

    #[test]
    fn contradictions_name_the_clip_and_field() {
        let good = || clip("a", "v", "train", 0.0);
        let nothing = [None, None, None];
        let wide = [None, Some(Sequence::new(3, vec![0.0; 3])), None];
        let nan = [None, Some(Sequence::new(2, vec![0.0, f32::NAN])), None];
        let with = |features| Clip { features, ..clip("b", "v", "train", 1.0) };
        let cases = [
            (clip("a", "v", "train", 1.0), "field `id`: is also the id of row 0"),
            (clip("b", "v", "train", 3.5), "field `label`: expected a number in [-3, 3], got 3.5"),
            (clip("b", "v", "train", f32::NAN), "field `label`"),
            (clip("b", "", "train", 1.0), "field `video_id`: is empty"),
            (with(nothing), "neither features nor a transcript"),
            (with(wide), "field `audio`: width 3, others have 2"),
            (with(nan), "field `audio`: expected at least one frame"),
        ];
        for (bad, expected) in cases {
            let error = Corpus::new("toy", vec![good(), bad]).unwrap_err().to_string();
            assert!(error.contains("row 1") && error.contains(expected), "{error}");
        }
        assert_eq!(Corpus::new("toy", vec![]).unwrap_err().to_string(), "corpus `toy` holds no clips");
    }
}
