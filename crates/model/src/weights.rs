//! The weights folder: two halves, `transmitter/` and `receiver/`, each self-contained.
//!
//! A half holds `weights.safetensors` and `manifest.json`; the transmitter's also `text-encoder/` where the network reads
//! transcripts. The model id is the SHA-256 of the canonical configuration and of both halves' tensors and stands in both
//! manifests, so halves that do not belong together are told apart.

mod disk;

use crate::batch::Standardisation;
use crate::bert::{self, Bert, BertError, Checkpoint};
use crate::config::Config;
use crate::network::{RECEIVER, Receiver, TRANSMITTER, Transmitter};
use crate::params::{ParamError, Params};
use crate::proposed::{ProposedReceiver, ProposedTransmitter};
use crate::scheme::{ReceiverHalf, TransmitterHalf};
use candle_core::Tensor;
use corpus::Modality;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The only format so far.
const FORMAT: u32 = 1;

/// The only scheme so far.
pub const PROPOSED: &str = "proposed";

/// Why weights cannot be saved or loaded.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// A file that cannot be read or written, or that is not what its name says.
    #[error("{file}: {reason}")]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A tensor that is missing or wrong.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// The text encoder cannot be loaded.
    #[error(transparent)]
    TextEncoder(#[from] BertError),
    /// Two halves that were not trained together.
    #[error("{folder}: the halves do not belong together: transmitter {transmitter}, receiver {receiver}")]
    Halves {
        /// The weights folder.
        folder: PathBuf,
        /// The transmitter's model id.
        transmitter: String,
        /// The receiver's model id.
        receiver: String,
    },
}

fn file_error(file: &Path, reason: impl std::fmt::Display) -> WeightsError {
    WeightsError::File { file: file.into(), reason: reason.to_string() }
}

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
    pub fn snr_range(&self) -> Option<(f64, f64)> {
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
    pub scheme: String,
    /// Names the weights: SHA-256 of the canonical configuration and both tensor hashes.
    pub model_id: String,
    /// Every size.
    pub config: Config,
    /// Of both halves.
    pub tensors: TensorHashes,
    /// How the network came to be.
    pub training: Training,
    /// Of the features, by modality; the transmitter's only.
    #[serde(default, skip_serializing_if = "Standards::is_empty")]
    pub standardisation: Standards,
}

/// What is saved: the parameters of both halves and what goes into the manifests.
pub struct Weights<'a> {
    /// Every size.
    pub config: &'a Config,
    /// All parameters of training; each half takes its own.
    pub params: &'a Params,
    /// By `Modality::index()`.
    pub standardisations: &'a [Option<Standardisation>; 3],
    /// The text encoder's checkpoint and the parameters it runs on now.
    pub text_encoder: Option<(&'a Checkpoint, &'a Params)>,
    /// How the network came to be.
    pub training: Training,
}

/// The bytes of a safetensors file with these tensors, in the order of their names.
pub fn to_safetensors(tensors: &BTreeMap<String, Tensor>) -> Result<Vec<u8>, WeightsError> {
    safetensors::serialize(tensors, None).map_err(|e| file_error(Path::new("weights.safetensors"), e))
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

/// SHA-256 over the named files, names and lengths included.
fn hash<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hash = Sha256::new();
    for (name, bytes) in files {
        hash.update(name);
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    hex(hash.finalize())
}

fn model_id(
    scheme: &str,
    config: &Config,
    standards: &Standards,
    tensors: &TensorHashes,
) -> Result<String, WeightsError> {
    let canonical = serde_json::to_vec(&(scheme, config, standards, tensors));
    Ok(hex(Sha256::digest(canonical.map_err(|e| file_error(Path::new("manifest.json"), e))?)))
}

/// The files of a half by name, in a fixed order.
type Files = Vec<(String, Vec<u8>)>;

impl Weights<'_> {
    fn transmitter_files(&self) -> Result<Files, WeightsError> {
        let mut files = vec![("weights.safetensors".into(), to_safetensors(&self.params.tensors(&TRANSMITTER))?)];
        if let Some((checkpoint, params)) = &self.text_encoder {
            let tensors = bert::published(params).map_err(ParamError::from)?;
            files.push(("text-encoder/config.json".into(), checkpoint.config_json().as_bytes().to_vec()));
            files.push(("text-encoder/tokenizer.json".into(), checkpoint.tokenizer_json().as_bytes().to_vec()));
            files.push(("text-encoder/model.safetensors".into(), to_safetensors(&tensors)?));
        }
        Ok(files)
    }

    /// Writes both halves into `folder`, replacing what is there; nothing half-written stays.
    ///
    /// # Errors
    /// Names the file that cannot be written.
    pub fn save(&self, folder: &Path) -> Result<String, WeightsError> {
        let mut transmitter = self.transmitter_files()?;
        let mut receiver: Files =
            vec![("weights.safetensors".into(), to_safetensors(&self.params.tensors(&RECEIVER))?)];
        let of = |files: &Files| hash(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
        let tensors = TensorHashes { transmitter: of(&transmitter), receiver: of(&receiver) };
        let named = Modality::ALL
            .into_iter()
            .filter_map(|m| Some((m.name().to_string(), self.standardisations[m.index()].clone()?)));
        let standards: Standards = named.collect();
        let id = model_id(PROPOSED, self.config, &standards, &tensors)?;
        let manifest = |half: &str, standardisation: Standards| {
            let manifest = Manifest {
                format: FORMAT,
                half: half.into(),
                scheme: PROPOSED.into(),
                model_id: id.clone(),
                config: *self.config,
                tensors: tensors.clone(),
                training: self.training.clone(),
                standardisation,
            };
            serde_json::to_vec_pretty(&manifest).map_err(|e| file_error(Path::new("manifest.json"), e))
        };
        // The receiver's model id covers the standardisation too, but only the transmitter needs it.
        transmitter.push(("manifest.json".into(), manifest("transmitter", standards.clone())?));
        receiver.push(("manifest.json".into(), manifest("receiver", Standards::new())?));
        std::fs::create_dir_all(folder).map_err(|e| file_error(folder, e))?;
        // Both are complete on the disk before the first takes its place.
        let staged = [
            ("transmitter", disk::stage(folder, "transmitter", &transmitter)?),
            ("receiver", disk::stage(folder, "receiver", &receiver)?),
        ];
        disk::replace(folder, staged)?;
        Ok(id)
    }
}

/// The folder of one half: `path` itself, or the half inside it.
fn half_folder(path: &Path, half: &str) -> Result<PathBuf, WeightsError> {
    let candidates = [path.join(half), path.to_path_buf()];
    candidates.into_iter().find(|folder| folder.join("manifest.json").is_file()).ok_or_else(|| {
        file_error(path, format!("holds no {half} weights: no `{half}/manifest.json` and no `manifest.json`"))
    })
}

fn read_file(file: &Path) -> Result<Vec<u8>, WeightsError> {
    std::fs::read(file).map_err(|e| file_error(file, e))
}

/// Reads and checks the manifest of the half in `folder`.
fn read_manifest(folder: &Path, half: &str) -> Result<Manifest, WeightsError> {
    let file = folder.join("manifest.json");
    let value: serde_json::Value = serde_json::from_slice(&read_file(&file)?).map_err(|e| file_error(&file, e))?;
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        format => return Err(file_error(&file, format!("format: expected {FORMAT}, got {format:?}"))),
    }
    let manifest: Manifest = serde_json::from_value(value).map_err(|e| file_error(&file, e))?;
    if manifest.half != half {
        return Err(file_error(&file, format!("half: expected {half}, got {}", manifest.half)));
    }
    if manifest.scheme != PROPOSED {
        return Err(file_error(&file, format!("scheme: expected {PROPOSED}, got {}", manifest.scheme)));
    }
    manifest.config.check().map_err(|e| file_error(&file, format!("config.{e}")))?;
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

/// Reads a half's files and holds them against the hash in its manifest.
fn check_hash(folder: &Path, names: &[&str], expected: &str) -> Result<(), WeightsError> {
    let files: Vec<Vec<u8>> = names.iter().map(|name| read_file(&folder.join(name))).collect::<Result<_, _>>()?;
    let got = hash(names.iter().copied().zip(files.iter().map(Vec::as_slice)));
    if got != expected {
        let reason = format!("not what the manifest was written for: expected SHA-256 {expected}, got {got}");
        return Err(file_error(folder, format!("{}: {reason}", names.join(", "))));
    }
    Ok(())
}

fn standardisations(file: &Path, manifest: &Manifest) -> Result<[Option<Standardisation>; 3], WeightsError> {
    let mut all = [None, None, None];
    for (modality, width) in manifest.config.widths.present() {
        let name = modality.name();
        if let Some(standard) = manifest.standardisation.get(name) {
            let finite = standard.mean.iter().chain(&standard.scale).all(|v| v.is_finite());
            if standard.mean.len() != width || standard.scale.len() != width || !finite {
                let reason = format!("standardisation.{name}: expected {width} finite means and scales");
                return Err(file_error(file, reason));
            }
            all[modality.index()] = Some(standard.clone());
        }
    }
    Ok(all)
}

/// Loads the transmitter half from a weights folder or from the half itself.
///
/// # Errors
/// Names the file, tensor or field that is wrong.
pub fn load_transmitter(path: &Path) -> Result<Box<dyn TransmitterHalf>, WeightsError> {
    Ok(Box::new(load_proposed_transmitter(path)?))
}

/// The same for those who look into the network, as the audit of its latents does.
///
/// # Errors
/// As [`load_transmitter`].
pub fn load_proposed_transmitter(path: &Path) -> Result<ProposedTransmitter, WeightsError> {
    crate::single_threaded();
    let folder = half_folder(path, "transmitter")?;
    let manifest = read_manifest(&folder, "transmitter")?;
    let standardisations = standardisations(&folder.join("manifest.json"), &manifest)?;
    let file = folder.join("weights.safetensors");
    let params = Params::load(&file, false)?;
    let network = Transmitter::new(&params.root(), &manifest.config)?;
    let encoder = folder.join("text-encoder");
    let mut names = vec!["weights.safetensors"];
    let text_encoder = if encoder.is_dir() {
        names.extend(["text-encoder/config.json", "text-encoder/tokenizer.json", "text-encoder/model.safetensors"]);
        let checkpoint = Checkpoint::read(&encoder)?;
        let bert = Bert::new(&checkpoint.params(false).root(), checkpoint.config(), checkpoint.tokenizer()?)?;
        if Some(bert.width()) != manifest.config.widths.text {
            let reason = format!("width {} is not config.widths.text of the manifest", bert.width());
            return Err(file_error(&encoder, reason));
        }
        Some(bert)
    } else {
        None
    };
    check_hash(&folder, &names, &manifest.tensors.transmitter)?;
    // The receiver's manifest lacks the standardisation that its model id covers, so only this half can be held to it.
    let id = model_id(&manifest.scheme, &manifest.config, &manifest.standardisation, &manifest.tensors)?;
    if id != manifest.model_id {
        let reason = format!("model_id: expected {id} for what the manifest says, got {}", manifest.model_id);
        return Err(file_error(&folder.join("manifest.json"), reason));
    }
    Ok(ProposedTransmitter {
        model_id: manifest.model_id,
        config: manifest.config,
        standardisations,
        text_encoder,
        network,
    })
}

/// Loads the receiver half from a weights folder or from the half itself.
///
/// # Errors
/// Names the file, tensor or field that is wrong.
pub fn load_receiver(path: &Path) -> Result<Box<dyn ReceiverHalf>, WeightsError> {
    crate::single_threaded();
    let folder = half_folder(path, "receiver")?;
    let manifest = read_manifest(&folder, "receiver")?;
    let params = Params::load(&folder.join("weights.safetensors"), false)?;
    let network = Receiver::new(&params.root(), &manifest.config)?;
    check_hash(&folder, &["weights.safetensors"], &manifest.tensors.receiver)?;
    Ok(Box::new(ProposedReceiver { model_id: manifest.model_id, config: manifest.config, network }))
}

/// Both halves of a deployed network.
pub type Halves = (Box<dyn TransmitterHalf>, Box<dyn ReceiverHalf>);

/// Loads both halves from a weights folder.
///
/// # Errors
/// Also if the two do not belong together.
pub fn load(folder: &Path) -> Result<Halves, WeightsError> {
    let (transmitter, receiver) = (load_transmitter(folder)?, load_receiver(folder)?);
    if transmitter.model_id() != receiver.model_id() {
        return Err(WeightsError::Halves {
            folder: folder.into(),
            transmitter: transmitter.model_id().into(),
            receiver: receiver.model_id().into(),
        });
    }
    Ok((transmitter, receiver))
}
