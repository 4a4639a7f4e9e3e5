//! Tests of corpora that cannot be used: one line of error names file and row or field, and no run folder is left.

use std::path::{Path, PathBuf};

use latentlink_tests::{Finished, Process, corpus_of};

use crate::{SITE, text};

/// A corpus folder whose `clips.csv` was changed by `edit`.
fn edited(folder: &Path, edit: impl Fn(Vec<String>) -> Vec<String>) -> PathBuf {
    let corpus = folder.join("corpus");
    corpus_of(32, 4, 4).save(&corpus).unwrap();
    let clips = corpus.join("clips.csv");
    let lines = std::fs::read_to_string(&clips).unwrap().lines().map(str::to_owned).collect();
    std::fs::write(&clips, edit(lines).join("\n") + "\n").unwrap();
    corpus
}

/// Trains on an invalid corpus; asserts that no run folder is left.
fn refused(folder: &Path, corpus: &Path) -> Finished {
    let out = folder.join("run");
    let args =
        ["trainer", "train", "--corpus", text(corpus), "--preset", "small", "--epochs", "1", "--out", text(&out)];
    let trained = Process::run(SITE.binary(), &args);
    trained.failed();
    assert!(!out.exists(), "{} was left", out.display());
    assert_eq!(trained.stderr.trim_end().lines().count(), 1, "one line: {}", trained.stderr);
    trained
}

#[test]
fn more_clips_than_features_are_named() {
    let folder = SITE.folder("corpus-rows");
    let corpus = edited(&folder, |mut lines| {
        lines.pop();
        lines
    });
    let trained = refused(&folder, &corpus);
    assert!(trained.reason().contains("features.safetensors"), "{}", trained.reason());
    assert!(trained.reason().contains("40") && trained.reason().contains("39"), "{}", trained.reason());
}

#[test]
fn a_missing_label_is_named() {
    let folder = SITE.folder("corpus-label");
    let corpus = edited(&folder, |mut lines| {
        let mut fields: Vec<&str> = lines[3].split(',').collect();
        fields[3] = "";
        lines[3] = fields.join(",");
        lines
    });
    let trained = refused(&folder, &corpus);
    assert!(trained.reason().contains("clips.csv") && trained.reason().contains("label"), "{}", trained.reason());
    assert!(trained.reason().contains("line 4"), "{}", trained.reason());
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = SITE.folder("corpus-none");
    let trained = refused(&folder, &folder.join("nowhere"));
    assert!(trained.reason().contains("nowhere"), "{}", trained.reason());
}

#[test]
fn an_unknown_split_lists_those_there_are() {
    let (weights, corpus) = (text(SITE.weights()), text(SITE.corpus()));
    let args = ["trainer", "evaluate", "--weights", weights, "--corpus", corpus, "--split", "dev", "--channel", "none"];
    let evaluated = Process::run(SITE.binary(), &args);
    let reason = evaluated.failed();
    assert!(["dev", "train", "valid", "test"].iter().all(|split| reason.contains(split)), "{reason}");
}
