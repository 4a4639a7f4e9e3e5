//! Files that are complete or not there at all, for every command that writes one.

#![forbid(unsafe_code)]

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}", path.display())]
pub struct WriteError {
    /// The destination.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

impl WriteError {
    fn new(path: &Path, source: impl Into<io::Error>) -> Self {
        WriteError { path: path.to_owned(), source: source.into() }
    }
}

/// A file beside its destination that takes its place when complete; dropped before, it vanishes.
#[derive(Debug)]
pub struct PendingFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl PendingFile {
    /// Creates the file beside `path`, so that a destination that cannot be written shows before the work is done.
    ///
    /// # Errors
    /// If `path` is a folder, or its folder is missing or cannot be written.
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
            // As any new file, less the umask, not readable by its owner alone as temporary files are.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder).map_err(failed)?;
        Ok(PendingFile { file, path: path.to_owned() })
    }

    /// Lets `write` fill the file, then puts it in place of what was there.
    ///
    /// # Errors
    /// If writing fails, such as on a full disk; what was there then stays as it was.
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
    fn a_destination_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| PendingFile::create(path).unwrap_err().to_string();
        assert!(error(&folder.path().join("missing/out.csv")).contains("missing/out.csv"));
        assert!(error(folder.path()).starts_with("cannot write"));
    }
}
