use super::*;
use hdf5_pure::FileBuilder;

/// What a video holds: rows of features, or words, with the times of each.
enum Content<'a> {
    Numbers(usize, &'a [f64]),
    Words(&'a [&'a str]),
}

/// Writes a `.csd` file: `<sequence>/data/<video>/{features, intervals}` and `<sequence>/metadata`.
fn write(path: &Path, sequence: &str, videos: &[(&str, Content, &[f64])]) {
    let mut builder = FileBuilder::new();
    let mut root = builder.create_group(sequence);
    let mut data = root.create_group("data");
    for (video, content, intervals) in videos {
        let mut group = data.create_group(video);
        let rows = intervals.len() as u64 / 2;
        match content {
            Content::Numbers(width, values) => {
                group.create_dataset("features").with_f64_data(values).with_shape(&[rows, *width as u64]);
            }
            Content::Words(words) => {
                group.create_dataset("features").with_ascii_strings_sized(words, 32).unwrap().with_shape(&[rows, 1]);
            }
        }
        group.create_dataset("intervals").with_f64_data(intervals).with_shape(&[rows, 2]);
        data.add_group(group.finish());
    }
    root.add_group(data.finish());
    let metadata = root.create_group("metadata");
    root.add_group(metadata.finish());
    builder.add_group(root.finish());
    builder.write(path).unwrap();
}

/// Two videos with a split, one without; words and audio, no visual.
fn sources(folder: &Path) -> CsdSources {
    let path = |name: &str| folder.join(name);
    write(
        &path("labels.csd"),
        "Opinion Segment Labels",
        &[
            ("vid A", Content::Numbers(1, &[2.4, -1.0]), &[0.0, 1.0, 1.0, 2.0]),
            ("vid-b", Content::Numbers(1, &[0.0]), &[5.0, 6.0]),
            ("vid-c", Content::Numbers(1, &[3.0]), &[0.0, 1.0]),
        ],
    );
    write(
        &path("words.csd"),
        "words",
        &[("vid A", Content::Words(&["really", "good", "sp", "sad"]), &[0.0, 0.4, 0.4, 0.9, 0.9, 1.1, 1.2, 1.6])],
    );
    // Frames of 0.4 s: the third, 0.8 to 1.2, overlaps both clips by half; the last begins after the second.
    write(
        &path("audio.csd"),
        "COVAREP",
        &[(
            "vid A",
            Content::Numbers(2, &[1.0, 2.0, 3.0, f64::NEG_INFINITY, 5.0, 6.0, f64::NAN, 8.0, 9.0, 9.0]),
            &[0.0, 0.4, 0.4, 0.8, 0.8, 1.2, 1.2, 1.6, 2.0, 2.4],
        )],
    );
    std::fs::write(path("folds.csv"), "split,video_id\ntrain,vid A\ntest,vid-b\ntest,elsewhere\n").unwrap();
    CsdSources {
        labels: path("labels.csd"),
        folds: path("folds.csv"),
        words: Some(path("words.csd")),
        features: [None, Some(path("audio.csd")), None],
    }
}

#[test]
fn segments_cut_words_and_frames() {
    let folder = tempfile::tempdir().unwrap();
    let imported = import("toy", &sources(folder.path())).unwrap();
    let clips = &imported.corpus.clips;
    assert_eq!(clips.len(), 2);
    assert_eq!((clips[0].id.as_str(), clips[0].split.as_str(), clips[0].label), ("vid A_1", "train", 2.4));
    assert_eq!((clips[0].text.as_str(), clips[1].text.as_str()), ("really good", "sad"));
    assert_eq!(clips[0].features[1], Some(Sequence::new(2, vec![1.0, 2.0, 3.0, 0.0, 5.0, 6.0])));
    assert_eq!(clips[1].features[1], Some(Sequence::new(2, vec![5.0, 6.0, 0.0, 8.0])));
    assert_eq!(imported.corpus.replaced[1], Replaced { nan: 1, infinite: 1 });
    assert_eq!(imported.corpus.widths, [None, Some(2), None]);
    assert_eq!(imported.videos_without_split, ["vid-c"]);
    assert_eq!(imported.empty_clips, ["vid-b_1"], "nothing is known of it");
}

#[test]
fn the_python_file_of_folds_is_read_but_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut sources = sources(folder.path());
    sources.folds = folder.path().join("folds.py");
    let python =
        "import os\nstandard_train_fold=['vid-b',\n 'x']\nstandard_valid_fold = [\"vid A\"]\nstandard_test_fold=[]\n";
    std::fs::write(&sources.folds, python).unwrap();
    let imported = import("toy", &sources).unwrap();
    assert_eq!(imported.corpus.splits(), [("valid", 2)]);
    std::fs::write(&sources.folds, "standard_train_fold=['a']\n").unwrap();
    assert!(import("toy", &sources).unwrap_err().to_string().ends_with("folds.py: no list `standard_valid_fold`"));
}

#[test]
fn overlap_is_measured_against_the_shorter() {
    let clip = [1.0, 2.0];
    assert!(belongs(&[1.4, 1.5], &clip) && belongs(&[0.9, 1.1], &clip) && belongs(&[0.0, 9.0], &clip));
    assert!(belongs(&[1.5, 1.5], &clip), "a moment inside");
    assert!(!belongs(&[0.8, 1.05], &clip) && !belongs(&[2.5, 2.6], &clip) && !belongs(&[3.0, 3.0], &clip));
    assert!(!belongs(&[f64::NAN, 1.5], &clip) && !belongs(&[1.6, 1.4], &clip));
}

#[test]
fn each_fault_names_file_and_video() {
    let folder = tempfile::tempdir().unwrap();
    let good = sources(folder.path());
    let path = folder.path().join("bad.csd");
    let failure = |sources: CsdSources| import("toy", &sources).unwrap_err().to_string();
    let with_labels = |labels: &[f64]| {
        write(&path, "labels", &[("vid A", Content::Numbers(1, labels), &[0.0, 1.0, 1.0, 2.0])]);
        failure(CsdSources { labels: path.clone(), ..good.clone() })
    };
    assert!(
        with_labels(&[1.0, 3.5]).ends_with("bad.csd: video `vid A`: segment 2: expected a label in [-3, 3], got 3.5")
    );
    assert!(with_labels(&[f64::NAN, 0.0]).contains("segment 1: expected a label in [-3, 3], got NaN"));

    let audio = |path: &Path| failure(CsdSources { features: [None, Some(path.to_owned()), None], ..good.clone() });
    assert!(audio(&folder.path().join("none.csd")).ends_with("none.csd: No such file or directory (os error 2)"));
    std::fs::write(&path, "no HDF5").unwrap();
    assert!(audio(&path).contains("bad.csd: not a readable HDF5 file"));
    let mut builder = FileBuilder::new();
    builder.create_dataset("stray").with_f64_data(&[1.0]);
    builder.write(&path).unwrap();
    assert!(audio(&path).contains("expected one group, the computational sequence, got 0"));
    let mut builder = FileBuilder::new();
    let mut root = builder.create_group("COVAREP");
    root.create_dataset("stray").with_f64_data(&[1.0]);
    builder.add_group(root.finish());
    builder.write(&path).unwrap();
    assert!(audio(&path).contains("group `COVAREP/data`"));
    // Three values are no rows of two, and words are no numbers.
    write(&path, "COVAREP", &[("vid A", Content::Words(&["a", "b"]), &[0.0, 1.0, 1.0, 2.0])]);
    assert!(audio(&path).contains("bad.csd: video `vid A`: dataset `features`"), "{}", audio(&path));

    std::fs::write(folder.path().join("folds.csv"), "video_id,split\nvid A,train\nvid A,test\n").unwrap();
    assert!(failure(good.clone()).ends_with("folds.csv: line 3 (row 1), field `video_id`: `vid A` is in two splits"));
    std::fs::write(folder.path().join("folds.csv"), "video_id,split\nother,train\n").unwrap();
    assert!(failure(good).contains("no labelled segment is left: 3 videos have no split"));
}
