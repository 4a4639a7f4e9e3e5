//! Why the journal cannot be opened, read or written.

use super::version::VERSION;
use std::path::PathBuf;
use wire::Delivery;

/// What can go wrong with the journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be opened, made or written.
    #[error("cannot open the journal {}: {message}", path.display())]
    Open {
        /// The journal's file.
        path: PathBuf,
        /// What SQLite says.
        message: String,
    },
    /// The file is something else.
    #[error("{} is not a Latentlink journal", path.display())]
    Foreign {
        /// The file that is none.
        path: PathBuf,
    },
    /// The file was written by another version.
    #[error("the journal {} has schema version {found}; this receiver knows version {}", path.display(), VERSION)]
    Version {
        /// The journal's file.
        path: PathBuf,
        /// Its version.
        found: i32,
    },
    /// Rows cannot be committed (a full disk, for instance). None of them was; the same bursts may be sent again.
    #[error("cannot write the journal {}: {message}", path.display())]
    Write {
        /// The journal's file.
        path: PathBuf,
        /// What SQLite says.
        message: String,
    },
    /// The delivery key was answered by other weights.
    #[error("{delivery} was answered by model {theirs}; this receiver serves {ours}: start a new run")]
    OtherModel {
        /// The key.
        delivery: Delivery,
        /// The model id in the journal.
        theirs: String,
        /// The model id being served.
        ours: String,
    },
}
