//! Files that are complete or not there at all.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use tempfile::NamedTempFile;

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
    pub fn create(path: &Path) -> Result<Self> {
        let context = || format!("cannot write {}", path.display());
        if path.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory)).with_context(context);
        }
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any new file, less the umask, not readable by its owner alone as temporary files are.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder).with_context(context)?;
        Ok(PendingFile { file, path: path.to_owned() })
    }

    /// Lets `write` fill the file, then puts it in place of what was there.
    ///
    /// # Errors
    /// If writing fails, such as on a full disk; what was there then stays as it was.
    pub fn commit(mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        let context = format!("cannot write {}", self.path.display());
        let mut buffered = BufWriter::new(self.file.as_file_mut());
        write(&mut buffered).and_then(|()| buffered.flush()).with_context(|| context.clone())?;
        drop(buffered);
        self.file.as_file().sync_all().with_context(|| context.clone())?;
        self.file.persist(&self.path).context(context)?;
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
        assert!(format!("{:#}", full.unwrap_err()).contains("out.json"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "second");
        drop(PendingFile::create(&path).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside the file");
    }

    #[test]
    fn a_destination_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| format!("{:#}", PendingFile::create(path).unwrap_err());
        assert!(error(&folder.path().join("missing/out.csv")).contains("missing/out.csv"));
        assert!(error(folder.path()).starts_with("cannot write"));
    }
}
