//! Provenance of results: the compiler, the text encoder's files, and the commands that wrote a folder.

use super::store;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Version of the compiler that built this program, or `unknown`.
pub const RUSTC: &str = match option_env!("LATENTLINK_RUSTC") {
    Some(version) => version,
    None => "unknown",
};

/// The files of a BERT-family checkpoint that are read.
const CHECKPOINT: [&str; 3] = ["config.json", "model.safetensors", "tokenizer.json"];

/// SHA-256, in hexadecimal, of the text encoder's files in `folder`, by file name.
///
/// # Errors
/// If a file cannot be read.
pub fn hashes(folder: &Path) -> Result<BTreeMap<String, String>> {
    let hash = |name: &str| -> Result<(String, String)> { Ok((name.to_owned(), sha256(&folder.join(name))?)) };
    CHECKPOINT.into_iter().map(hash).collect()
}

fn sha256(file: &Path) -> Result<String> {
    let named = || file.display().to_string();
    let mut input = std::fs::File::open(file).with_context(named)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match input.read(&mut buffer).with_context(named)? {
            0 => return Ok(digests::hex(hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

const COMMANDS: &str = "commands.json";

/// The commands that have worked on the grid's folder `out`, in order, each once; empty if none is recorded.
///
/// # Errors
/// If the file of commands is damaged.
pub fn commands(out: &Path) -> Result<Vec<String>> {
    let file = out.join(COMMANDS);
    if file.exists() { store::read(&file) } else { Ok(Vec::new()) }
}

/// Adds the command line of this process to the commands recorded in the folder `out`.
///
/// # Errors
/// If the file cannot be read or written.
pub fn record(out: &Path) -> Result<()> {
    let words: Vec<String> = std::env::args().map(|word| quoted(&word)).collect();
    add(out, [words.join(" ")])
}

/// Adds the commands recorded in the folders `parts` to those of `out`, into which they are merged.
///
/// # Errors
/// If a file cannot be read or written.
pub fn gather(out: &Path, parts: &[PathBuf]) -> Result<()> {
    parts.iter().try_for_each(|part| add(out, commands(part)?))
}

fn add(out: &Path, more: impl IntoIterator<Item = String>) -> Result<()> {
    let mut all = commands(out)?;
    for command in more {
        if !all.contains(&command) {
            all.push(command);
        }
    }
    store::write(&out.join(COMMANDS), &all)
}

/// A word quoted for a POSIX shell, where it needs quotes.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+%@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_wants_it() {
        assert_eq!(quoted("--snr=-12:21:3"), "--snr=-12:21:3");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!((quoted(""), quoted("it's")), ("''".into(), r"'it'\''s'".into()));
    }

    #[test]
    fn a_file_has_the_hash_that_sha256sum_gives() {
        let folder = tempfile::tempdir().unwrap();
        for name in CHECKPOINT {
            std::fs::write(folder.path().join(name), "abc").unwrap();
        }
        let hashes = hashes(folder.path()).unwrap();
        assert_eq!(hashes.len(), 3);
        assert_eq!(hashes["tokenizer.json"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        std::fs::remove_file(folder.path().join("config.json")).unwrap();
        assert!(super::hashes(folder.path()).unwrap_err().to_string().contains("config.json"));
    }

    #[test]
    fn commands_of_parts_are_put_together_once() {
        let folder = tempfile::tempdir().unwrap();
        let part = |name: &str| folder.path().join(name);
        add(&part("a"), ["one".to_owned(), "one".to_owned()]).unwrap();
        add(&part("b"), ["two".to_owned(), "one".to_owned()]).unwrap();
        gather(&part("all"), &[part("a"), part("b")]).unwrap();
        assert_eq!(commands(&part("all")).unwrap(), ["one", "two"]);
    }
}
