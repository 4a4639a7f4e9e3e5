//! Both halves on the disk, or what was there before: at every moment, also after a kill.
//!
//! New halves are written into a folder beside the old ones. One rename gives that folder its name, [`NEXT`]: from then on the
//! new halves are the current ones, whichever of them has moved to its place. A reader takes a half from [`NEXT`] if it is
//! there, else from its place; what a kill left half-way is finished by the next that saves.

use super::{WeightsError, file_error};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The files of a half by name, in a fixed order.
pub type Files = Vec<(String, Vec<u8>)>;

/// The halves, in the order in which they move.
const HALVES: [&str; 2] = ["transmitter", "receiver"];

/// The folder of halves that are current and have not moved to their places yet.
const NEXT: &str = ".weights-next";

/// Where the half is, or is to be: in [`NEXT`] while its replacement is under way, else in its place.
pub fn current(folder: &Path, half: &str) -> PathBuf {
    let next = folder.join(NEXT).join(half);
    if next.join("manifest.json").is_file() { next } else { folder.join(half) }
}

/// Writes the files of both halves into a new folder inside `folder`, which vanishes unless [`replace`] takes it.
pub fn stage(folder: &Path, halves: [&Files; 2]) -> Result<TempDir, WeightsError> {
    let fresh = tempfile::Builder::new().prefix(".weights-").tempdir_in(folder).map_err(|e| file_error(folder, e))?;
    for (half, files) in HALVES.into_iter().zip(halves) {
        for (name, bytes) in files {
            let file = fresh.path().join(half).join(name);
            let named = folder.join(half).join(name);
            let inner = file.parent().expect("files lie in the folder");
            std::fs::create_dir_all(inner).map_err(|e| file_error(&named, e))?;
            write_synced(&file, bytes).map_err(|e| file_error(&named, e))?;
        }
        open(&fresh.path().join(half)).map_err(|e| file_error(&folder.join(half), e))?;
    }
    // Who may read the halves may read them in here, too.
    open(fresh.path()).map_err(|e| file_error(folder, e))?;
    Ok(fresh)
}

/// Lets others read a folder, as any new one, not closed to them as temporary ones are.
fn open(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

fn write_synced(file: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let mut out = std::fs::File::create(file)?;
    out.write_all(bytes)?;
    out.sync_all()
}

/// Makes the staged halves the current ones. If one cannot take its place, what was there is current again.
pub fn replace(folder: &Path, staged: TempDir) -> Result<(), WeightsError> {
    let next = folder.join(NEXT);
    std::fs::rename(staged.path(), &next).map_err(|e| file_error(folder, e))?;
    // It has moved: nothing is left to remove.
    drop(staged.keep());
    let steps = steps(folder);
    for (at, step) in steps.iter().enumerate() {
        let Err(e) = step.forward() else { continue };
        // Last to first, so that a reader meets the new halves until all of the old ones are back.
        if steps[..at].iter().rev().all(|step| step.back().is_ok()) {
            let withdrawn = folder.join(format!("{NEXT}-withdrawn"));
            if std::fs::rename(&next, &withdrawn).is_ok() {
                let _ = std::fs::remove_dir_all(withdrawn);
            }
        }
        return Err(file_error(&folder.join(step.half), e));
    }
    std::fs::remove_dir_all(&next).map_err(|e| file_error(folder, e))
}

/// Finishes a replacement that was cut short, if there is one.
pub fn finish(folder: &Path) -> Result<(), WeightsError> {
    let next = folder.join(NEXT);
    if !next.is_dir() {
        return Ok(());
    }
    for step in steps(folder) {
        step.forward().map_err(|e| file_error(&folder.join(step.half), e))?;
    }
    std::fs::remove_dir_all(&next).map_err(|e| file_error(folder, e))
}

/// A rename of a replacement.
struct Step {
    half: &'static str,
    from: PathBuf,
    to: PathBuf,
}

impl Step {
    fn forward(&self) -> io::Result<()> {
        std::fs::rename(&self.from, &self.to)
    }

    fn back(&self) -> io::Result<()> {
        std::fs::rename(&self.to, &self.from)
    }
}

/// The renames that are left to do, in order: an old half out of its place, the new one into it.
fn steps(folder: &Path) -> Vec<Step> {
    let next = folder.join(NEXT);
    let mut steps = Vec::new();
    for half in HALVES {
        let (place, new) = (folder.join(half), next.join(half));
        if new.symlink_metadata().is_err() {
            // It has moved already.
            continue;
        }
        if place.symlink_metadata().is_ok() {
            steps.push(Step { half, from: place.clone(), to: next.join(format!("old-{half}")) });
        }
        steps.push(Step { half, from: new, to: place });
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A half that says of which weights it is.
    fn half(of: &str) -> Files {
        vec![("manifest.json".into(), of.as_bytes().to_vec())]
    }

    /// What a reader finds.
    fn read(folder: &Path) -> [String; 2] {
        HALVES.map(|half| std::fs::read_to_string(current(folder, half).join("manifest.json")).unwrap_or_default())
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Staged and named, with `done` renames behind it: what a kill leaves there.
    fn killed(folder: &Path, done: usize) {
        let staged = stage(folder, [&half("new"), &half("new")]).unwrap();
        std::fs::rename(staged.path(), folder.join(NEXT)).unwrap();
        drop(staged.keep());
        let steps = steps(folder);
        steps[..done].iter().for_each(|step| step.forward().unwrap());
    }

    #[test]
    fn a_kill_at_any_step_leaves_halves_that_belong_together() {
        for before in [false, true] {
            let renames = if before { 4 } else { 2 };
            for done in 0..=renames {
                let folder = tempfile::tempdir().unwrap();
                let folder = folder.path();
                if before {
                    replace(folder, stage(folder, [&half("old"), &half("old")]).unwrap()).unwrap();
                    assert_eq!(read(folder), ["old", "old"]);
                }
                // Killed while it writes: what was there before is current.
                let unfinished = stage(folder, [&half("cut"), &half("cut")]).unwrap();
                assert_ne!(read(folder), ["cut", "cut"]);
                drop(unfinished);
                killed(folder, done);
                assert_eq!(read(folder), ["new", "new"], "{done} of {renames} renames");
                finish(folder).unwrap();
                assert_eq!(read(folder), ["new", "new"]);
                assert_eq!(names(folder), ["receiver", "transmitter"], "{done} of {renames} renames");
                replace(folder, stage(folder, [&half("last"), &half("last")]).unwrap()).unwrap();
                assert_eq!(read(folder), ["last", "last"]);
            }
        }
    }

    #[test]
    fn a_replacement_that_fails_is_withdrawn() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        replace(folder, stage(folder, [&half("old"), &half("old")]).unwrap()).unwrap();
        // Nothing can take the place of a receiver that cannot be put aside: a folder stands where it is put.
        let staged = stage(folder, [&half("new"), &half("new")]).unwrap();
        std::fs::create_dir_all(staged.path().join("old-receiver/full")).unwrap();
        let error = replace(folder, staged).unwrap_err().to_string();
        assert!(error.starts_with(&folder.join("receiver").display().to_string()), "{error}");
        assert_eq!(read(folder), ["old", "old"]);
        assert_eq!(names(folder), ["receiver", "transmitter"]);
    }
}
