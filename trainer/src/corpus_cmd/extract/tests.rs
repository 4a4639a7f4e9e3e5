//! Tests of labels, cache and splits, which need no pretrained extractor.

use super::*;
use corpus::{Identity, Sequence};

fn read(text: &str, names: &Names, map: Option<&str>) -> Result<Vec<Entry>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("labels.csv");
    std::fs::write(&path, text).unwrap();
    let map = map.map(|map| map.parse::<LabelMap>().unwrap());
    labels::read(&path, names, map.as_ref()).map_err(|error| format!("{error:#}"))
}

const NAMES: Names = Names { id: "id", video: None, split: None, label: "label", text: None };

#[test]
fn columns_that_are_not_there_are_made_up_unless_they_were_asked_for() {
    let bare = read("id,label\na,1.5\n", &NAMES, None).unwrap();
    let expected = Entry { id: "a".into(), video_id: "a".into(), split: None, label: 1.5, text: String::new() };
    assert_eq!(bare, [expected]);
    let names = Names { video: Some("speaker"), label: "emotion", ..NAMES };
    let full = read("emotion,speaker,text,split,id\nsad,s1,so,train,a\n", &names, Some("sad=-2,glad=2")).unwrap();
    let expected =
        Entry { id: "a".into(), video_id: "s1".into(), split: Some("train".into()), label: -2.0, text: "so".into() };
    assert_eq!(full, [expected]);
    let error = read("id,label\na,1\n", &Names { video: Some("speaker"), ..NAMES }, None).unwrap_err();
    assert!(error.contains("no column `speaker`; there are: id, label"), "{error}");
}

#[test]
fn a_wrong_line_is_named() {
    for (text, map, part) in [
        ("id,label\na,4\n", None, "line 2, field `label`: expected a number in [-3, 3], got `4`"),
        ("id,label\na,sad\n", None, "--label-map says what words stand for"),
        ("id,label\na,mad\n", Some("sad=-2"), "--label-map has no `mad`, it has sad"),
        ("id,label\na,1\na,1\n", None, "line 3, field `id`: `a` is also the id of line 2"),
        ("id,label,split\na,1,\n", None, "line 2, field `split`: is empty"),
    ] {
        let error = read(text, &NAMES, map).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
    for bad in ["sad", "sad=x", "sad=4"] {
        assert!(bad.parse::<LabelMap>().unwrap_err().contains(bad));
    }
}

#[test]
fn a_cache_gives_back_what_was_put_for_the_same_file_and_extractors() {
    let folder = tempfile::tempdir().unwrap();
    let identity = |convention: &str| {
        let identity = Identity { network: "n".into(), sha256: "0".into(), convention: convention.into(), width: 2 };
        Origins::new([None, Some(identity), None])
    };
    let cache = Cache::open(folder.path(), &identity("c")).unwrap();
    let features = [None, Some(Sequence::new(2, vec![1.0, -2.0, 3.5, 0.0])), None];
    let key = cache.key(b"a file");
    assert_eq!(cache.get(&key).unwrap(), None);
    cache.put(&key, &features).unwrap();
    assert_eq!(cache.get(&key).unwrap(), Some(features));
    assert_ne!(cache.key(b"another"), key);
    assert_ne!(Cache::open(folder.path(), &identity("d")).unwrap().key(b"a file"), key);
    std::fs::write(cache.path(&key), b"broken").unwrap();
    assert!(cache.get(&key).unwrap_err().to_string().contains("delete it to extract again"));
}

#[test]
fn without_splits_a_fifth_of_the_speakers_is_tested_on() {
    let clips: Vec<Clip> = (0..40)
        .map(|i| {
            let features = [None, Some(Sequence::new(1, vec![0.0])), None];
            let (id, video_id) = (format!("c{i}"), format!("v{}", i % 10));
            Clip { id, video_id, split: String::new(), label: 0.0, text: String::new(), features }
        })
        .collect();
    let clips = with_splits(clips).unwrap();
    let tested: BTreeSet<&str> =
        clips.iter().filter(|clip| clip.split == "test").map(|clip| clip.video_id.as_str()).collect();
    assert_eq!(tested.len(), 2);
    for clip in &clips {
        assert_eq!(clip.split == "test", tested.contains(clip.video_id.as_str()));
    }
}

#[test]
fn a_file_is_found_by_its_name_and_media_by_their_stem_among_other_files() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("below")).unwrap();
    for name in ["a.wav", "a.lab", "below/b.MP4", "below/b.txt", "c.wav", "below/c.mp4"] {
        std::fs::write(folder.path().join(name), b"").unwrap();
    }
    let files = files(folder.path()).unwrap();
    let found = |name: &str| -> Vec<String> {
        let of = |path: &PathBuf| path.strip_prefix(folder.path()).unwrap().to_string_lossy().into_owned();
        let mut found: Vec<String> = files.get(name).into_iter().flatten().map(of).collect();
        found.sort();
        found
    };
    assert_eq!(found("a"), ["a.wav"]);
    assert_eq!(found("b"), ["below/b.MP4"]);
    assert_eq!(found("c"), ["below/c.mp4", "c.wav"], "which of them is for the user to say");
    assert_eq!(found("a.lab"), ["a.lab"]);
    assert_eq!(found("lab"), Vec::<String>::new());
}

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    extract: ExtractArgs,
}

/// Runs `corpus extract` with the classical front end on clips `a` and `b`, which have transcripts, and loads the
/// corpus that it writes to `out` in `folder`.
fn extracted(folder: &Path, more: &[&str]) -> Result<Corpus, String> {
    let path = |name: &str| folder.join(name).display().to_string();
    std::fs::write(path("labels.csv"), "id,label,split,text\na,1,train,so good\nb,-1,test,dull\n").unwrap();
    std::fs::create_dir_all(path("clips/below")).unwrap();
    let line = ["extract", "--clips", &path("clips"), "--labels", &path("labels.csv"), "--out", &path("out")];
    let cli = <Cli as clap::Parser>::try_parse_from([&line, more].concat()).map_err(|error| error.to_string())?;
    run(&cli.extract).map_err(|error| format!("{error:#}"))?;
    Corpus::load(&path("out").parse().unwrap()).map_err(|error| error.to_string())
}

/// A second of a tone of this amplitude as WAV; silence if it is 0.
fn wav(amplitude: f32) -> Vec<u8> {
    let samples = (0..16_000).map(|i| (amplitude * (i as f32 * 0.1).sin() * 8000.0) as i16);
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16u32.to_le_bytes());
    for (word, bytes) in [(1u32, 2), (1, 2), (16_000, 4), (32_000, 4), (2, 2), (16, 2)] {
        file.extend(&word.to_le_bytes()[..bytes]);
    }
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

#[test]
fn a_folder_without_a_file_of_any_clip_is_refused_unless_text_alone_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (clips, out) = (folder.path().join("clips"), folder.path().join("out"));
    for stranger in ["", "c.wav", "a.lab"] {
        if !stranger.is_empty() {
            std::fs::write(clips.join(stranger), wav(1.0)).unwrap();
        }
        let error = extracted(folder.path(), &["--classical"]).unwrap_err();
        let expected = format!("{}: no file for any of the 2 clips of ", clips.display());
        assert!(error.starts_with(&expected) && error.contains("`a.wav`") && error.contains("mp4"), "{error}");
        assert!(!out.exists() && !folder.path().join("out.cache").exists());
    }
    let corpus = extracted(folder.path(), &["--only", "text"]).unwrap();
    assert_eq!((corpus.widths, corpus.clips.len()), ([None; 3], 2));
    assert_eq!(corpus.clips[1].text, "dull");
}

#[test]
fn a_clip_without_a_file_keeps_its_transcript_and_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("clips/below")).unwrap();
    std::fs::write(folder.path().join("clips/below/a.wav"), wav(1.0)).unwrap();
    let corpus = extracted(folder.path(), &["--classical"]).unwrap();
    assert!(corpus.clips[0].features[1].is_some() && corpus.clips[1].features[1].is_none());
    let summary = super::super::import::summary(&corpus, Path::new("out"));
    assert!(summary.ends_with(" in 1 clips, a transcript in 2 clips"), "{summary}");
}
