//! Both halves on the disk, or what was there before.

use super::save::Files;
use super::{WeightsError, file_error};
use std::io;
use std::path::Path;
use tempfile::TempDir;

/// Writes the files of a half into a new folder inside `folder`, which vanishes unless it is moved.
pub fn stage(folder: &Path, half: &str, files: &Files) -> Result<TempDir, WeightsError> {
    let fresh = tempfile::Builder::new().prefix(".weights-").tempdir_in(folder).map_err(|e| file_error(folder, e))?;
    for (name, bytes) in files {
        let file = fresh.path().join(name);
        let named = folder.join(half).join(name);
        let inner = file.parent().expect("files lie in the folder");
        std::fs::create_dir_all(inner).map_err(|e| file_error(&named, e))?;
        write_synced(&file, bytes).map_err(|e| file_error(&named, e))?;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new folder, not closed to others as temporary ones are.
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(fresh.path(), open).map_err(|e| file_error(&folder.join(half), e))?;
    }
    Ok(fresh)
}

fn write_synced(file: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let mut out = std::fs::File::create(file)?;
    out.write_all(bytes)?;
    out.sync_all()
}

/// Moves each staged half to its place in `folder`. If one cannot be moved, those before it move back.
pub fn replace(folder: &Path, staged: [(&str, TempDir); 2]) -> Result<(), WeightsError> {
    let old = tempfile::Builder::new().prefix(".weights-").tempdir_in(folder).map_err(|e| file_error(folder, e))?;
    for (at, (half, fresh)) in staged.iter().enumerate() {
        let Err(e) = swap(&folder.join(half), fresh.path(), &old.path().join(half)) else { continue };
        let back = |(half, fresh): &(&str, TempDir)| unswap(&folder.join(half), fresh.path(), &old.path().join(half));
        if !staged[..at].iter().map(back).all(|back| back.is_ok()) || old.path().join(half).exists() {
            // What was there could not be put back: it must not vanish with the guard.
            let _ = old.keep();
        }
        return Err(file_error(&folder.join(half), e));
    }
    // They have moved: nothing is left to remove.
    staged.into_iter().for_each(|(_, fresh)| drop(fresh.keep()));
    old.close().map_err(|e| file_error(folder, e))
}

/// Moves `target`, if there is one, to `old`, and `fresh` to `target`.
fn swap(target: &Path, fresh: &Path, old: &Path) -> io::Result<()> {
    let existed = target.symlink_metadata().is_ok();
    if existed {
        std::fs::rename(target, old)?;
    }
    std::fs::rename(fresh, target).inspect_err(|_| {
        if existed {
            let _ = std::fs::rename(old, target);
        }
    })
}

/// Undoes [`swap`].
fn unswap(target: &Path, fresh: &Path, old: &Path) -> io::Result<()> {
    std::fs::rename(target, fresh)?;
    if old.symlink_metadata().is_ok() { std::fs::rename(old, target) } else { Ok(()) }
}
