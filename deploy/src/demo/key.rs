//! Which weights belong to which demo: a name that follows from all that training depends on.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use corpus::Corpus;
use sha2::{Digest, Sha256};
use trainer::config::RunConfig;

/// Characters of the hash in the name; 48 bits tell apart more corpora than fit on a disk.
const HASH: usize = 12;

/// `CORPUS-HASH`: the corpus's name made fit for a file name, and a hash of its content, of the text encoder's and of every
/// setting of the run, defaults included. Another corpus in the same folder, an edited one or a trainer with other
/// defaults gets another name; the same corpus and text encoder in another place do not.
///
/// # Errors
/// If the text encoder cannot be read.
pub fn name(corpus: &Corpus, encoder: Option<&Path>, settings: &RunConfig) -> Result<String> {
    let mut hash = Sha256::new();
    // Where they lie does not matter, what is in them follows below.
    let settings = RunConfig { corpus: String::new(), text_encoder: None, ..settings.clone() };
    // By way of a value, whose fields are sorted by name: moving a field in the code changes no hash.
    field(&mut hash, &serde_json::to_vec(&serde_json::to_value(&settings)?)?);
    clips(&mut hash, corpus);
    if let Some(folder) = encoder {
        for file in ["config.json", "tokenizer.json", "model.safetensors"] {
            let path = folder.join(file);
            let mut digest = Sha256::new();
            let failed = || path.display().to_string();
            std::io::copy(&mut File::open(&path).with_context(failed)?, &mut Writer(&mut digest))
                .with_context(failed)?;
            field(&mut hash, &digest.finalize());
        }
    }
    let digest: String = digests::hex(hash.finalize());
    Ok(format!("{}-{}", slug(&corpus.name), &digest[..HASH]))
}

/// Length first, so that neighbouring fields cannot run into each other.
fn field(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

fn clips(hash: &mut Sha256, corpus: &Corpus) {
    let mut bytes = Vec::new();
    for clip in &corpus.clips {
        for text in [&clip.id, &clip.video_id, &clip.split, &clip.text] {
            field(hash, text.as_bytes());
        }
        field(hash, &clip.label.to_le_bytes());
        for sequence in &clip.features {
            bytes.clear();
            if let Some(sequence) = sequence {
                bytes.extend((sequence.width() as u64).to_le_bytes());
                bytes.extend(sequence.data().iter().flat_map(|value| value.to_le_bytes()));
            }
            field(hash, &bytes);
        }
    }
}

/// The last part of a path or the text before options, with letters and digits alone.
fn slug(corpus: &str) -> String {
    let base = corpus.trim_end_matches('/').rsplit('/').next().unwrap_or(corpus);
    let base = base.split(':').next().unwrap_or(base);
    base.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

/// Hashes what is written to it.
struct Writer<'a>(&'a mut Sha256);

impl std::io::Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use corpus::{Clip, Sequence};
    use serde_json::Value;

    fn corpus(name: &str, value: f32, label: f32) -> Corpus {
        let features = [None, Some(Sequence::new(2, vec![value, 1.0])), None];
        let (id, video_id, split) = ("a".into(), "v".into(), "train".into());
        Corpus::new(name, vec![Clip { id, video_id, split, label, text: "so".into(), features }]).unwrap()
    }

    /// What the trainer makes of an option list for a corpus.
    fn settings(corpus: &Corpus, options: &[&str]) -> RunConfig {
        let fixed = ["trainer", "train", "--corpus", "builtin", "--out", "run"];
        let parsed = trainer::Args::try_parse_from([&fixed[..], options].concat()).unwrap();
        let trainer::Command::Train(args) = parsed.command else { panic!("`train` was asked for") };
        args.options.resolved(&args.corpus, corpus, args.seed).unwrap()
    }

    fn key(corpus: &Corpus, options: &[&str]) -> String {
        name(corpus, None, &settings(corpus, options)).unwrap()
    }

    #[test]
    fn the_name_follows_from_content_and_options() {
        let one = corpus("data/my corpus", 0.5, 1.0);
        let plain = key(&one, &[]);
        assert!(plain.starts_with("my-corpus-"));
        assert_eq!(plain, key(&one.clone(), &["--preset", "small"]), "a default that is spelt out is the same run");
        let others = [
            key(&one, &["--preset", "paper"]),
            key(&one, &["--epochs", "1"]),
            key(&one, &["--seed", "1"]),
            key(&corpus("data/my corpus", 0.25, 1.0), &[]),
            key(&corpus("data/my corpus", 0.5, -1.0), &[]),
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(*other, plain);
            assert!(!others[..index].contains(other));
        }
    }

    /// Another default of the trainer is another value in the resolved settings, whichever field it is.
    #[test]
    fn every_setting_counts_but_where_the_corpus_lies() {
        let one = corpus("c", 0.5, 1.0);
        let settings = settings(&one, &[]);
        let plain = name(&one, None, &settings).unwrap();
        let mut leaves = Vec::new();
        paths(&serde_json::to_value(&settings).unwrap(), "", &mut leaves);
        assert!(leaves.len() > 30, "{leaves:?}");
        let mut counted = 0;
        for path in &leaves {
            let mut value = serde_json::to_value(&settings).unwrap();
            let Some(changed) = changed(&value, path) else { continue };
            *value.pointer_mut(path).unwrap() = changed;
            // Names of kinds take no other text.
            let Ok(other) = serde_json::from_value::<RunConfig>(value) else { continue };
            let other = name(&one, None, &other).unwrap();
            let place = ["/corpus", "/text_encoder"].contains(&path.as_str());
            assert_eq!(other == plain, place, "{path}");
            counted += 1;
        }
        assert!(counted > 25, "{counted} of {leaves:?}");
    }

    /// The JSON pointers of all values that are no objects.
    fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(name, value)| paths(value, &format!("{at}/{name}"), found))
            }
            _ => found.push(at.to_owned()),
        }
    }

    /// Another value of the same type.
    fn changed(value: &Value, path: &str) -> Option<Value> {
        match value.pointer(path)? {
            Value::Number(number) if number.is_u64() => Some((number.as_u64()? + 1).into()),
            Value::Number(number) => Some((number.as_f64()? + 0.5).into()),
            Value::Bool(truth) => Some((!truth).into()),
            Value::String(text) => Some(format!("{text}x").into()),
            _ => None,
        }
    }

    #[test]
    fn an_encoder_counts_and_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let one = corpus("c", 0.5, 1.0);
        let settings = settings(&one, &[]);
        let missing = name(&one, Some(folder.path()), &settings).unwrap_err();
        assert!(format!("{missing:#}").contains("config.json"), "{missing:#}");
        for file in ["config.json", "tokenizer.json", "model.safetensors"] {
            std::fs::write(folder.path().join(file), "x").unwrap();
        }
        let first = name(&one, Some(folder.path()), &settings).unwrap();
        assert_ne!(first, name(&one, None, &settings).unwrap());
        std::fs::write(folder.path().join("model.safetensors"), "y").unwrap();
        assert_ne!(first, name(&one, Some(folder.path()), &settings).unwrap());
    }

    #[test]
    fn names_are_fit_for_files() {
        for (corpus, expected) in
            [("builtin:redundancy=0.5,seed=0", "builtin"), ("/a/b.c/", "b-c"), ("../x y", "x-y"), ("..", "--")]
        {
            assert_eq!(slug(corpus), expected);
        }
    }
}
