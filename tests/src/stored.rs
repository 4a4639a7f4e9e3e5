//! Files: a small corpus on disk (a piece of `builtin`, in three splits), and tables of predictions.

use std::path::Path;

use corpus::{Clip, Corpus, CorpusSpec};

/// Clips of one video; few, so that a small training split still has folds to cut.
const CLIPS_OF_A_VIDEO: usize = 4;

/// The first clips of each split of `builtin`, said to come from shorter videos.
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

/// Writes [`corpus_of`] to a folder.
pub fn write_corpus(folder: &Path, train: usize, valid: usize, test: usize) {
    corpus_of(train, valid, test).save(folder).unwrap();
}

/// Writes a corpus whose clips have no text features but say, in words, which side of zero they are on.
pub fn write_spoken_corpus(folder: &Path) {
    let clips = corpus_of(96, 32, 16).clips.into_iter().map(|mut clip| {
        let words = if clip.label > 0.0 { "the film was great" } else { "bad movie, the plot was bad" };
        clip.text = words.to_owned();
        clip.features[0] = None;
        clip
    });
    Corpus::new("spoken", clips.collect()).unwrap().save(folder).unwrap();
}

/// The rows of a table of predictions, sorted, without its header; equal rows have equal numbers, bit for bit, for
/// numbers are written so that they read back the same.
///
/// # Panics
/// If there is no such table or it has other columns.
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
