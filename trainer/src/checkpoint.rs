//! The state of a run after an epoch, in one file that is replaced atomically.

use crate::config::RunConfig;
use crate::evaluate::PendingFile;
use anyhow::{Context, Result, ensure};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The file's name in a run folder.
pub const FILE: &str = "checkpoint.safetensors";

/// What is no tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Of the run; a resumed run must have the same.
    pub config: RunConfig,
    /// Epochs done.
    pub epoch: usize,
    /// Steps of the optimiser.
    pub step: u64,
    /// The best epoch so far and its validation loss.
    pub best: Option<(usize, f64)>,
    /// The rows of `metrics.csv` so far, without its header.
    pub rows: Vec<String>,
}

/// Writes the state and its tensors.
///
/// # Errors
/// If the file cannot be written; the previous one then stays.
pub fn save(folder: &Path, state: &State, tensors: &BTreeMap<String, Tensor>) -> Result<()> {
    let metadata = HashMap::from([("state".to_string(), serde_json::to_string(state)?)]);
    let bytes = safetensors::serialize(tensors, Some(metadata))?;
    PendingFile::create(&folder.join(FILE))?.commit(|out| out.write_all(&bytes))
}

/// Reads what [`save`] wrote.
///
/// # Errors
/// If the file is missing or damaged, or belongs to a run with other settings (naming the first that differs).
pub fn load(folder: &Path, config: &RunConfig) -> Result<(State, HashMap<String, Tensor>)> {
    let file = folder.join(FILE);
    let name = file.display().to_string();
    let bytes = std::fs::read(&file).with_context(|| format!("{name}: nothing to resume"))?;
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).with_context(|| name.clone())?;
    let state = metadata.metadata().as_ref().and_then(|m| m.get("state"));
    let state = state.with_context(|| format!("{name}: holds no state of a run"))?;
    let state: State = serde_json::from_str(state).with_context(|| format!("{name}: its state is damaged"))?;
    if let Some(field) = first_difference(&state.config, config)? {
        ensure!(false, "{name}: belongs to a run with another `{field}`; resume with the same settings");
    }
    let tensors = model::params::read(&file)?;
    Ok((state, tensors))
}

fn first_difference(a: &RunConfig, b: &RunConfig) -> Result<Option<String>> {
    let fields = |config| -> Result<serde_json::Map<String, serde_json::Value>> {
        match serde_json::to_value(config)? {
            serde_json::Value::Object(map) => Ok(map),
            _ => Ok(serde_json::Map::new()),
        }
    };
    let (a, b) = (fields(a)?, fields(b)?);
    Ok(a.into_iter().find(|(name, value)| b.get(name) != Some(value)).map(|(name, _)| name))
}
