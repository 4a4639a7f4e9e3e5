//! Writing a corpus folder: all of it or nothing.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, View};

use crate::folder::{CLIPS_FILE, FEATURES_FILE};
use crate::{Corpus, CorpusError, EXTRACTORS_FILE, Modality};

impl Corpus {
    /// Writes the corpus as a new folder, which [`Corpus::load`] reads back equal except for name and counts of
    /// replaced values.
    ///
    /// The files are written beside it and renamed into place when they are complete.
    ///
    /// # Errors
    /// If `folder` exists and is not empty, or the system refuses to write; then nothing is left behind.
    pub fn save(&self, folder: &Path) -> Result<(), CorpusError> {
        let taken = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
        if taken || folder.is_file() {
            return Err(CorpusError::file(folder, "is there already; name a folder that does not exist yet"));
        }
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent).map_err(|source| CorpusError::io(parent, source))?;
        let temporary = tempfile::Builder::new().prefix(".corpus-").tempdir_in(parent);
        let temporary = temporary.map_err(|source| CorpusError::io(parent, source))?;
        let inside = temporary.path().join("corpus");
        std::fs::create_dir(&inside).map_err(|source| CorpusError::io(&inside, source))?;
        self.write_clips(&inside.join(CLIPS_FILE))
            .map_err(|source| CorpusError::io(&folder.join(CLIPS_FILE), source))?;
        if self.widths.iter().any(Option::is_some) {
            let failed = |source| CorpusError::io(&folder.join(FEATURES_FILE), source);
            self.write_features(&inside.join(FEATURES_FILE)).map_err(failed)?;
        }
        if !self.origins.is_empty() {
            let failed = |source| CorpusError::io(&folder.join(EXTRACTORS_FILE), source);
            let json = serde_json::to_vec_pretty(&self.origins).map_err(|error| failed(error.into()))?;
            std::fs::write(inside.join(EXTRACTORS_FILE), json).map_err(failed)?;
        }
        std::fs::rename(&inside, folder).map_err(|source| CorpusError::io(folder, source))
    }

    fn write_clips(&self, path: &Path) -> std::io::Result<()> {
        let mut writer = csv::Writer::from_writer(File::create_new(path)?);
        writer.write_record(["id", "video_id", "split", "label", "text"])?;
        for clip in &self.clips {
            writer.write_record([&clip.id, &clip.video_id, &clip.split, &clip.label.to_string(), &clip.text])?;
        }
        let file = writer.into_inner().map_err(|error| error.into_error())?;
        file.sync_all()
    }

    fn write_features(&self, path: &Path) -> std::io::Result<()> {
        let mut tensors: Vec<(String, Columnar)> = Vec::new();
        for modality in Modality::ALL {
            let Some(width) = self.widths[modality.index()] else {
                continue;
            };
            let frames = |row: usize| {
                self.clips[row].features[modality.index()].as_ref().map_or(0, |sequence| sequence.frames())
            };
            let lengths: Vec<usize> = (0..self.clips.len()).map(frames).collect();
            let time = lengths.iter().copied().max().unwrap_or(0).max(1);
            let means_for_all = lengths.iter().all(|length| *length == 1);
            let shape = if means_for_all { vec![self.clips.len(), width] } else { vec![self.clips.len(), time, width] };
            tensors
                .push((modality.name().to_owned(), Columnar::Features { corpus: self, modality, time, width, shape }));
            if !means_for_all {
                tensors.push((
                    format!("{}_lengths", modality.name()),
                    Columnar::Lengths { shape: vec![lengths.len()], lengths },
                ));
            }
        }
        safetensors::serialize_to_file(tensors, None, path).map_err(|error| match error {
            safetensors::SafeTensorError::IoError(source) => source,
            other => std::io::Error::other(other.to_string()),
        })?;
        let mut file = File::options().append(true).open(path)?;
        file.flush()?;
        file.sync_all()
    }
}

/// A tensor that is laid out only when it is written, one at a time.
enum Columnar<'a> {
    /// `[clips, width]` or `[clips, time, width]`, padded with zeros.
    Features { corpus: &'a Corpus, modality: Modality, time: usize, width: usize, shape: Vec<usize> },
    /// `[clips]`
    Lengths { lengths: Vec<usize>, shape: Vec<usize> },
}

impl View for Columnar<'_> {
    fn dtype(&self) -> Dtype {
        match self {
            Columnar::Features { .. } => Dtype::F32,
            Columnar::Lengths { .. } => Dtype::I64,
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Columnar::Features { shape, .. } | Columnar::Lengths { shape, .. } => shape,
        }
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match self {
            Columnar::Lengths { lengths, .. } => {
                lengths.iter().flat_map(|length| (*length as i64).to_le_bytes()).collect()
            }
            Columnar::Features { corpus, modality, time, width, .. } => {
                let mut bytes = vec![0; self.data_len()];
                for (row, clip) in bytes.chunks_exact_mut(time * width * 4).zip(&corpus.clips) {
                    let values = clip.features[modality.index()].iter().flat_map(|sequence| sequence.data());
                    for (place, value) in row.chunks_exact_mut(4).zip(values) {
                        place.copy_from_slice(&value.to_le_bytes());
                    }
                }
                bytes.into()
            }
        }
    }

    fn data_len(&self) -> usize {
        self.shape().iter().product::<usize>() * self.dtype().bitsize() / 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::tests::clip;
    use crate::{Clip, CorpusSpec, Sequence};

    fn toy() -> Corpus {
        let text = Some(Sequence::new(3, (0..6).map(|x| x as f32).collect()));
        let zero_at_the_end = Some(Sequence::new(3, vec![0.0; 9]));
        let clips = vec![
            Clip {
                text: "so, \"good\"\n".into(),
                features: [text, Some(Sequence::new(2, vec![1.5, 0.0])), None],
                ..clip("a", "v", "train", 0.1)
            },
            Clip {
                features: [zero_at_the_end, Some(Sequence::new(2, vec![0.0, 0.0])), None],
                ..clip("b", "v", "test", -1.0 / 3.0)
            },
            clip("c", "w", "test", -3.0),
        ];
        Corpus::new("toy", clips).unwrap()
    }

    #[test]
    fn what_is_saved_is_read_back() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("deep/toy");
        toy().save(&folder).unwrap();
        assert_eq!(Corpus::load(&CorpusSpec::Folder(folder.clone())).unwrap(), toy());
        let left: Vec<_> = std::fs::read_dir(folder.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn nothing_is_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("toy");
        toy().save(&folder).unwrap();
        let error = toy().save(&folder).unwrap_err().to_string();
        assert!(error.ends_with("toy: is there already; name a folder that does not exist yet"), "{error}");
    }

    #[test]
    fn a_folder_that_cannot_be_made_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = toy().save(&file.join("toy")).unwrap_err().to_string();
        assert!(error.starts_with(&file.display().to_string()), "{error}");
        assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 1);
    }
}
