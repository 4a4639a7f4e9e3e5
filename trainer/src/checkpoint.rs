//! State of a run after an epoch, in one file that is replaced atomically.

use crate::config::RunConfig;
use anyhow::{Context, Result, ensure};
use candle_core::Tensor;
use files::PendingFile;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Name of the checkpoint in a run folder.
pub const FILE: &str = "checkpoint.safetensors";

/// The part of a run's state that is not stored as tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Settings of the run; a resumed run must have the same.
    pub config: RunConfig,
    /// Number of epochs done.
    pub epoch: usize,
    /// Number of optimiser steps made.
    pub step: u64,
    /// The best epoch so far, from 1, and its criterion, of which less is better; `None` before the first selectable
    /// epoch.
    pub best: Option<(usize, f64)>,
    /// Rows of `metrics.csv` so far, without its header.
    pub rows: Vec<String>,
}

/// Writes the state of a run and its tensors into the checkpoint of `folder`.
///
/// # Errors
/// If the file cannot be written; the previous checkpoint then stays.
pub fn save(folder: &Path, state: &State, tensors: &BTreeMap<String, Tensor>) -> Result<()> {
    let metadata = HashMap::from([("state".to_string(), serde_json::to_string(state)?)]);
    let bytes = safetensors::serialize(tensors, Some(metadata))?;
    Ok(PendingFile::create(&folder.join(FILE))?.commit(|out| out.write_all(&bytes))?)
}

/// Reads the state and tensors that [`save`] wrote to `folder`.
///
/// # Errors
/// If the file is missing or damaged, or belongs to a run with other settings, naming those that differ.
pub fn load(folder: &Path, config: &RunConfig) -> Result<(State, HashMap<String, Tensor>)> {
    let file = folder.join(FILE);
    let name = file.display().to_string();
    let bytes = std::fs::read(&file).with_context(|| format!("{name}: nothing to resume"))?;
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).with_context(|| name.clone())?;
    let state = metadata.metadata().as_ref().and_then(|m| m.get("state"));
    let state = state.with_context(|| format!("{name}: holds no state of a run"))?;
    let state: State = serde_json::from_str(state).with_context(|| format!("{name}: its state is damaged"))?;
    let others = differences(&state.config, config)?;
    ensure!(
        others.is_empty(),
        "{name}: belongs to a run with another {}; resume with the same settings",
        others.join(", ")
    );
    let tensors = nn::params::read(&file)?;
    Ok((state, tensors))
}

/// Dotted path of the first setting in which two runs differ; `None` if they are equal.
pub(crate) fn first_difference(a: &RunConfig, b: &RunConfig) -> Result<Option<String>> {
    Ok(difference(&serde_json::to_value(a)?, &serde_json::to_value(b)?))
}

/// The settings in which two runs differ, each with its dotted path, its value in the existing run and the requested
/// value.
pub(crate) fn differences(there: &RunConfig, asked: &RunConfig) -> Result<Vec<String>> {
    let (mut there, asked) = (there.shown()?, asked.shown()?);
    let mut all = Vec::new();
    while let Some(path) = difference(&there, &asked) {
        let pointer = format!("/{}", path.replace('.', "/"));
        let wanted = asked.pointer(&pointer).cloned().unwrap_or(Value::Null);
        let held = there.pointer(&pointer).cloned().unwrap_or(Value::Null);
        all.push(format!("`{path}` ({held} there, {wanted} asked for)"));
        settle(&mut there, &path, wanted);
    }
    Ok(all)
}

/// Sets the field at a dotted path, whose parent fields exist.
fn settle(value: &mut Value, path: &str, wanted: Value) {
    let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
    let pointer = if parent.is_empty() { String::new() } else { format!("/{}", parent.replace('.', "/")) };
    if let Some(Value::Object(fields)) = value.pointer_mut(&pointer) {
        fields.insert(name.to_owned(), wanted);
    }
}

/// Dotted path of the first field in which two values differ; an empty path if they differ and are not both objects;
/// `None` if they are equal.
fn difference(a: &Value, b: &Value) -> Option<String> {
    let (Value::Object(fields), Value::Object(others)) = (a, b) else {
        return (a != b).then(String::new);
    };
    let names = fields.keys().chain(others.keys().filter(|name| !fields.contains_key(*name)));
    names.into_iter().find_map(|name| {
        let inner = difference(fields.get(name).unwrap_or(&Value::Null), others.get(name).unwrap_or(&Value::Null))?;
        Some(if inner.is_empty() { name.clone() } else { format!("{name}.{inner}") })
    })
}
