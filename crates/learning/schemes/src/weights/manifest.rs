//! `manifest.json` of a half.

use super::{FORMAT, WeightsError, disk, file_error, read_file};
use crate::scheme::ModelCard;
use crate::scheme_kind::SchemeKind;
use corpus::Origins;
use network::batch::Standardisation;
use network::config::Config;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How the network came to be; for the record and for tables, not for serving.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// The corpus.
    pub corpus: String,
    /// The seed.
    pub seed: u64,
    /// Least and largest SNR of the training law, dB.
    pub snr_db: (f64, f64),
    /// Channels of the training law.
    pub channels: Vec<String>,
    /// Epochs trained, and the one selected.
    pub epochs: (usize, usize),
    /// The text encoder's folder name, and `frozen` or `fine-tune`.
    pub text_encoder: Option<String>,
    /// CPU features in use; bits may differ across CPU types.
    pub cpu: String,
}

impl Training {
    /// The range of SNRs trained at in dB, both ends included; `None` if trained without noise.
    fn snr_range(&self) -> Option<(f64, f64)> {
        self.channels.iter().any(|channel| channel != "none").then_some(self.snr_db)
    }
}

/// SHA-256 of a half's tensors, in hex.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorHashes {
    /// Of the transmitter's weights and text encoder.
    pub transmitter: String,
    /// Of the receiver's weights.
    pub receiver: String,
}

/// Standardisation by name of the modality.
pub type Standards = BTreeMap<String, Standardisation>;

/// `manifest.json` of a half.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of the folder.
    pub format: u32,
    /// `transmitter` or `receiver`.
    pub half: String,
    /// The scheme.
    pub scheme: SchemeKind,
    /// Names the weights: SHA-256 of the canonical configuration and both tensor hashes.
    pub model_id: String,
    /// Every size.
    pub config: Config,
    /// Of both halves.
    pub tensors: TensorHashes,
    /// How the network came to be.
    pub training: Training,
    /// Of the features, by modality; the transmitter's only, but for a scheme that reads them in the receiver.
    #[serde(default, skip_serializing_if = "Standards::is_empty")]
    pub standardisation: Standards,
    /// What made the features trained on, where that is known; as the standardisation.
    #[serde(default, skip_serializing_if = "Origins::is_empty")]
    pub extractors: Origins,
}

impl Manifest {
    /// SHA-256 of this half's tensors, in hex.
    pub(super) fn tensor_hash(&self) -> &str {
        if self.half == "receiver" { &self.tensors.receiver } else { &self.tensors.transmitter }
    }

    /// The range of SNRs trained at in dB, both ends included; `None` if trained without noise, or for bits.
    pub fn snr_range(&self) -> Option<(f64, f64)> {
        self.training.snr_range().filter(|_| self.scheme != SchemeKind::Conventional)
    }

    /// What services, evaluation and plots know of these weights.
    pub fn card(&self) -> ModelCard {
        let card = ModelCard::of_network(&self.model_id, self.scheme_name(), &self.config);
        let mut card = if self.scheme == SchemeKind::Conventional { card.conventional() } else { card };
        for modality in &mut card.modalities {
            modality.provenance = self.extractors.get(modality.modality).cloned();
        }
        let takes_transcripts = self.training.text_encoder.is_some();
        ModelCard { takes_transcripts, training_snr_db: self.snr_range(), ..card }
    }

    /// The scheme as results name it: `proposed`, or `proposed+feedback` where the transmitter is told the channel.
    pub fn scheme_name(&self) -> String {
        if self.config.feedback { format!("{}+feedback", self.scheme) } else { self.scheme.to_string() }
    }
}

/// The folder of one half: `path` itself, or the half inside it. A half that waits to take its place there counts as being there.
pub(super) fn half_folder(path: &Path, half: &str) -> Result<PathBuf, WeightsError> {
    let waiting = (path.file_name() == Some(half.as_ref())).then(|| path.parent()).flatten();
    let own = waiting.map_or_else(|| path.to_path_buf(), |weights| disk::current(weights, half));
    let candidates = [disk::current(path, half), own];
    candidates.into_iter().find(|folder| folder.join("manifest.json").is_file()).ok_or_else(|| {
        file_error(path, format!("holds no {half} weights: no `{half}/manifest.json` and no `manifest.json`"))
    })
}

/// Reads and checks the manifest of the half in `folder`.
pub(super) fn read_manifest(folder: &Path, half: &str) -> Result<Manifest, WeightsError> {
    let file = folder.join("manifest.json");
    let value: serde_json::Value = serde_json::from_slice(&read_file(&file)?).map_err(|e| file_error(&file, e))?;
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        format => return Err(file_error(&file, format!("format: expected {FORMAT}, got {format:?}"))),
    }
    if let Some(Err(e)) = value.get("scheme").and_then(serde_json::Value::as_str).map(str::parse::<SchemeKind>) {
        return Err(file_error(&file, format!("scheme: {e}")));
    }
    let manifest: Manifest = serde_json::from_value(value).map_err(|e| file_error(&file, e))?;
    if manifest.half != half {
        return Err(file_error(&file, format!("half: expected {half}, got {}", manifest.half)));
    }
    manifest.config.check().map_err(|e| file_error(&file, format!("config.{e}")))?;
    if manifest.config.feedback && manifest.scheme != SchemeKind::Proposed {
        let reason = format!("config.feedback: expected scheme {}, got {}", SchemeKind::Proposed, manifest.scheme);
        return Err(file_error(&file, reason));
    }
    Ok(manifest)
}

/// The manifest of the transmitter half at `path`, a weights folder or the half itself.
///
/// # Errors
/// Names the file or field that is wrong.
pub fn transmitter_manifest(path: &Path) -> Result<Manifest, WeightsError> {
    read_manifest(&half_folder(path, "transmitter")?, "transmitter")
}

/// The manifest of the receiver half at `path`, a weights folder or the half itself.
///
/// # Errors
/// Names the file or field that is wrong.
pub fn receiver_manifest(path: &Path) -> Result<Manifest, WeightsError> {
    read_manifest(&half_folder(path, "receiver")?, "receiver")
}
