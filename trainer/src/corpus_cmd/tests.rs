use super::*;
use clap::Parser;
use corpus::{Clip, Sequence};
use std::path::Path;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    corpus: super::super::CorpusArgs,
}

fn run(args: &[&str]) -> Result<(), String> {
    let cli = Cli::try_parse_from([&["corpus"], args].concat()).map_err(|error| error.to_string())?;
    super::super::run(cli.corpus).map_err(|error| format!("{error:#}"))
}

/// Writes a corpus of 80 clips of 8 videos: text equals the label, audio is noise, visual never changes.
fn suspicious(folder: &Path) {
    let clips = (0..80).map(|i| {
        let label = (i % 13) as f32 * 0.4 - 2.4;
        let noise = ((i * 7919) % 101) as f32;
        Clip {
            id: format!("c{i}"),
            video_id: format!("v{}", i % 8),
            split: if i % 8 < 4 { "train" } else { "test" }.into(),
            label,
            text: if i == 0 { "so good".into() } else { String::new() },
            features: [
                Some(Sequence::new(1, vec![label; 1 + i % 3])),
                Some(Sequence::new(1, vec![noise])),
                (i != 5).then(|| Sequence::new(1, vec![4.0])),
            ],
        }
    });
    let mut clips: Vec<Clip> = clips.collect();
    clips[79].video_id = "v0".into();
    Corpus::new("suspicious", clips).unwrap().save(folder).unwrap();
}

#[test]
fn leaks_dead_modalities_and_torn_videos_are_flagged() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("suspicious");
    suspicious(&folder);
    let inspection = inspect(&CorpusSpec::Folder(folder), None, &|_| {}).unwrap();
    assert_eq!(inspection.measured_on, "`test`");
    assert_eq!((inspection.clips, inspection.transcripts), (80, 1));
    let text = &inspection.modalities[0];
    assert_eq!((text.width, text.clips, text.frames_min, text.frames_max), (1, 80, 1, 3));
    assert_eq!((inspection.modalities[2].clips, inspection.modalities[2].lacking), (79, 1));
    let train = &inspection.splits[0];
    assert_eq!((train.clips, train.videos), (40, 4));
    assert_eq!(train.negative + train.zero + train.positive, 40);
    assert_eq!(train.classes.iter().sum::<usize>(), 40);
    let warned = |start: &str| inspection.warnings.iter().any(|warning| warning.starts_with(start));
    assert!(
        warned("leak: 1 videos are in several splits, the first is `v0` in test, train"),
        "{:?}",
        inspection.warnings
    );
    assert!(warned("leak: a line tells the label from text almost perfectly"));
    assert!(warned("weak or dead: a line tells nothing from audio"));
    assert!(warned("dead: 1 of the 1 columns of visual are the same"));
    let table = super::super::render::text(&inspection);
    for expected in ["best constant", "Acc-2 (pos)", "warning: leak", "frames min"] {
        assert!(table.contains(expected), "{table}");
    }
}

#[test]
fn builtin_is_clean_and_learnable() {
    let inspection = inspect(&CorpusSpec::BUILTIN, None, &|_| {}).unwrap();
    assert_eq!(inspection.warnings, Vec::<String>::new());
    let from = |name: &str| inspection.baselines.iter().find(|row| row.from == name).unwrap();
    let best = inspection.truth.as_ref().unwrap().bayes_acc2_pos_here.unwrap();
    assert!((best - 0.85).abs() < 0.01);
    let all = from("all").acc2_pos.unwrap();
    assert!(all > 0.82 && all < best + 0.02, "{all} against {best}");
    assert!(from("best constant").acc2_pos.unwrap() < 0.56);
    let json = serde_json::to_value(&inspection).unwrap();
    assert_eq!(json["modalities"][1]["modality"], "audio");
    assert_eq!(json["baselines"][0]["corr"], serde_json::Value::Null);
    println!("{}", super::super::render::text(&inspection));
}

#[test]
fn a_corpus_of_training_clips_alone_is_measured_on_a_fold() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("c");
    suspicious(&folder);
    let spec = CorpusSpec::Folder(folder);
    let inspection = inspect(&spec, Some("train"), &|_| {}).unwrap_err();
    assert!(format!("{inspection:#}").contains("expected 2 to 4 folds"), "{inspection:#}");
    let error = inspect(&spec, Some("dev"), &|_| {}).unwrap_err().to_string();
    assert_eq!(error, "corpus `c` has no split `dev`; it has `train` (40 clips), `test` (40 clips)");
}

#[test]
fn csv_import_maps_names_and_writes_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("labels.csv"), "clip,film,fold,score,said\na,v,train,-1.5,dull\nb,w,test,2,\n").unwrap();
    let data: Vec<u8> = [1.0f32, f32::NAN].iter().flat_map(|value| value.to_le_bytes()).collect();
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![2, 1], &data).unwrap();
    std::fs::write(path("f.safetensors"), safetensors::serialize([("covarep", view)], None).unwrap()).unwrap();
    let (clips, features, out) = (path("labels.csv"), path("f.safetensors"), path("out"));
    let mapped = [
        "import",
        "csv",
        "--clips",
        &clips,
        "--features",
        &features,
        "--out",
        &out,
        "--id-column",
        "clip",
        "--video-column",
        "film",
        "--split-column",
        "fold",
        "--label-column",
        "score",
        "--text-column",
        "said",
        "--audio-tensor",
        "covarep",
    ];
    run(&mapped).unwrap();
    let corpus = Corpus::load(&out.parse().unwrap()).unwrap();
    assert_eq!(corpus.widths, [None, Some(1), None]);
    assert_eq!((corpus.clips[0].text.as_str(), corpus.clips[1].label), ("dull", 2.0));
    assert!(run(&mapped).unwrap_err().contains("is there already"));

    let out = path("other");
    let error = run(&["import", "csv", "--clips", &clips, "--out", &out]).unwrap_err();
    assert!(error.contains("labels.csv: no column `id`; there are: clip, film, fold, score, said"), "{error}");
    assert!(!Path::new(&out).exists());
}

#[test]
fn csv_import_names_every_missing_column_and_makes_up_videos_and_splits() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let lines: String = (0..10).map(|i| format!("c{i},1,so\n")).collect();
    std::fs::write(path("bare.csv"), format!("name,label,text\n{lines}")).unwrap();
    let import = |out: &str, more: &[&str]| {
        run(&[&["import", "csv", "--clips", &path("bare.csv"), "--out", &path(out)], more].concat())
    };
    let error = import("a", &["--label-column", "score", "--split-column", "fold"]).unwrap_err();
    let expected = "bare.csv: no column `id`; there are: name, label, text; also missing: `fold`, `score`";
    assert!(error.contains(expected), "{error}");
    import("b", &["--id-column", "name"]).unwrap();
    let corpus = Corpus::load(&path("b").parse().unwrap()).unwrap();
    assert!(corpus.clips.iter().all(|clip| clip.video_id == clip.id));
    let mut splits = corpus.splits();
    splits.sort_unstable();
    assert_eq!(splits, [("test", 2), ("train", 8)]);
    assert!(
        import("c", &["--id-column", "name", "--video-column", "speaker"]).unwrap_err().contains("no column `speaker`")
    );
}

#[test]
fn clips_that_hold_nothing_are_refused_and_those_without_features_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| std::fs::write(folder.path().join("clips.csv"), text).unwrap();
    let spec = CorpusSpec::Folder(folder.path().to_owned());
    write("id,video_id,split,label,text\na,v,train,1,\nb,w,test,-1,\n");
    let error = inspect(&spec, None, &|_| {}).unwrap_err().to_string();
    assert!(error.contains("row 0 (clip `a`)") && error.contains("neither features nor a transcript"), "{error}");
    write("id,video_id,split,label,text\na,v,train,1,so\nb,w,train,-1,no\nc,x,test,-1,no\n");
    let inspection = inspect(&spec, None, &|_| {}).unwrap();
    assert_eq!(inspection.transcripts, 3);
    assert!(inspection.warnings[0].starts_with("empty: 3 of 3 clips have no features"), "{:?}", inspection.warnings);
}

#[test]
fn inspect_names_bad_arguments() {
    assert!(
        run(&["inspect", "--corpus", "builtin:redundancy=2"]).unwrap_err().contains("redundancy must be in [0, 1]")
    );
    assert!(run(&["inspect", "--corpus", "/no/such/folder"]).unwrap_err().contains("/no/such/folder: No such file"));
}
