//! Training runs in their folders: new ones, resumed ones, and finished ones.

use crate::checkpoint::{self, differences};
use crate::config::RunConfig;
use crate::material::Material;
use crate::threads::Threads;
use crate::train::{Progress, Trainer};
use anyhow::{Context, Result, ensure};
use files::PendingFile;
use schemes::scheme_kind::SchemeKind;
use std::path::Path;

/// Name of the file with a run's settings in its folder.
pub const CONFIG: &str = "config.json";

/// Where training begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Training begins at the first epoch.
    Fresh,
    /// Training continues from the checkpoint in the run's folder.
    Resumed,
}

/// Trains a run to its end, and writes settings, checkpoint and both halves into `folder`. Returns the model id.
///
/// # Errors
/// If the settings are invalid or do not fit the material, a loss is not finite or a file cannot be written.
pub fn train(
    material: &Material,
    config: &RunConfig,
    folder: &Path,
    begin: Begin,
    threads: Threads,
    progress: &mut dyn FnMut(Progress),
) -> Result<String> {
    let data = material.data(&config.validation, config.seed)?;
    let mut trainer = Trainer::new(config, &data)?.on(threads);
    if let Some((checkpoint, _)) = material.text_encoder() {
        trainer = trainer.with_text_encoder(checkpoint)?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    if begin == Begin::Resumed {
        trainer.resume(folder)?;
    }
    let json = serde_json::to_vec_pretty(config)?;
    PendingFile::create(&folder.join(CONFIG))?.commit(|out| out.write_all(&json))?;
    trainer.run(Some(folder), progress)?;
    trainer.deploy(folder, material.text_encoder())
}

/// Writes weights of `scheme`, which transmits the decisions of the network of the finished run in `run`, into
/// `folder`. Returns their model id.
///
/// # Errors
/// If the run is missing or has other settings than `config`, or a file cannot be written.
pub fn derive(
    material: &Material,
    config: &RunConfig,
    run: &Path,
    scheme: SchemeKind,
    folder: &Path,
    threads: Threads,
) -> Result<String> {
    let data = material.data(&config.validation, config.seed)?;
    let mut trainer = Trainer::new(config, &data)?.on(threads);
    if let Some((checkpoint, _)) = material.text_encoder() {
        trainer = trainer.with_text_encoder(checkpoint)?;
    }
    trainer.resume(run)?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    trainer.deploy_as(scheme, folder, material.text_encoder())
}

/// Ensures that `folder` holds the weights of a run with these settings: keeps finished ones, resumes a run that was
/// cut short, or trains a new one. Returns the model id.
///
/// # Errors
/// Those of [`train`], and if the folder holds weights of a run with other settings, naming those that differ.
pub fn ensure_trained(
    material: &Material,
    config: &RunConfig,
    folder: &Path,
    threads: Threads,
    progress: &mut dyn FnMut(Progress),
) -> Result<String> {
    if let Some(id) = trained_already(folder)? {
        same(folder, &differences(&settings(folder)?, config)?)?;
        return Ok(id);
    }
    let begin = if folder.join(checkpoint::FILE).exists() { Begin::Resumed } else { Begin::Fresh };
    train(material, config, folder, begin, threads, progress)
}

/// Checks that there are no differences between the settings of the run in `folder` and the requested ones.
///
/// # Errors
/// If `differences` is not empty; the message lists them.
pub fn same(folder: &Path, differences: &[String]) -> Result<()> {
    let others = differences.join(", ");
    ensure!(
        differences.is_empty(),
        "{}: the weights are of a run with another {others}; give another folder",
        folder.display()
    );
    Ok(())
}

/// The settings of the run in `folder`, from its `config.json`.
///
/// # Errors
/// If they are missing, as they are for weights that were copied without their run.
pub fn settings(folder: &Path) -> Result<RunConfig> {
    let file = folder.join(CONFIG);
    let name = || file.display().to_string();
    let stored = std::fs::read(&file).with_context(|| format!("{}: cannot tell what was trained", name()))?;
    serde_json::from_slice(&stored).with_context(name)
}

/// The model id of the weights in `folder`; `None` if training has yet to write them.
///
/// # Errors
/// If `folder` holds an unusable half and no checkpoint to write it anew from: foreign files are not overwritten.
pub fn trained_already(folder: &Path) -> Result<Option<String>> {
    match schemes::weights::load(folder) {
        Ok((transmitter, _)) => Ok(Some(transmitter.card().model_id.clone())),
        Err(_) if folder.join(checkpoint::FILE).exists() => Ok(None),
        Err(error) => {
            let foreign = ["transmitter", "receiver", "manifest.json"].iter().any(|name| folder.join(name).exists());
            ensure!(!foreign, "{error}; no run to go on with, so what is there stays as it is");
            Ok(None)
        }
    }
}
