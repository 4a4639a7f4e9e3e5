//! Why the journal cannot be opened, read or written.

use super::version::VERSION;
use std::path::PathBuf;
use wire::Delivery;

/// An error of the journal: it cannot be opened, read or written, or it must not answer a delivery key.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be opened, created, read or prepared.
    #[error("cannot open the journal {}: {message}", path.display())]
    Open {
        /// The journal's file.
        path: PathBuf,
        /// SQLite's error message.
        message: String,
    },
    /// The file exists and is not a journal of Latentlink.
    #[error("{} is not a Latentlink journal", path.display())]
    Foreign {
        /// The file that is not a journal.
        path: PathBuf,
    },
    /// The journal has a schema version that this receiver does not know.
    #[error("the journal {} has schema version {found}; this receiver knows version {}", path.display(), VERSION)]
    Version {
        /// The journal's file.
        path: PathBuf,
        /// The schema version of the file.
        found: i32,
    },
    /// A transaction cannot be committed (a full disk, for instance). None of its rows was written; the same bursts may
    /// be sent again.
    #[error("cannot write the journal {}: {message}", path.display())]
    Write {
        /// The journal's file.
        path: PathBuf,
        /// SQLite's error message.
        message: String,
    },
    /// The delivery key was answered before by a model other than the one being served.
    #[error("{delivery} was answered by model {theirs}; this receiver serves {ours}: start a new run")]
    OtherModel {
        /// The delivery key.
        delivery: Delivery,
        /// The identifier of the model that answered the key, as the journal holds it.
        theirs: String,
        /// The identifier of the model being served.
        ours: String,
    },
}
