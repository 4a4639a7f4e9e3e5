//! Files of the tests: a small corpus on disk (a part of `builtin`, in three splits), and tables of predictions.

use std::path::Path;

use corpus::{Clip, Corpus, CorpusSpec};

/// Number of clips of one video; small, so that a small training split can still be cut into folds by video.
const CLIPS_OF_A_VIDEO: usize = 4;

/// A corpus of the first clips of each split of `builtin`, `train`, `valid` and `test` of them, with video ids of four
/// clips each.
pub fn corpus_of(train: usize, valid: usize, test: usize) -> Corpus {
    let all = Corpus::load(&CorpusSpec::BUILTIN).unwrap();
    let sizes = [("train", train), ("valid", valid), ("test", test)];
    let clips = sizes.iter().flat_map(|&(split, size)| {
        let clips = all.split(split).unwrap().into_iter().take(size).enumerate();
        clips.map(move |(number, (_, clip))| {
            let video_id = format!("{split}-{}", number / CLIPS_OF_A_VIDEO);
            Clip { video_id, ..clip.clone() }
        })
    });
    Corpus::new("small", clips.collect()).unwrap()
}

/// Writes the corpus of [`corpus_of`] to a folder.
pub fn write_corpus(folder: &Path, train: usize, valid: usize, test: usize) {
    corpus_of(train, valid, test).save(folder).unwrap();
}

/// Writes a corpus whose clips have, instead of text features, a transcript that states the sign of the label.
pub fn write_spoken_corpus(folder: &Path) {
    let clips = corpus_of(96, 32, 16).clips.into_iter().map(|mut clip| {
        let words = if clip.label > 0.0 { "the film was great" } else { "bad movie, the plot was bad" };
        clip.text = words.to_owned();
        clip.features[0] = None;
        clip
    });
    Corpus::new("spoken", clips.collect()).unwrap().save(folder).unwrap();
}

/// The rows of a CSV table of predictions, sorted, without its header. Numbers are written so that they read back
/// exactly, so equal rows have equal numbers, bit for bit.
///
/// # Panics
/// Panics if the table does not exist or has other columns.
#[track_caller]
pub fn rows_of(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut lines = text.lines().map(str::to_owned);
    let header = "id,draw,channel,snr_db,label,score,class,p_neg,p_zero,p_pos,h_re,h_im";
    assert_eq!(lines.next().as_deref(), Some(header), "{}", file.display());
    let mut rows: Vec<String> = lines.collect();
    rows.sort();
    rows
}
