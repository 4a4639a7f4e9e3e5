//! Runs in their folders: trained, gone on with, or there already.

use crate::checkpoint::{self, differences};
use crate::config::RunConfig;
use crate::material::Material;
use crate::threads::Threads;
use crate::train::{Progress, Trainer};
use anyhow::{Context, Result, ensure};
use files::PendingFile;
use schemes::scheme_kind::SchemeKind;
use std::path::Path;

/// A run's settings, in its folder.
pub const CONFIG: &str = "config.json";

/// Where a run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At the first epoch.
    Fresh,
    /// Where the run in the folder was left.
    Resumed,
}

/// Trains to the end, and writes settings, checkpoints and both halves into `folder`. Returns the model id.
///
/// # Errors
/// If the settings make no sense or do not fit the material, a loss is not finite or a file cannot be written.
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

/// Writes weights of a scheme that sends what the network of the finished run in `run` decides. Returns their model id.
///
/// # Errors
/// If the run is not there or is not of these settings, or a file cannot be written.
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

/// Sees to it that `folder` holds the weights of a run with these settings: as they are, of a run that was cut short and is
/// gone on with, or of a new one. Returns the model id.
///
/// # Errors
/// As [`train`], and if the folder holds something else, naming what differs.
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

/// Refuses weights of a run that differs in some settings, which the message names.
///
/// # Errors
/// If `differences` holds any.
pub fn same(folder: &Path, differences: &[String]) -> Result<()> {
    let others = differences.join(", ");
    ensure!(
        differences.is_empty(),
        "{}: the weights are of a run with another {others}; give another folder",
        folder.display()
    );
    Ok(())
}

/// The settings of the run in `folder`.
///
/// # Errors
/// If they are not there, as with weights that were put there without their run.
pub fn settings(folder: &Path) -> Result<RunConfig> {
    let file = folder.join(CONFIG);
    let name = || file.display().to_string();
    let stored = std::fs::read(&file).with_context(|| format!("{}: cannot tell what was trained", name()))?;
    serde_json::from_slice(&stored).with_context(name)
}

/// The model id of the weights in `folder`; `None` if training has yet to make them.
///
/// # Errors
/// If a half is there that cannot be used and no run that would make it anew: what somebody put there is not replaced.
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
