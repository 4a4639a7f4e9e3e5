//! A file of metadata that is valid JSON whenever one looks, also after the process was killed in the middle of a write.
//!
//! ```text
//! {"global":{…}          ␠␠␠,⏎     one block of fixed size, replaced in place at the end
//! "captures":[…],⏎
//! "annotations":[⏎
//! {…},⏎
//! {…}⏎
//! ]}⏎                              the end, overwritten by the next append
//! ```
//!
//! An array cannot grow without its end being overwritten, and the kernel may break off a write of several pages when the
//! process is killed. So there are two files: an append goes to the spare one, which then changes names with the other in
//! one step, and the next append first catches up on what the new spare one lacks. Where the file system cannot exchange
//! names, there is one file, and a kill can tear its end.

use super::names::spare;
use files::PendingFile;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The first block: no more than a page of memory, so that the kernel replaces it at one go.
pub const HEADER_BYTES: usize = 4096;
const END: &[u8] = b"\n]}\n";

/// Metadata that grow.
pub struct Meta {
    path: PathBuf,
    /// What bears the name.
    shown: Copy,
    /// What the next append goes to.
    spare: Option<Spare>,
}

struct Copy {
    file: File,
    /// Where the end begins.
    bytes: u64,
}

struct Spare {
    path: PathBuf,
    copy: Copy,
    /// What the other has and this one lacks.
    missing: Vec<u8>,
}

impl Meta {
    /// Writes `beginning`, which opens the array of annotations, and its end.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn create(path: &Path, beginning: &[u8]) -> io::Result<Meta> {
        let create = |path: &Path| -> io::Result<Copy> {
            let text = [beginning, END].concat();
            let pending = PendingFile::create(path).and_then(|file| file.commit(|out| out.write_all(&text)));
            pending.map_err(|error| error.source)?;
            let file = OpenOptions::new().read(true).write(true).open(path)?;
            Ok(Copy { file, bytes: beginning.len() as u64 })
        };
        let spare_path = spare(path);
        let (shown, copy) = (create(path)?, create(&spare_path)?);
        let mut meta =
            Meta { path: path.to_owned(), shown, spare: Some(Spare { path: spare_path, copy, missing: Vec::new() }) };
        if let Err(error) = meta.exchange() {
            tracing::warn!("{}: files cannot change names here ({error}); a kill may tear its end", path.display());
            meta.drop_spare()?;
        }
        Ok(meta)
    }

    /// Appends whole annotations: all or, if the process is killed, none.
    ///
    /// # Errors
    /// If they cannot be written. What was there before stays valid, once [`Meta::finish`] was called.
    pub fn append(&mut self, annotations: &[u8]) -> io::Result<()> {
        let Some(spare) = &mut self.spare else {
            return self.shown.append(&[], annotations);
        };
        spare.copy.append(&spare.missing, annotations)?;
        spare.missing.clear();
        spare.missing.extend_from_slice(annotations);
        self.exchange()
    }

    fn exchange(&mut self) -> io::Result<()> {
        if let Some(spare) = &mut self.spare {
            renameat_with(CWD, &spare.path, CWD, &self.path, RenameFlags::EXCHANGE)?;
            std::mem::swap(&mut spare.copy, &mut self.shown);
        }
        Ok(())
    }

    fn drop_spare(&mut self) -> io::Result<()> {
        match self.spare.take() {
            Some(spare) => std::fs::remove_file(spare.path),
            None => Ok(()),
        }
    }

    /// Replaces the first block, takes back what an append that failed may have left, and leaves one file.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn finish(&mut self, header: &[u8; HEADER_BYTES]) -> io::Result<()> {
        let Copy { file, bytes } = &self.shown;
        file.set_len(bytes + END.len() as u64)?;
        file.write_all_at(END, *bytes)?;
        file.write_all_at(header, 0)?;
        file.sync_all()?;
        self.drop_spare()
    }
}

impl Copy {
    fn append(&mut self, missing: &[u8], annotations: &[u8]) -> io::Result<()> {
        let text = [missing, annotations, END].concat();
        self.file.write_all_at(&text, self.bytes)?;
        self.bytes += (missing.len() + annotations.len()) as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any annotations that are shorter than, as long as, or longer than a page.
    fn annotation(number: usize) -> String {
        format!("{{\"number\":{number},\"text\":\"{}\"}}", "x".repeat(number * 1009 % 9001))
    }

    fn numbers(path: &Path) -> Vec<u64> {
        let meta: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        meta["annotations"].as_array().unwrap().iter().map(|a| a["number"].as_u64().unwrap()).collect()
    }

    #[test]
    fn it_is_valid_after_every_append_with_a_spare_and_without() {
        let folder = tempfile::tempdir().unwrap();
        for with_spare in [true, false] {
            let path = folder.path().join(format!("{with_spare}.sigmf-meta"));
            let mut beginning = b"{\"global\":{}".to_vec();
            beginning.resize(HEADER_BYTES, b' ');
            let header: [u8; HEADER_BYTES] = beginning[..].try_into().unwrap();
            beginning.extend_from_slice(b",\"annotations\":[");
            let mut meta = Meta::create(&path, &beginning).unwrap();
            if !with_spare {
                meta.drop_spare().unwrap();
            }
            for number in 0..50 {
                assert!(numbers(&path).into_iter().eq(0..number));
                let comma = if number == 0 { "" } else { "," };
                meta.append(format!("{comma}\n{}", annotation(number as usize)).as_bytes()).unwrap();
            }
            // What an append that failed may leave.
            let shown = &meta.shown;
            shown.file.write_all_at(b",{\"half", shown.bytes).unwrap();
            meta.finish(&header).unwrap();
            assert!(numbers(&path).into_iter().eq(0..50));
            assert!(!spare(&path).exists());
        }
    }
}
