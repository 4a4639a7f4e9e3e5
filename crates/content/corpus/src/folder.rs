//! The corpus folder: `clips.csv`, `features.safetensors` and, where it is known what made those, `extractors.json`.

use std::path::Path;

use crate::clips_csv::{Columns, read_clips};
use crate::features::{TensorNames, read_features};
use crate::{Corpus, CorpusError, Origins};

/// Name of the file of clips in a corpus folder.
pub const CLIPS_FILE: &str = "clips.csv";
/// Name of the file of features in a corpus folder.
pub const FEATURES_FILE: &str = "features.safetensors";

/// Reads a corpus folder. Without a features file, the clips have their transcripts alone.
pub(crate) fn load(folder: &Path) -> Result<Corpus, CorpusError> {
    let is_folder = std::fs::metadata(folder).map_err(|source| CorpusError::io(folder, source))?.is_dir();
    if !is_folder {
        return Err(CorpusError::file(folder, format!("expected a folder with {CLIPS_FILE} in it")));
    }
    let name = match folder.canonicalize() {
        Ok(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        Err(source) => return Err(CorpusError::io(folder, source)),
    };
    let features = folder.join(FEATURES_FILE);
    let there = features.try_exists().map_err(|source| CorpusError::io(&features, source))?;
    let corpus = read_files(
        name,
        &folder.join(CLIPS_FILE),
        &Columns::default(),
        there.then_some(&*features),
        &TensorNames::default(),
    )?;
    let origins = Origins::read(folder, &corpus.widths)?;
    Ok(Corpus { origins, ..corpus })
}

/// Reads a corpus from a CSV file of clips and, unless there are transcripts alone, a safetensors file of features.
///
/// # Errors
/// If a file cannot be read or is malformed, if the two disagree, or if a clip has neither features nor a transcript.
pub fn read_files(
    name: impl Into<String>,
    clips: &Path,
    columns: &Columns,
    features: Option<&Path>,
    tensors: &TensorNames,
) -> Result<Corpus, CorpusError> {
    let mut rows = read_clips(clips, columns)?;
    let mut replaced = <[crate::Replaced; 3]>::default();
    if let Some(features) = features {
        let modalities = read_features(features, tensors, rows.len())?;
        for (index, modality) in modalities.into_iter().enumerate() {
            let Some(modality) = modality else { continue };
            replaced[index] = modality.replaced;
            for (clip, sequence) in rows.iter_mut().zip(modality.sequences) {
                clip.features[index] = sequence;
            }
        }
    }
    Ok(Corpus { replaced, ..Corpus::new(name, rows)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CorpusSpec;

    fn load_text(text: &str) -> Result<Corpus, CorpusError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CLIPS_FILE), text).unwrap();
        load(folder.path())
    }

    #[test]
    fn transcripts_alone_are_a_corpus() {
        let corpus = load_text("id,video_id,split,label,text\na,v,train,1,good\n").unwrap();
        assert_eq!(corpus.widths, [None; 3]);
        assert_eq!(corpus.clips[0].text, "good");
    }

    #[test]
    fn a_clip_with_nothing_in_it_is_named() {
        let error =
            load_text("id,video_id,split,label,text\na,v,train,1,good\nb,v,train,1,\n").unwrap_err().to_string();
        assert!(
            error.contains("row 1 (clip `b`), field `features`: the clip has neither features nor a transcript"),
            "{error}"
        );
    }

    #[test]
    fn missing_folders_and_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("clips.csv: No such file"), "{error}");
        let missing = folder.path().join("nowhere");
        let error = Corpus::load(&CorpusSpec::Folder(missing.clone())).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: No such file", missing.display())), "{error}");
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(load(&file).unwrap_err().to_string().contains("expected a folder with clips.csv in it"));
    }

    /// The real clips of CMU-MOSI, where they are at hand.
    #[test]
    fn mosi_reads_whole() {
        let Some(shared) = std::env::var_os("LATENTLINK_SHARED") else {
            eprintln!("skipped: LATENTLINK_SHARED does not name the folder that holds data/mosi-dev");
            return;
        };
        let corpus = load(&Path::new(&shared).join("data/mosi-dev")).unwrap();
        assert_eq!(corpus.name, "mosi-dev");
        assert_eq!(corpus.splits(), [("train", 1284), ("valid", 229)]);
        assert_eq!(corpus.widths, [None, Some(73), None]);
        assert!(
            corpus.clips.iter().all(|clip| !clip.text.is_empty() && clip.features[1].as_ref().unwrap().frames() == 1)
        );
        assert!(
            corpus.split("test").unwrap_err().to_string().contains("it has `train` (1284 clips), `valid` (229 clips)")
        );
    }
}
