//! What can be wrong with a corpus. Every message is one line that names the file and the row or field.

use std::path::{Path, PathBuf};

/// Why a corpus could not be read, written or cut.
///
/// Rows count clips from 0, as the tensors do; lines are those of the text file, from 1.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is wrong as a whole: malformed, truncated, empty, or without a column.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was expected and what came.
        problem: String,
    },
    /// One field of one line of a CSV file is wrong.
    #[error("{}: line {line} (row {row}), field `{field}`: {problem}", path.display())]
    Field {
        /// The CSV file.
        path: PathBuf,
        /// Line in the file, from 1.
        line: u64,
        /// Row of the clip, from 0.
        row: usize,
        /// Column name.
        field: String,
        /// What was expected and what came.
        problem: String,
    },
    /// A tensor of the features file is wrong as a whole.
    #[error("{}: tensor `{tensor}`: {problem}", path.display())]
    Tensor {
        /// The features file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// What was expected and what came.
        problem: String,
    },
    /// One row of a tensor is wrong.
    #[error("{}: tensor `{tensor}`, row {row}: {problem}", path.display())]
    TensorRow {
        /// The features file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Row of the clip, from 0.
        row: usize,
        /// What was expected and what came.
        problem: String,
    },
    /// A clip contradicts the rest of its corpus.
    #[error("corpus `{corpus}`, row {row} (clip `{id}`), field `{field}`: {problem}")]
    Clip {
        /// Name of the corpus.
        corpus: String,
        /// Row of the clip, from 0.
        row: usize,
        /// The clip's id.
        id: String,
        /// Which field of the clip.
        field: &'static str,
        /// What was expected and what came.
        problem: String,
    },
    /// A corpus without clips.
    #[error("corpus `{corpus}` holds no clips")]
    Empty {
        /// Name of the corpus.
        corpus: String,
    },
    /// A split that the corpus lacks.
    #[error("corpus `{corpus}` has no split `{split}`; it has {known}")]
    UnknownSplit {
        /// Name of the corpus.
        corpus: String,
        /// What was asked for.
        split: String,
        /// The splits there are, with their sizes.
        known: String,
    },
    /// A string that names no corpus.
    #[error("corpus `{spec}`: {problem}")]
    Spec {
        /// The string.
        spec: String,
        /// What was expected.
        problem: String,
    },
    /// Folds that cannot be cut.
    #[error("cannot cut folds: {0}")]
    Folds(String),
}

impl CorpusError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        CorpusError::Io { path: path.to_owned(), source }
    }

    pub(crate) fn file(path: &Path, problem: impl Into<String>) -> Self {
        CorpusError::File { path: path.to_owned(), problem: problem.into() }
    }

    pub(crate) fn tensor(path: &Path, tensor: &str, problem: impl Into<String>) -> Self {
        CorpusError::Tensor { path: path.to_owned(), tensor: tensor.to_owned(), problem: problem.into() }
    }
}
