//! Which weights belong to which demo: a name that follows from all that training depends on.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use corpus::Corpus;
use sha2::{Digest, Sha256};

/// Characters of the hash in the name; 48 bits tell apart more corpora than fit on a disk.
const HASH: usize = 12;

/// `CORPUS-HASH`: the corpus's name made fit for a file name, and a hash of its content, of the text encoder's and of the
/// options of training. Another corpus in the same folder, or an edited one, gets another name.
///
/// # Errors
/// If the text encoder cannot be read.
pub fn name(corpus: &Corpus, encoder: Option<&Path>, options: &[String]) -> Result<String> {
    let mut hash = Sha256::new();
    for option in options {
        field(&mut hash, option.as_bytes());
    }
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
    let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
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
    use corpus::{Clip, Sequence};

    fn corpus(name: &str, value: f32, label: f32) -> Corpus {
        let features = [None, Some(Sequence::new(2, vec![value, 1.0])), None];
        let (id, video_id, split) = ("a".into(), "v".into(), "train".into());
        Corpus::new(name, vec![Clip { id, video_id, split, label, text: "so".into(), features }]).unwrap()
    }

    fn key(corpus: &Corpus, options: &[&str]) -> String {
        name(corpus, None, &options.iter().map(|&o| o.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_name_follows_from_content_and_options() {
        let one = corpus("data/my corpus", 0.5, 1.0);
        assert!(key(&one, &["a"]).starts_with("my-corpus-"));
        assert_eq!(key(&one, &["a"]), key(&one.clone(), &["a"]));
        let others = [
            key(&one, &["b"]),
            key(&one, &["a", ""]),
            key(&corpus("data/my corpus", 0.25, 1.0), &["a"]),
            key(&corpus("data/my corpus", 0.5, -1.0), &["a"]),
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(*other, key(&one, &["a"]));
            assert!(!others[..index].contains(other));
        }
    }

    #[test]
    fn an_encoder_counts_and_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let one = corpus("c", 0.5, 1.0);
        let missing = name(&one, Some(folder.path()), &[]).unwrap_err();
        assert!(format!("{missing:#}").contains("config.json"), "{missing:#}");
        for file in ["config.json", "tokenizer.json", "model.safetensors"] {
            std::fs::write(folder.path().join(file), "x").unwrap();
        }
        let first = name(&one, Some(folder.path()), &[]).unwrap();
        assert_ne!(first, name(&one, None, &[]).unwrap());
        std::fs::write(folder.path().join("model.safetensors"), "y").unwrap();
        assert_ne!(first, name(&one, Some(folder.path()), &[]).unwrap());
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
