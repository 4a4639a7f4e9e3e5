//! Reads and writes the JSON files of a grid's folder.

use anyhow::{Context, Result};
use files::PendingFile;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Reads a value from a JSON file.
///
/// # Errors
/// If the file is missing or damaged.
pub fn read<T: DeserializeOwned>(file: &Path) -> Result<T> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    serde_json::from_slice(&bytes).with_context(|| file.display().to_string())
}

/// Writes a value as a JSON file, and creates the folder that it lies in. The file appears whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn write<T: Serialize>(file: &Path, value: &T) -> Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let json = serde_json::to_vec_pretty(value)?;
    Ok(PendingFile::create(file)?.commit(|out| out.write_all(&json))?)
}
