//! One SigMF recording that grows: a file of samples and a file of metadata.
//!
//! Samples are written before the annotations that speak of them, so a file of samples may be longer than annotated, and
//! never shorter.

use super::annotation::{NAMESPACE, NAMESPACE_VERSION};
use super::meta::{HEADER_BYTES, Meta};
use super::names::{Side, Stem};
use digests::hex;
use files::PendingFile;
use serde_json::json;
use sha2::{Digest, Sha512};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The version of SigMF that is written.
pub const SIGMF_VERSION: &str = "1.2.6";
/// What the samples are: little-endian f32, I then Q.
pub const DATATYPE: &str = "cf32_le";
/// Of a reason, in the metadata.
const REASON_CHARS: usize = 300;

/// How a recording ended, or that it has not.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// It goes on, or was cut off.
    Open,
    /// In order, with everything in it.
    Complete,
    /// Before its time.
    Failed(String),
}

/// A pair of files that is being written.
pub struct Pair {
    side: Side,
    collection: String,
    data: File,
    data_path: PathBuf,
    meta: Meta,
    meta_path: PathBuf,
    /// Bytes of samples that are written and annotated.
    data_bytes: u64,
    bursts: u64,
    hash: Sha512,
}

/// What went wrong with which file.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct PairError {
    path: PathBuf,
    source: io::Error,
}

impl Pair {
    /// Writes the beginning: no samples, no annotations. `data` is the empty file of samples.
    ///
    /// # Errors
    /// If the metadata cannot be written.
    pub fn create(stem: &Stem, side: Side, data: File, datetime: &str) -> Result<Pair, PairError> {
        let meta_path = stem.meta(side);
        let failed = |source| PairError { path: meta_path.clone(), source };
        let collection = stem.base(None);
        let header = header(side, &collection, &Ending::Open, 0, None).map_err(failed)?;
        let captures = json!([{ "core:sample_start": 0, "core:datetime": datetime }]);
        let mut text = header.to_vec();
        text.extend_from_slice(format!("\"captures\":{captures},\n\"annotations\":[").as_bytes());
        let meta = Meta::create(&meta_path, &text).map_err(failed)?;
        let data_path = stem.data(side);
        Ok(Pair { side, collection, data, data_path, meta, meta_path, data_bytes: 0, bursts: 0, hash: Sha512::new() })
    }

    /// Samples that are annotated.
    pub fn samples(&self) -> u64 {
        self.data_bytes / wire::chunks::SYMBOL_BYTES as u64
    }

    /// Appends samples that are not annotated yet.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write_samples(&self, symbols: &[u8]) -> Result<(), PairError> {
        let failed = |source| PairError { path: self.data_path.clone(), source };
        self.data.write_all_at(symbols, self.data_bytes).map_err(failed)
    }

    /// Annotates what [`Pair::write_samples`] wrote. `annotations` are `bursts` objects, a comma and a line break before
    /// each.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn annotate(&mut self, symbols: &[u8], annotations: &[u8], bursts: u64) -> Result<(), PairError> {
        let skipped = if self.bursts == 0 { 1 } else { 0 };
        let failed = |source| PairError { path: self.meta_path.clone(), source };
        self.meta.append(&annotations[skipped..]).map_err(failed)?;
        self.data_bytes += symbols.len() as u64;
        self.bursts += bursts;
        self.hash.update(symbols);
        Ok(())
    }

    /// Takes back what an append that failed may have left, and says in the metadata how the recording ended.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn finish(&mut self, ending: &Ending) -> Result<(), PairError> {
        let failed = |source| PairError { path: self.meta_path.clone(), source };
        let sha512 = match ending {
            Ending::Complete => Some(hex(self.hash.clone().finalize())),
            Ending::Open | Ending::Failed(_) => {
                self.data
                    .set_len(self.data_bytes)
                    .map_err(|source| PairError { path: self.data_path.clone(), source })?;
                None
            }
        };
        let header = header(self.side, &self.collection, ending, self.bursts, sha512.as_deref()).map_err(failed)?;
        self.data.sync_all().map_err(|source| PairError { path: self.data_path.clone(), source })?;
        self.meta.finish(&header).map_err(failed)
    }
}

/// The first block of the metadata, up to and with the comma after `global`.
fn header(
    side: Side,
    collection: &str,
    ending: &Ending,
    bursts: u64,
    sha512: Option<&str>,
) -> io::Result<[u8; HEADER_BYTES]> {
    let what = match side {
        Side::In => "Complex symbols of bursts as they came to the channel emulator",
        Side::Out => "Complex symbols of bursts as they left the channel emulator",
    };
    let mut global = json!({
        "core:datatype": DATATYPE,
        "core:version": SIGMF_VERSION,
        "core:num_channels": 1,
        "core:recorder": concat!("channel-emulator ", env!("CARGO_PKG_VERSION")),
        "core:description": format!("{what}, one after the other: one sample a symbol, no time between bursts."),
        "core:collection": collection,
        "core:extensions": [{ "name": NAMESPACE, "version": NAMESPACE_VERSION, "optional": true }],
        "latentlink:side": side.name(),
        "latentlink:complete": *ending == Ending::Complete,
    });
    if let Some(sha512) = sha512 {
        global["core:sha512"] = sha512.into();
    }
    match ending {
        Ending::Open => {}
        Ending::Complete => global["latentlink:bursts"] = bursts.into(),
        Ending::Failed(reason) => {
            global["latentlink:bursts"] = bursts.into();
            global["latentlink:problem"] = reason.chars().take(REASON_CHARS).collect::<String>().into();
        }
    }
    let mut text = format!("{{\"global\":{global}").into_bytes();
    if text.len() + 2 > HEADER_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidFilename, "the name is too long"));
    }
    text.resize(HEADER_BYTES - 2, b' ');
    text.extend_from_slice(b",\n");
    let mut block = [0; HEADER_BYTES];
    block.copy_from_slice(&text);
    Ok(block)
}

/// Writes the collection of both sides, with the hashes of their metadata as they are now.
///
/// # Errors
/// If a file cannot be read or written.
pub fn write_collection(stem: &Stem) -> anyhow::Result<()> {
    let stream =
        |side| -> io::Result<_> { Ok(json!({ "name": stem.base(Some(side)), "hash": hash(&stem.meta(side))? })) };
    let streams = Side::BOTH.into_iter().map(stream).collect::<io::Result<Vec<_>>>()?;
    let collection = json!({ "collection": {
        "core:version": SIGMF_VERSION,
        "core:description": "What went into a channel emulator and what came out.",
        "core:extensions": [{ "name": NAMESPACE, "version": NAMESPACE_VERSION, "optional": true }],
        "core:streams": streams,
    }});
    PendingFile::create(&stem.collection())?.commit(|out| writeln!(out, "{collection:#}"))?;
    Ok(())
}

fn hash(path: &Path) -> io::Result<String> {
    let (mut file, mut hash) = (BufReader::new(File::open(path)?), Sha512::new());
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex(hash.finalize())),
            read => hash.update(&block[..read]),
        }
    }
}
