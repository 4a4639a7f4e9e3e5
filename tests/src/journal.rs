//! Reads the receiver's journal while the receiver runs or after it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

/// A receiver's journal on disk.
pub struct Journal(PathBuf);

/// The delivery key of one row of a journal.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalRow {
    /// The run identifier of the delivery key.
    pub run_id: String,
    /// The sequence number of the delivery key.
    pub sequence: i64,
}

impl Journal {
    /// The journal at the path `file`, which need not exist yet.
    pub fn new(file: impl AsRef<Path>) -> Journal {
        Journal(file.as_ref().to_owned())
    }

    /// Number of rows of the journal; 0 if it does not exist yet.
    pub fn len(&self) -> usize {
        let count =
            |journal: Connection| journal.query_row("SELECT count(*) FROM clips", [], |row| row.get::<_, u32>(0));
        self.open().and_then(count).unwrap_or(0) as usize
    }

    /// All columns of the journal that do not depend on keys and clocks, one text for each row, sorted. Equal texts
    /// mean equal bits.
    ///
    /// # Panics
    /// Panics if the journal does not exist.
    pub fn answers(&self) -> Vec<String> {
        let columns = "clip_id, label, p_neg, p_zero, p_pos, score, hex(classes), channel, snr_db, k_factor, h_re, h_im, n0, \
                       realised_snr_db, caption, model_id";
        let journal = self.open().unwrap();
        let mut statement = journal.prepare(&format!("SELECT {columns} FROM clips")).unwrap();
        let width = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let values = (0..width).map(|column| row.get::<_, rusqlite::types::Value>(column));
            values.collect::<rusqlite::Result<Vec<_>>>().map(|values| format!("{values:?}"))
        };
        let mut answers: Vec<String> = statement.query_map([], row).unwrap().map(Result::unwrap).collect();
        answers.sort();
        answers
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        Connection::open_with_flags(&self.0, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    /// Whether the journal has no rows or does not exist yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The delivery keys of all rows, in order; empty if the journal does not exist yet.
    pub fn rows(&self) -> Vec<JournalRow> {
        let Ok(connection) = self.open() else { return Vec::new() };
        let query = "SELECT run_id, sequence FROM clips ORDER BY run_id, sequence";
        let Ok(mut statement) = connection.prepare(query) else {
            return Vec::new();
        };
        let row = |row: &rusqlite::Row<'_>| Ok(JournalRow { run_id: row.get(0)?, sequence: row.get(1)? });
        statement.query_map([], row).unwrap().map(Result::unwrap).collect()
    }
}
