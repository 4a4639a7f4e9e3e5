//! Tables, caches and splits without any extractor; with the real ones in `tests/extract.rs`.

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
