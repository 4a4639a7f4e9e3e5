//! Writes files atomically: a file is complete or does not exist, whatever happens to the command that writes it.

#![forbid(unsafe_code)]

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// The error of a file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}", path.display())]
pub struct WriteError {
    /// The path of the file that was to be written.
    pub path: PathBuf,
    /// The error of the operating system.
    pub source: io::Error,
}

impl WriteError {
    fn new(path: &Path, source: impl Into<io::Error>) -> Self {
        WriteError { path: path.to_owned(), source: source.into() }
    }
}

/// A temporary file in the folder of its destination, which replaces the destination on [`PendingFile::commit`]. If it
/// is dropped before, it is deleted.
#[derive(Debug)]
pub struct PendingFile {
    file: NamedTempFile,
    path: PathBuf,
}

/// Creates the missing parent folders of `path`.
///
/// # Errors
/// If a folder cannot be created; the error has the path `path`.
pub fn create_parents(path: &Path) -> Result<(), WriteError> {
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => fs::create_dir_all(parent).map_err(|source| WriteError::new(path, source)),
        None => Ok(()),
    }
}

impl PendingFile {
    /// Creates the temporary file for the destination `path`, and the missing parent folders of `path`. It is meant for
    /// paths that a user gives.
    ///
    /// # Errors
    /// If `path` is a folder, or its parent folder cannot be created or written.
    pub fn create_with_parents(path: &Path) -> Result<Self, WriteError> {
        create_parents(path)?;
        Self::create(path)
    }

    /// Creates the temporary file for the destination `path`, in the same folder. A command calls it before its work,
    /// so that it fails early if the destination cannot be written.
    ///
    /// # Errors
    /// If `path` is a folder, or its parent folder is missing or cannot be written.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let failed = |source| WriteError::new(path, source);
        if path.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // The permissions of an ordinary new file, reduced by the umask; temporary files have those of their owner
            // only.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder).map_err(failed)?;
        Ok(PendingFile { file, path: path.to_owned() })
    }

    /// Calls `write` to fill the temporary file, then replaces the destination by it.
    ///
    /// # Errors
    /// If writing fails, for example on a full disk; the destination is then unchanged.
    pub fn commit(mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), WriteError> {
        let failed = |source| WriteError::new(&self.path, source);
        let mut buffered = BufWriter::new(self.file.as_file_mut());
        write(&mut buffered).and_then(|()| buffered.flush()).map_err(failed)?;
        drop(buffered);
        self.file.as_file().sync_all().map_err(failed)?;
        self.file.persist(&self.path).map_err(|error| WriteError::new(&self.path, error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        let write =
            |text: &'static str| PendingFile::create(&path).unwrap().commit(move |out| out.write_all(text.as_bytes()));
        write("first").unwrap();
        write("second").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "second");
        let full = PendingFile::create(&path).unwrap().commit(|out| {
            out.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(full.unwrap_err().to_string().contains("out.json"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "second");
        drop(PendingFile::create(&path).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside the file");
    }

    #[test]
    fn folders_that_are_missing_are_made_for_a_path_of_the_user() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/out.json");
        PendingFile::create_with_parents(&path).unwrap().commit(|out| out.write_all(b"x")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "x");
        create_parents(Path::new("out.json")).unwrap();
        // The parent folder of the destination is a file.
        let error = PendingFile::create_with_parents(&path.join("deeper/out.json")).unwrap_err();
        assert!(error.to_string().contains("out.json/deeper/out.json"), "{error}");
    }

    #[test]
    fn a_destination_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| PendingFile::create(path).unwrap_err().to_string();
        assert!(error(&folder.path().join("missing/out.csv")).contains("missing/out.csv"));
        assert!(error(folder.path()).starts_with("cannot write"));
    }
}
