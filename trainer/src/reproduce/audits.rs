//! The audit of one network of the grid. It is a file of its own, beside the network's cell.

use super::cell::{self, first_of_others};
use super::store;
use crate::audit::{Audit, Request};
use crate::config::RunConfig;
use anyhow::{Context, Result};
use corpus::Corpus;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Everything that an audit depends on, beside the corpus and the text encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audited {
    /// Of training.
    pub config: RunConfig,
    /// Of the held-out clips.
    pub split: String,
    /// Auditors of the null.
    pub permutations: u32,
}

/// One network's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditCell {
    /// The scheme of the grid.
    pub entry: String,
    /// Of training.
    pub seed: u64,
    /// The settings.
    pub audited: Audited,
    /// What was found.
    pub audit: Audit,
}

/// Where an audit is kept.
pub fn path(out: &Path, entry: &str, seed: u64) -> PathBuf {
    cell::path(out, entry, seed).with_extension("audit.json")
}

impl AuditCell {
    /// Reads it.
    ///
    /// # Errors
    /// If the file is missing or damaged.
    pub fn load(out: &Path, entry: &str, seed: u64) -> Result<Self> {
        store::read(&path(out, entry, seed))
    }

    /// Writes it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, out: &Path) -> Result<()> {
        store::write(&path(out, &self.entry, self.seed), self)
    }

    /// Audits the weights in `weights`.
    ///
    /// # Errors
    /// If they cannot be used, or the split lacks clips.
    pub fn made(
        entry: &str,
        seed: u64,
        audited: Audited,
        weights: &Path,
        corpus: &Corpus,
        threads: NonZeroUsize,
    ) -> Result<Self> {
        let transmitter = schemes::weights::load_proposed_transmitter(weights)?;
        let request = Request {
            transmitter: &transmitter,
            corpus,
            split: &audited.split,
            permutations: audited.permutations,
            seed: 0,
            threads: Some(threads),
            progress: &|_, _| (),
        };
        let audit = request.audit().with_context(|| format!("audit of {entry}, seed {seed}"))?;
        Ok(AuditCell { entry: entry.to_owned(), seed, audited, audit })
    }
}

/// Whether the audit is there with these settings.
///
/// # Errors
/// If it is there with others, naming the first that differs.
pub fn done(out: &Path, entry: &str, seed: u64, audited: &Audited) -> Result<bool> {
    let file = path(out, entry, seed);
    if !file.exists() {
        return Ok(false);
    }
    let there = AuditCell::load(out, entry, seed)?.audited;
    let rest = (&there.split, there.permutations) == (&audited.split, audited.permutations);
    first_of_others(&file, &there.config, &audited.config, (!rest).then_some("permutations"))
}
