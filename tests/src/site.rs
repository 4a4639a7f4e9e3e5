//! The files of a run of the tests: the binary, a corpus, and weights that are trained once and shared by all tests.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::{Process, write_corpus, write_spoken_corpus};

/// Number of clips in the test split of the site's corpus.
const TEST_CLIPS: usize = 48;

/// The binary under test, and the folder, corpus and weights that all tests share.
pub struct Site {
    binary: PathBuf,
    folder: PathBuf,
    corpus: OnceLock<PathBuf>,
    weights: OnceLock<PathBuf>,
    other_weights: OnceLock<PathBuf>,
}

impl Site {
    /// The folder of a tiny text encoder of the BERT family.
    pub const TEXT_ENCODER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/learning/nn/tests/data/tiny-bert");

    /// A site of the binary at the path `binary`, in a new folder below `scratch`. Folders that earlier runs left there
    /// are removed.
    pub fn new(binary: &str, scratch: &str) -> Site {
        let scratch = Path::new(scratch);
        for entry in std::fs::read_dir(scratch).unwrap().flatten() {
            let left = entry.file_name().to_str().and_then(|n| n.strip_prefix("system-")?.parse::<u32>().ok());
            if left.is_some_and(|id| !Path::new(&format!("/proc/{id}")).exists()) {
                // Another run may be removing it at the same time.
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let folder = scratch.join(format!("system-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Site {
            binary: binary.into(),
            folder,
            corpus: OnceLock::new(),
            weights: OnceLock::new(),
            other_weights: OnceLock::new(),
        }
    }

    /// The path of the `latentlink` binary.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// Creates an empty folder for one test.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.folder.join(name);
        std::fs::create_dir(&folder).unwrap();
        folder
    }

    /// The folder of a corpus with 96 training, 32 validation and 48 test clips; written at the first call.
    pub fn corpus(&self) -> &Path {
        self.corpus.get_or_init(|| {
            let folder = self.folder.join("corpus");
            write_corpus(&folder, 96, 32, TEST_CLIPS);
            folder
        })
    }

    /// Number of clips in the test split of [`Site::corpus`].
    pub fn test_clips(&self) -> usize {
        TEST_CLIPS
    }

    /// The folder of weights trained on [`Site::corpus`] for ten epochs of the preset `small`; trained at the first
    /// call.
    pub fn weights(&self) -> &Path {
        self.weights.get_or_init(|| self.trained("weights", self.corpus(), &["--epochs", "10", "--seed", "1"]))
    }

    /// The folder of weights of the same sizes as [`Site::weights`], trained with another seed for one epoch at the
    /// first call.
    pub fn other_weights(&self) -> &Path {
        self.other_weights.get_or_init(|| self.trained("weights-2", self.corpus(), &["--epochs", "1", "--seed", "2"]))
    }

    /// Trains weights that accept transcripts, with a tiny text encoder; returns their folder.
    pub fn reading_weights(&self) -> PathBuf {
        let corpus = self.folder.join("spoken");
        write_spoken_corpus(&corpus);
        self.trained("weights-reading", &corpus, &["--epochs", "10", "--text-encoder", Site::TEXT_ENCODER])
    }

    fn trained(&self, name: &str, corpus: &Path, more: &[&str]) -> PathBuf {
        let out = self.folder.join(name);
        let path = |p: &Path| p.to_str().unwrap().to_owned();
        let (corpus, out_text) = (path(corpus), path(&out));
        let args = ["trainer", "train", "--corpus", &corpus, "--preset", "small", "--out", &out_text];
        let args = [&args[..], more].concat();
        Process::run(&self.binary, &args).succeeded();
        out
    }
}

/// The folder of real clips that the variable `LATENTLINK_SHARED` names. If there is none, reports that `test` is
/// skipped and returns `None`.
pub fn shared(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("LATENTLINK_SHARED").map(PathBuf::from).filter(|f| f.is_dir());
    if folder.is_none() {
        skipped(test, "LATENTLINK_SHARED");
    }
    folder
}

/// Reports on standard error that `test` is skipped because it needs `thing`, in the form that CI counts.
pub fn skipped(test: &str, thing: &str) {
    // Not `println!`: the test harness hides its output for tests that pass.
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "skipped: {test} needs {thing}");
}
