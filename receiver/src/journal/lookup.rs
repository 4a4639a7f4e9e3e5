//! Looks up earlier answers in the journal by their delivery key.

use super::{Answer, JournalError, row};
use crate::refusal::Refusal;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use wire::Delivery;

/// A read-only connection to the journal beside its writer: it sees the rows of all transactions committed before.
pub struct Lookup {
    connection: Connection,
    path: Arc<Path>,
    model_id: Arc<str>,
}

impl Lookup {
    pub(super) fn open(path: &Arc<Path>, model_id: &Arc<str>) -> Result<Self, JournalError> {
        let failed = |error| JournalError::open(path, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
        Ok(Lookup { connection, path: path.clone(), model_id: model_id.clone() })
    }

    /// The reply to a burst with this delivery key if the key has a row: the journal's answer, or a refusal if another
    /// model gave it. `None` if the key has no row. If the journal cannot be read, the reply is that the receiver is
    /// unavailable.
    pub fn find(&self, delivery: Delivery) -> Option<Result<Answer, Refusal>> {
        match row::find(&self.connection, delivery) {
            Ok(found) => found.map(|(first, theirs)| first.answer_for(&self.model_id, theirs)),
            Err(error) => {
                let error = format!("cannot read the journal {}: {error}", self.path.display());
                tracing::error!(%error, "bursts are refused");
                Some(Err(Refusal::Unavailable(error)))
            }
        }
    }
}
