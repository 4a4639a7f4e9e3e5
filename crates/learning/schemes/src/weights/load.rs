//! Loading halves.

use super::manifest::{half_folder, read_manifest};
use super::{Manifest, WeightsError, disk, file_error, hash, model_id, read_file};
use crate::codebook::{Codebook, CodebookReceiver, CodebookTransmitter};
use crate::conventional::{Coding, ConventionalReceiver, ConventionalTransmitter};
use crate::halves::{NetworkReceiver, NetworkTransmitter, ProposedTransmitter};
use crate::scheme::{ChannelKnowledge, ChannelUses, ModelCard, Receive, Transmit, VideoReader};
use crate::scheme_kind::SchemeKind;
use network::batch::Standardisation;
use network::config::Config;
use network::proposed::{Receiver, Transmitter};
use network::tdeepsc;
use nn::bert::{Bert, Checkpoint};
use nn::params::{ParamError, Params, Scope};
use source_coding::Codec;
use std::path::Path;
use std::sync::Arc;

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
pub fn load_transmitter(path: &Path) -> Result<Box<dyn Transmit>, WeightsError> {
    let folder = half_folder(path, "transmitter")?;
    let manifest = read_manifest(&folder, "transmitter")?;
    check_sibling(path, &manifest)?;
    match manifest.scheme {
        SchemeKind::Proposed => Ok(Box::new(transmitter(&folder, manifest, Transmitter::new)?.0)),
        SchemeKind::TDeepSc => Ok(Box::new(transmitter(&folder, manifest, tdeepsc::Transmitter::new)?.0)),
        SchemeKind::SignRepetition | SchemeKind::ClassRepetition | SchemeKind::QuantisedLatent => {
            let (config, decides) = (manifest.config, manifest.scheme.decides().expect("a codebook's scheme decides"));
            let (sender, params) = transmitter(&folder, manifest, Transmitter::new)?;
            let decider = Receiver::new(&params.root(), &config)?;
            let codebook = Codebook::read(&params.root(), decides)?;
            Ok(Box::new(CodebookTransmitter { sender, decider, codebook }))
        }
        SchemeKind::Conventional => Ok(Box::new(conventional_transmitter(&folder, manifest)?)),
    }
}

/// The proposed transmitter, for those who look into the network, as the audit of its latents does.
///
/// # Errors
/// As [`load_transmitter`], and if the weights are of another scheme.
pub fn load_proposed_transmitter(path: &Path) -> Result<ProposedTransmitter, WeightsError> {
    let folder = half_folder(path, "transmitter")?;
    let manifest = read_manifest(&folder, "transmitter")?;
    if manifest.scheme != SchemeKind::Proposed {
        let reason = format!("scheme: expected {}, got {}", SchemeKind::Proposed, manifest.scheme);
        return Err(file_error(&folder.join("manifest.json"), reason));
    }
    Ok(transmitter(&folder, manifest, Transmitter::new)?.0)
}

/// The half in `folder` with the network that `new` builds, and its parameters.
fn transmitter<N>(
    folder: &Path,
    manifest: Manifest,
    new: impl Fn(&Scope, &Config) -> Result<N, ParamError>,
) -> Result<(NetworkTransmitter<N>, Params), WeightsError> {
    nn::single_threaded();
    let standardisations = standardisations(&folder.join("manifest.json"), &manifest)?;
    let params = Params::load(&folder.join("weights.safetensors"), false)?;
    let network = new(&params.root(), &manifest.config)?;
    let mut names = vec!["weights.safetensors"];
    let text_encoder = text_encoder(folder, &manifest, &mut names)?;
    check_hash(folder, &names, manifest.tensor_hash())?;
    check_id(folder, &manifest)?;
    // A network within another scheme sends to no channel but that scheme's own, of which it need know nothing.
    let (uses, config) = (ChannelUses::Fixed(manifest.config.reals / 2), manifest.config);
    let needs = if config.feedback { ChannelKnowledge::Csit } else { ChannelKnowledge::Nothing };
    let card = ModelCard { channel_uses: uses, needs, takes_media: false, ..manifest.card() };
    Ok((NetworkTransmitter { card, config, standardisations, text_encoder, network }, params))
}

/// Holds a manifest to its model id. A receiver's that lacks the standardisation which its model id covers cannot be.
fn check_id(folder: &Path, manifest: &Manifest) -> Result<(), WeightsError> {
    let Manifest { scheme, config, standardisation, extractors, tensors, .. } = manifest;
    let id = model_id(*scheme, config, standardisation, tensors, extractors)?;
    if id == manifest.model_id {
        return Ok(());
    }
    let reason = format!("model_id: expected {id} for what the manifest says, got {}", manifest.model_id);
    Err(file_error(&folder.join("manifest.json"), reason))
}

/// Refuses a half out of a weights folder whose other half is of other weights. Another half that is missing or cannot
/// be read is no reason: who loads this one may not need it.
fn check_sibling(path: &Path, manifest: &Manifest) -> Result<(), WeightsError> {
    let other = if manifest.half == "receiver" { "transmitter" } else { "receiver" };
    let Ok(sibling) = read_manifest(&disk::current(path, other), other) else { return Ok(()) };
    if sibling.model_id == manifest.model_id {
        return Ok(());
    }
    let (transmitter, receiver) = match manifest.half.as_str() {
        "receiver" => (sibling.model_id, manifest.model_id.clone()),
        _ => (manifest.model_id.clone(), sibling.model_id),
    };
    Err(WeightsError::Halves { folder: path.into(), transmitter, receiver })
}

fn conventional_transmitter(folder: &Path, manifest: Manifest) -> Result<ConventionalTransmitter, WeightsError> {
    let params = Params::load(&folder.join("weights.safetensors"), false)?;
    let coding = Coding::read(&params.root(), &manifest.config.widths, codec(folder)?)?;
    check_hash(folder, &["weights.safetensors"], manifest.tensor_hash())?;
    check_id(folder, &manifest)?;
    Ok(ConventionalTransmitter::new(manifest.card(), &manifest.config, coding))
}

fn conventional_receiver(
    folder: &Path,
    manifest: Manifest,
    videos: Option<Arc<dyn VideoReader>>,
) -> Result<ConventionalReceiver, WeightsError> {
    let (config, card) = (manifest.config, manifest.card());
    let (reader, params) = transmitter(folder, manifest, Transmitter::new)?;
    let coding = Coding::read(&params.root(), &config.widths, codec(folder)?)?;
    Ok(ConventionalReceiver { card, coding, reader, network: Receiver::new(&params.root(), &config)?, videos })
}

/// The codec of the conventional scheme's pictures.
fn codec(folder: &Path) -> Result<Codec, WeightsError> {
    Codec::pictures().map_err(|e| file_error(folder, format!("scheme {}: {e}", SchemeKind::Conventional)))
}

/// The half's text encoder, if it holds one; the names of its files are added to `names`.
fn text_encoder(folder: &Path, manifest: &Manifest, names: &mut Vec<&str>) -> Result<Option<Bert>, WeightsError> {
    let encoder = folder.join("text-encoder");
    if !encoder.is_dir() {
        return Ok(None);
    }
    names.extend(["text-encoder/config.json", "text-encoder/tokenizer.json", "text-encoder/model.safetensors"]);
    let checkpoint = Checkpoint::read(&encoder)?;
    let bert = Bert::new(&checkpoint.params(false).root(), checkpoint.config(), checkpoint.tokenizer()?)?;
    if Some(bert.width()) != manifest.config.widths.text {
        let reason = format!("width {} is not config.widths.text of the manifest", bert.width());
        return Err(file_error(&encoder, reason));
    }
    Ok(Some(bert))
}

/// Loads the receiver half from a weights folder or from the half itself.
///
/// # Errors
/// Names the file, tensor or field that is wrong.
pub fn load_receiver(path: &Path) -> Result<Box<dyn Receive>, WeightsError> {
    load_receiver_with(path, None)
}

/// The same, with what makes features of videos for a scheme by which they cross.
///
/// # Errors
/// As [`load_receiver`].
pub fn load_receiver_with(path: &Path, videos: Option<Arc<dyn VideoReader>>) -> Result<Box<dyn Receive>, WeightsError> {
    nn::single_threaded();
    let folder = half_folder(path, "receiver")?;
    let manifest = read_manifest(&folder, "receiver")?;
    check_sibling(path, &manifest)?;
    if manifest.scheme == SchemeKind::Conventional {
        return Ok(Box::new(conventional_receiver(&folder, manifest, videos)?));
    }
    let params = Params::load(&folder.join("weights.safetensors"), false)?;
    let (root, config, card) = (params.root(), manifest.config, manifest.card());
    let half: Box<dyn Receive> = match manifest.scheme {
        SchemeKind::Proposed => Box::new(NetworkReceiver { card, config, network: Receiver::new(&root, &config)? }),
        SchemeKind::TDeepSc => {
            Box::new(NetworkReceiver { card, config, network: tdeepsc::Receiver::new(&root, &config)? })
        }
        SchemeKind::SignRepetition | SchemeKind::ClassRepetition | SchemeKind::QuantisedLatent => {
            let decides = manifest.scheme.decides().expect("a codebook's scheme decides");
            Box::new(CodebookReceiver { card, codebook: Codebook::read(&root, decides)? })
        }
        SchemeKind::Conventional => unreachable!("loaded above"),
    };
    check_hash(&folder, &["weights.safetensors"], &manifest.tensors.receiver)?;
    Ok(half)
}

/// Both halves of a deployed network.
pub type Halves = (Box<dyn Transmit>, Box<dyn Receive>);

/// Loads both halves from a weights folder.
///
/// # Errors
/// Also if the two do not belong together.
pub fn load(folder: &Path) -> Result<Halves, WeightsError> {
    let (transmitter, receiver) = (load_transmitter(folder)?, load_receiver(folder)?);
    let (sent, received) = (&transmitter.card().model_id, &receiver.card().model_id);
    if sent != received {
        return Err(WeightsError::Halves {
            folder: folder.into(),
            transmitter: sent.clone(),
            receiver: received.clone(),
        });
    }
    Ok((transmitter, receiver))
}
