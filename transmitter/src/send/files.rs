//! Files that are complete or not there at all.

use anyhow::{Context, Result};
use std::fs::Permissions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file beside its destination that takes its place when complete; dropped before, it vanishes.
#[derive(Debug)]
pub(super) struct PendingFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl PendingFile {
    /// Creates the file beside `path`, so that a destination that cannot be written shows before the work is done.
    pub fn create(path: &Path) -> Result<Self> {
        let context = || format!("cannot write {}", path.display());
        if path.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory)).with_context(context);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // As any new file, less the umask, not readable by its owner alone as temporary files are.
        let mut builder = tempfile::Builder::new();
        let file = builder.permissions(Permissions::from_mode(0o666)).tempfile_in(folder).with_context(context)?;
        Ok(PendingFile { file, path: path.to_owned() })
    }

    /// Lets `write` fill the file, then puts it in place of what was there.
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
