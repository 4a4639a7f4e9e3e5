//! The SQLite file of the journal: opens or creates it, and checks its schema and version.

use super::JournalError;
use super::version::VERSION;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// SQLite's `application_id` of a Latentlink journal: the letters "LLJR".
const APPLICATION_ID: i32 = 0x4c4c_4a52;

/// The table of the journal, with one row per delivery key. The verdict columns hold the `accuracy::Verdict` of the
/// row: NULL where it has no label (and `sign_correct` also for a label of 0), so that accuracy is a sum. All numbers
/// but `absolute_error` and the decibels are f32, which REAL holds exactly; `classes` is seven little-endian f32.
const TABLES: &str = "
    CREATE TABLE clips (
        id              INTEGER PRIMARY KEY,
        run_id          TEXT NOT NULL,
        sequence        INTEGER NOT NULL,
        clip_id         TEXT NOT NULL,
        label           REAL,
        model_id        TEXT NOT NULL,
        p_neg           REAL NOT NULL,
        p_zero          REAL NOT NULL,
        p_pos           REAL NOT NULL,
        score           REAL NOT NULL,
        classes         BLOB NOT NULL,
        channel         TEXT NOT NULL,
        snr_db          REAL,
        k_factor        REAL,
        h_re            REAL NOT NULL,
        h_im            REAL NOT NULL,
        n0              REAL NOT NULL,
        realised_snr_db REAL,
        transmitter_us  INTEGER NOT NULL,
        emulator_us     INTEGER NOT NULL,
        receiver_us     INTEGER NOT NULL,
        sign_correct    INTEGER,
        nonneg_correct  INTEGER,
        class_correct   INTEGER,
        absolute_error  REAL,
        written_at_ms   INTEGER NOT NULL,
        caption         TEXT NOT NULL DEFAULT '',
        UNIQUE (run_id, sequence)
    ) STRICT;
";

/// The statement that turns a journal of schema version 1 into one of version 2.
const FROM_1: &str = "ALTER TABLE clips ADD COLUMN caption TEXT NOT NULL DEFAULT ''";

/// Opens the journal at `path` for writing, creates it if it does not exist, and brings an older schema up to date.
///
/// # Errors
/// Fails if the file cannot be opened or written, is not a journal, or has the schema of a later version.
pub fn open(path: &Path) -> Result<Connection, JournalError> {
    let failed = |error| JournalError::open(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    // Another process may be reading, or a previous receiver still draining.
    connection.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
    prepare(&mut connection, path)?;
    Ok(connection)
}

fn prepare(connection: &mut Connection, path: &Path) -> Result<(), JournalError> {
    let failed = |error| JournalError::open(path, &error);
    let pragma = |connection: &Connection, name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let tables = |connection: &Connection| {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
    };
    let (application, version) =
        (pragma(connection, "application_id").map_err(failed)?, pragma(connection, "user_version").map_err(failed)?);
    if application == APPLICATION_ID {
        if !(1..=VERSION).contains(&version) {
            return Err(JournalError::Version { path: path.to_owned(), found: version });
        }
    } else if application != 0 || version != 0 || tables(connection).map_err(failed)? != 0 {
        return Err(JournalError::Foreign { path: path.to_owned() });
    }
    // WAL with NORMAL survives the death of the process, which is what an acknowledgement promises; not the loss of
    // power.
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
    // The transaction runs even if nothing is to be created: a journal that cannot be written fails at start.
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
    if pragma(&transaction, "application_id").map_err(failed)? == 0 {
        transaction.execute_batch(TABLES).map_err(failed)?;
    } else if pragma(&transaction, "user_version").map_err(failed)? == 1 {
        transaction.execute_batch(FROM_1).map_err(failed)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", VERSION).map_err(failed)?;
    transaction.commit().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(path: &Path) -> String {
        open(path).expect_err("must not open").to_string()
    }

    #[test]
    fn opens_what_it_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.sqlite");
        for _ in 0..2 {
            let connection = open(&path).unwrap();
            let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
            assert_eq!(mode, "wal");
        }
    }

    #[test]
    fn a_journal_of_version_1_is_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.sqlite");
        let old = open(&path).unwrap();
        old.execute_batch("ALTER TABLE clips DROP COLUMN caption; PRAGMA user_version = 1").unwrap();
        drop(old);
        for _ in 0..2 {
            let connection = open(&path).unwrap();
            connection.prepare("SELECT caption FROM clips").unwrap();
            assert_eq!(connection.pragma_query_value(None, "user_version", |row| row.get(0)), Ok(VERSION));
        }
    }

    #[test]
    fn refuses_a_journal_of_a_later_version() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.sqlite");
        open(&path).unwrap().pragma_update(None, "user_version", VERSION + 1).unwrap();
        let message = message(&path);
        assert!(message.contains("journal.sqlite") && message.contains("version 3"), "{message}");
    }

    #[test]
    fn refuses_files_that_are_no_journal_and_leaves_them_alone() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("notes.txt");
        std::fs::write(&text, "a text that is long enough to be taken for the header of a database, but is none of it")
            .unwrap();
        let before = std::fs::read(&text).unwrap();
        assert!(message(&text).contains("notes.txt"));
        assert_eq!(std::fs::read(&text).unwrap(), before);

        let other = folder.path().join("other.sqlite");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
        assert!(message(&other).contains("is not a Latentlink journal"));

        assert!(message(&folder.path().join("absent/journal.sqlite")).contains("absent"));
    }
}
