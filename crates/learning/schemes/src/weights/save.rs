//! Saving both halves.

use super::disk::{self, Files};
use super::{
    FORMAT, Manifest, Standards, TensorHashes, Training, WeightsError, file_error, hash, model_id, to_safetensors,
};
use crate::scheme_kind::SchemeKind;
use corpus::{Modality, Origins};
use network::batch::Standardisation;
use network::config::Config;
use nn::bert::{self, Checkpoint};
use nn::params::{ParamError, Params};
use std::path::Path;

/// What is saved: the parameters of both halves and what goes into the manifests.
pub struct Weights<'a> {
    /// The scheme.
    pub scheme: SchemeKind,
    /// Every size.
    pub config: &'a Config,
    /// All parameters of training; each half takes its own.
    pub params: &'a Params,
    /// By `Modality::index()`.
    pub standardisations: &'a [Option<Standardisation>; 3],
    /// What made the features trained on, where that is known.
    pub extractors: &'a Origins,
    /// The text encoder's checkpoint and the parameters it runs on now.
    pub text_encoder: Option<(&'a Checkpoint, &'a Params)>,
    /// How the network came to be.
    pub training: Training,
}

impl Weights<'_> {
    fn half_files(&self, prefixes: &[&str], reads: bool) -> Result<Files, WeightsError> {
        let mut files = vec![("weights.safetensors".into(), to_safetensors(&self.params.tensors(prefixes))?)];
        if let Some((checkpoint, params)) = self.text_encoder.as_ref().filter(|_| reads) {
            let tensors = bert::published(params).map_err(ParamError::from)?;
            files.push(("text-encoder/config.json".into(), checkpoint.config_json().as_bytes().to_vec()));
            files.push(("text-encoder/tokenizer.json".into(), checkpoint.tokenizer_json().as_bytes().to_vec()));
            files.push(("text-encoder/model.safetensors".into(), to_safetensors(&tensors)?));
        }
        Ok(files)
    }

    /// Writes both halves into `folder`, replacing what is there. Whenever the process dies, a reader finds either both old
    /// halves or both new ones; nothing half-written stays.
    ///
    /// # Errors
    /// Names the file that cannot be written.
    pub fn save(&self, folder: &Path) -> Result<String, WeightsError> {
        let (prefixes, reads) = (self.scheme.prefixes(), self.scheme.reads_in_receiver());
        let mut transmitter = self.half_files(prefixes.0, !reads)?;
        let mut receiver = self.half_files(prefixes.1, reads)?;
        let of = |files: &Files| hash(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
        let tensors = TensorHashes { transmitter: of(&transmitter), receiver: of(&receiver) };
        let named = Modality::ALL
            .into_iter()
            .filter_map(|m| Some((m.name().to_string(), self.standardisations[m.index()].clone()?)));
        let standards: Standards = named.collect();
        let id = model_id(self.scheme, self.config, &standards, &tensors, self.extractors)?;
        let manifest = |half: &str, standardisation: Standards, extractors: Origins| {
            let manifest = Manifest {
                format: FORMAT,
                half: half.into(),
                scheme: self.scheme,
                model_id: id.clone(),
                config: *self.config,
                tensors: tensors.clone(),
                training: self.training.clone(),
                standardisation,
                extractors,
            };
            serde_json::to_vec_pretty(&manifest).map_err(|e| file_error(Path::new("manifest.json"), e))
        };
        // The receiver's model id covers these too, but most need them in the transmitter alone.
        let (read, made) = if reads { (standards.clone(), self.extractors.clone()) } else { Default::default() };
        receiver.push(("manifest.json".into(), manifest("receiver", read, made)?));
        transmitter.push(("manifest.json".into(), manifest("transmitter", standards, self.extractors.clone())?));
        std::fs::create_dir_all(folder).map_err(|e| file_error(folder, e))?;
        disk::finish(folder)?;
        // Both are complete on the disk before the first takes its place.
        disk::replace(folder, disk::stage(folder, [&transmitter, &receiver])?)?;
        Ok(id)
    }
}
