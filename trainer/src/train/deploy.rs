//! Builds the deployed weights from the selected epoch, and writes the weights folder.

use super::Trainer;
use crate::chain::Chain;
use crate::validation::HeldOut;
use crate::{calibration, codebook, sharpening};
use anyhow::{Context, Result, ensure};
use candle_core::Tensor;
use network::config::HeadKind;
use network::encoder::Sharpening;
use network::head::{MatchedFilter, Temperature};
use nn::bert::Checkpoint;
use nn::ops::with_slice;
use nn::params::Params;
use schemes::codebook::with_codebook;
use schemes::conventional::with_coding;
use schemes::scheme_kind::SchemeKind;
use schemes::weights::{Training, Weights};
use std::collections::HashMap;
use std::path::Path;

/// Name of the parameter that holds the learned direction of the sign.
const ANTIPODAL: &str = "auxiliary.antipodal";

impl Trainer<'_> {
    /// Writes the weights of the selected epoch, as the run's scheme, into `folder`; returns their model id.
    /// `text_encoder` is written with them unless the run fine-tunes one of its own.
    ///
    /// # Errors
    /// If no epoch was selected, the weights cannot be fitted, or a file cannot be written.
    pub fn deploy(&self, folder: &Path, text_encoder: Option<(&Checkpoint, &Params)>) -> Result<String> {
        self.deploy_as(self.config.scheme, folder, text_encoder)
    }

    /// Writes the weights of the selected epoch as `scheme`, which is the run's own or one that transmits the
    /// decisions of a network of scheme `proposed`; returns their model id.
    ///
    /// # Errors
    /// If no epoch was selected, the network of another scheme uses CSIT, the weights cannot be fitted, or a file
    /// cannot be written.
    ///
    /// # Panics
    /// If one of `scheme` and the run's scheme is T-DeepSC and the other is not.
    pub fn deploy_as(
        &self,
        scheme: SchemeKind,
        folder: &Path,
        text_encoder: Option<(&Checkpoint, &Params)>,
    ) -> Result<String> {
        assert_eq!(scheme == SchemeKind::TDeepSc, self.config.scheme == SchemeKind::TDeepSc, "{scheme}: its network");
        ensure!(
            scheme == self.config.scheme || !self.config.network.feedback,
            "{scheme}: expected a network without feedback to decide what is sent"
        );
        let (best, _) = self.state.best.context("no epoch was trained")?;
        let tuned = self.text.as_ref().map(|text| anyhow::Ok((text.checkpoint(), text.deployed(&self.best)?)));
        let tuned = tuned.transpose()?;
        let params = self.deployed(scheme, tuned.as_ref().map(|(_, params)| params))?;
        let text_encoder = tuned.as_ref().map(|(checkpoint, params)| (*checkpoint, params)).or(text_encoder);
        let manner = if tuned.is_some() { "fine-tune" } else { "frozen" };
        let weights = Weights {
            scheme,
            config: &self.config.network,
            params: &params,
            standardisations: &self.data.standardisations,
            extractors: &self.data.origins,
            text_encoder,
            training: Training {
                corpus: self.config.corpus.clone(),
                seed: self.config.seed,
                snr_db: self.config.law.snr_db,
                channels: self.config.law.kinds(),
                epochs: (self.state.epoch, best),
                text_encoder: self.config.text_encoder.as_ref().map(|name| format!("{name} ({manner})")),
                cpu: format!("{} {:?}", std::env::consts::ARCH, nn::ops::simd::level()),
            },
        };
        Ok(weights.save(folder)?)
    }

    /// The deployed parameters: those of the selected epoch, with antipodal boosting, calibration and codewords fitted
    /// to the held-out predictions.
    fn deployed(&self, scheme: SchemeKind, tuned: Option<&Params>) -> Result<Params> {
        let config = &self.config.network;
        let mut tensors: HashMap<String, Tensor> = self.best.clone().into_iter().collect();
        let built = |tensors: &HashMap<String, Tensor>| -> Result<(Params, Chain)> {
            let params = Params::from_tensors("best", tensors.clone(), false);
            let chain = Chain::new(&params.root(), self.config.scheme, config)?;
            Ok((params, chain))
        };
        let calibrated = self.config.calibrate && config.head == HeadKind::Distribution;
        let direction = tensors.get(ANTIPODAL).filter(|_| self.config.sharpen && self.config.objective.antipodal > 0.0);
        let direction = direction.filter(|_| calibrated).map(|u| with_slice(u, <[f32]>::to_vec)).transpose()?;
        if !calibrated && scheme.decides().is_none() {
            return self.with_coding(scheme, built(&tensors)?.0);
        }
        let (held_out, mut matched_filter) = (self.held_out(tuned)?, None);
        if let Some(direction) = direction {
            let filter = MatchedFilter::new(&direction, config.equaliser);
            let with_gain = |gain| -> Result<HashMap<String, Tensor>> {
                let mut tensors = tensors.clone();
                tensors.extend(Sharpening::new(&direction, gain).tensors()?);
                Ok(tensors)
            };
            let gain = sharpening::fit(|gain| held_out.said(&built(&with_gain(gain)?)?.1, Some(&filter)))?;
            tracing::debug!(gain, "fitted");
            tensors = with_gain(gain)?;
            matched_filter = Some(filter);
        }
        let mut said = held_out.said(&built(&tensors)?.1, matched_filter.as_ref())?;
        if calibrated {
            let calibration = calibration::fit(&said);
            tensors.insert(format!("head.{}", Temperature::TENSOR), calibration.temperature.tensor()?);
            if let Some(matched_filter) = matched_filter {
                tensors.extend(matched_filter.with_weight(calibration.weight).tensors()?);
            }
            tracing::debug!(?calibration, "fitted");
            said.iter_mut().for_each(|said| said.p = calibration.apply(said));
        }
        let (params, _) = built(&tensors)?;
        match scheme.decides() {
            Some(decides) => Ok(with_codebook(&params, config, &codebook::fit(decides, &said))?),
            None => self.with_coding(scheme, params),
        }
    }

    /// The parameters with what the conventional scheme needs in addition, if `scheme` is the conventional one.
    fn with_coding(&self, scheme: SchemeKind, params: Params) -> Result<Params> {
        if scheme != SchemeKind::Conventional {
            return Ok(params);
        }
        Ok(with_coding(&params, &self.config.network, &crate::conventional::coding(self.data)?)?)
    }

    /// The held-out clips, with transcripts encoded by the deployed text encoder `tuned`.
    fn held_out(&self, tuned: Option<&Params>) -> Result<HeldOut> {
        let mut held_out = HeldOut::new(self.data, self.config.law.channel, self.config.objective.sign)?;
        if let (Some(text), Some(params)) = (&self.text, tuned) {
            held_out.reread(self.data, |items| text.read_with(params, items, self.readers()))?;
        }
        Ok(held_out)
    }
}
