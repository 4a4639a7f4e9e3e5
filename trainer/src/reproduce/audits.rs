//! The audit of one network of the grid, in a file of its own beside the network's cell.

use super::cell::{self, first_of_others};
use super::store;
use crate::audit::{Audit, Request};
use crate::config::RunConfig;
use anyhow::{Context, Result};
use corpus::Corpus;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Everything that an audit depends on, except the corpus and the text encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audited {
    /// Settings that the audited network was trained with.
    pub config: RunConfig,
    /// Split of the held-out clips that the auditors are evaluated on.
    pub split: String,
    /// Number of auditors in the permutation null of each pair and kind of latent.
    pub permutations: u32,
}

/// The audit of one network: one entry of the grid, trained with one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditCell {
    /// Name of the entry whose network was audited.
    pub entry: String,
    /// Training seed of the network.
    pub seed: u64,
    /// The settings that the audit was made with.
    pub audited: Audited,
    /// The result of the audit.
    pub audit: Audit,
}

/// The file of an audit in the grid's folder `out`: that of the cell of `entry` and `seed`, with the extension
/// `audit.json`.
pub fn path(out: &Path, entry: &str, seed: u64) -> PathBuf {
    cell::path(out, entry, seed).with_extension("audit.json")
}

impl AuditCell {
    /// Reads the audit of `entry` and `seed` from the grid's folder `out`.
    ///
    /// # Errors
    /// If the file is missing or damaged.
    pub fn load(out: &Path, entry: &str, seed: u64) -> Result<Self> {
        store::read(&path(out, entry, seed))
    }

    /// Writes the audit into the grid's folder `out`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, out: &Path) -> Result<()> {
        store::write(&path(out, &self.entry, self.seed), self)
    }

    /// Audits the transmitter half of the weights in the folder `weights` on `corpus`. The auditors have seed 0.
    ///
    /// # Errors
    /// If the weights cannot be used, the corpus lacks a split, or fewer than two modalities can be audited.
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

/// Whether the audit of `entry` and `seed` is in the grid's folder `out`, made with these settings.
///
/// # Errors
/// If it was made with other settings, naming the first that differs.
pub fn done(out: &Path, entry: &str, seed: u64, audited: &Audited) -> Result<bool> {
    let file = path(out, entry, seed);
    if !file.exists() {
        return Ok(false);
    }
    let there = AuditCell::load(out, entry, seed)?.audited;
    let rest = (&there.split, there.permutations) == (&audited.split, audited.permutations);
    first_of_others(&file, &there.config, &audited.config, (!rest).then_some("permutations"))
}
