//! The files of a recording: `STEM-in` and `STEM-out`, each `.sigmf-data` and `.sigmf-meta`, and `STEM.sigmf-collection`.

use anyhow::{Context, bail};
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Which side of the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What went in.
    In,
    /// What came out.
    Out,
}

impl Side {
    /// Both.
    pub const BOTH: [Side; 2] = [Side::In, Side::Out];

    /// As in the file names.
    pub fn name(self) -> &'static str {
        match self {
            Side::In => "in",
            Side::Out => "out",
        }
    }
}

const EXTENSIONS: [&str; 4] = [".sigmf-collection", ".sigmf-data", ".sigmf-meta", ".sigmf"];
/// Recordings of one name.
const MOST: u32 = 10_000;

/// The path that all names of a recording begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stem(PathBuf);

impl Stem {
    /// From what a user gives: an ending of SigMF is taken off.
    pub fn new(given: &Path) -> Stem {
        let mut path = given.to_owned();
        if let Some(name) = given.file_name().and_then(|name| name.to_str()) {
            let bare = EXTENSIONS.iter().find_map(|extension| name.strip_suffix(extension)).unwrap_or(name);
            if !bare.is_empty() {
                path.set_file_name(bare);
            }
        }
        Stem(path)
    }

    /// The stem without the side that its name ends with, if it does.
    pub fn without_side(&self) -> Option<Stem> {
        let name = self.0.file_name()?.to_str()?;
        let bare = Side::BOTH.iter().find_map(|side| name.strip_suffix(&format!("-{}", side.name())))?;
        (!bare.is_empty()).then(|| Stem(self.0.with_file_name(bare)))
    }

    fn with(&self, suffix: &str) -> PathBuf {
        let mut path = self.0.as_os_str().to_owned();
        path.push(suffix);
        path.into()
    }

    /// The samples of one side.
    pub fn data(&self, side: Side) -> PathBuf {
        self.with(&format!("-{}.sigmf-data", side.name()))
    }

    /// The metadata of one side.
    pub fn meta(&self, side: Side) -> PathBuf {
        self.with(&format!("-{}.sigmf-meta", side.name()))
    }

    /// What ties the two sides together.
    pub fn collection(&self) -> PathBuf {
        self.with(".sigmf-collection")
    }

    /// The name of one side without its folder, or of the collection.
    pub fn base(&self, side: Option<Side>) -> String {
        let name = self.0.file_name().unwrap_or_default().to_string_lossy();
        match side {
            Some(side) => format!("{name}-{}", side.name()),
            None => name.into_owned(),
        }
    }

    /// Takes a name that no recording has yet: the stem itself, or else `STEM-2`, `STEM-3`, …, and creates the two files
    /// of samples.
    ///
    /// # Errors
    /// If they cannot be created.
    pub fn claim(&self) -> anyhow::Result<(Stem, [File; 2])> {
        if self.0.file_name().is_none() || self.0.is_dir() {
            bail!("cannot record to {}: expected the stem of file names, got a folder", self.0.display());
        }
        for number in 1..=MOST {
            let stem = match number {
                1 => self.clone(),
                number => Stem(self.with(&format!("-{number}"))),
            };
            if stem.files().iter().any(|file| file.exists()) {
                continue;
            }
            let create = |side: Side| {
                let path = stem.data(side);
                let created = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
                (created, path)
            };
            let (input, path) = create(Side::In);
            if input.as_ref().is_err_and(|error| error.kind() == ErrorKind::AlreadyExists) {
                // Another process was faster.
                continue;
            }
            let input = input.with_context(|| format!("cannot record to {}", path.display()))?;
            let (output, path) = create(Side::Out);
            let output = output.with_context(|| format!("cannot record to {}", path.display()))?;
            return Ok((stem, [input, output]));
        }
        bail!("there are {MOST} recordings named {} already", self.0.display())
    }

    fn files(&self) -> Vec<PathBuf> {
        let of_side = |side| [self.data(side), self.meta(side), spare(&self.meta(side))];
        Side::BOTH.into_iter().flat_map(of_side).chain([self.collection()]).collect()
    }
}

/// What changes names with a file of metadata while it grows; left over only if the process was killed.
pub fn spare(meta: &Path) -> PathBuf {
    let mut path = meta.as_os_str().to_owned();
    path.push(".spare");
    path.into()
}

impl std::fmt::Display for Stem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.display().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_taken_off_and_dots_kept() {
        for (given, stem) in [
            ("a/run.1", "a/run.1"),
            ("a/run.1.sigmf", "a/run.1"),
            ("run.sigmf-data", "run"),
            ("run.sigmf-meta", "run"),
            ("run.sigmf-collection", "run"),
            (".sigmf", ".sigmf"),
        ] {
            assert_eq!(Stem::new(Path::new(given)).to_string(), stem);
        }
        let stem = Stem::new(Path::new("a/run-out.sigmf-meta"));
        assert_eq!(stem.without_side().unwrap().to_string(), "a/run");
        assert_eq!(stem.without_side().unwrap().without_side(), None);
        assert_eq!(Stem::new(Path::new("a/x")).meta(Side::In), Path::new("a/x-in.sigmf-meta"));
        assert_eq!(Stem::new(Path::new("a/x")).base(Some(Side::Out)), "x-out");
    }

    #[test]
    fn a_name_is_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let stem = Stem::new(&folder.path().join("run"));
        let claimed = || stem.claim().unwrap().0.base(None);
        assert_eq!([claimed(), claimed(), claimed()], ["run", "run-2", "run-3"]);
        std::fs::write(folder.path().join("run-4.sigmf-collection"), "").unwrap();
        assert_eq!(claimed(), "run-5", "whatever is there is left alone");

        let error = Stem::new(folder.path()).claim().unwrap_err().to_string();
        assert!(error.contains("folder"), "{error}");
        let error = Stem::new(&folder.path().join("missing/run")).claim().unwrap_err().to_string();
        assert!(error.contains("missing/run-in.sigmf-data"), "{error}");
    }
}
