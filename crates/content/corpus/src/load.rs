//! The way in: a [`CorpusSpec`] to a [`Corpus`].

use crate::{Corpus, CorpusError, CorpusSpec, builtin, folder};

impl Corpus {
    /// Reads or generates the corpus that `spec` names.
    ///
    /// # Errors
    /// See [`CorpusError`]; the first fault found is reported.
    pub fn load(spec: &CorpusSpec) -> Result<Corpus, CorpusError> {
        match spec {
            CorpusSpec::Builtin { redundancy, seed } => builtin::generate(*redundancy, *seed),
            CorpusSpec::Folder(path) => folder::load(path),
        }
    }
}
