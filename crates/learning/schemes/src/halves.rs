//! The two halves of a trained network behind the common interface: those of scheme `proposed`, and of T-DeepSC.

use crate::scheme::{ChannelHint, ClipInput, InputError, InputErrorKind, ReceiverHalf, TransmitterHalf, check_rounds};
use candle_core::Tensor;
use corpus::{Modality, Origins, Sequence};
use metrics::Prediction;
use network::batch::{Batch, Standardisations};
use network::config::Config;
use network::proposed::{Answers, Receiver, Sends, Transmitter};
use network::tdeepsc;
use nn::bert::{Bert, BertError};
use nn::ops::{tensor, with_slice};
use phy::{Equalised, Equaliser, Symbols};

/// The longest transcript accepted, in bytes. What exceeds the text encoder's positions is cut.
pub const MAX_TRANSCRIPT: usize = 1 << 16;

/// The transmitter half of scheme `proposed`.
pub type ProposedTransmitter = NetworkTransmitter<Transmitter>;

/// The receiver half of scheme `proposed`.
pub type ProposedReceiver = NetworkReceiver<Receiver>;

/// The transmitter half of T-DeepSC.
pub type TDeepScTransmitter = NetworkTransmitter<tdeepsc::Transmitter>;

/// The receiver half of T-DeepSC.
pub type TDeepScReceiver = NetworkReceiver<tdeepsc::Receiver>;

/// A transmitter half: features and transcripts to the bursts of a network.
pub struct NetworkTransmitter<N> {
    /// Names the weights.
    pub model_id: String,
    /// The sizes.
    pub config: Config,
    /// By `Modality::index()`.
    pub standardisations: Standardisations,
    /// What made the features trained on, where that is known.
    pub origins: Origins,
    /// Reads transcripts, where the weights hold one.
    pub text_encoder: Option<Bert>,
    /// The network.
    pub network: N,
}

fn error(kind: InputErrorKind, field: impl Into<String>, message: impl Into<String>) -> InputError {
    InputError { kind, field: field.into(), message: message.into() }
}

/// Whether features of a modality are such as a network of these sizes reads.
///
/// # Errors
/// If they are not.
pub(crate) fn check_features(config: &Config, modality: Modality, features: &Sequence) -> Result<(), InputError> {
    let field = |part: &str| format!("{}.features{part}", modality.name());
    let Some(width) = config.widths.get(modality) else {
        let message = format!("these weights were trained without {}", modality.name());
        return Err(error(InputErrorKind::Unsupported, field(""), message));
    };
    if features.width() != width {
        let message = format!("expected {width}, got {}", features.width());
        return Err(error(InputErrorKind::WrongWidth, field(".width"), message));
    }
    if features.frames() > config.max_frames {
        let message = format!("expected at most {}, got {}", config.max_frames, features.frames());
        return Err(error(InputErrorKind::TooLong, field(".frames"), message));
    }
    if let Some(at) = features.data().iter().position(|v| !v.is_finite()) {
        let message = format!("value {} of frame {} is {}", at % width, at / width, features.data()[at]);
        return Err(error(InputErrorKind::NotFinite, field(".data"), message));
    }
    Ok(())
}

impl<N> NetworkTransmitter<N> {
    /// Text features from transcripts, for the clips that bring no features of their own.
    fn read_transcripts(&self, clips: &[ClipInput]) -> Result<Vec<Option<Sequence>>, InputError> {
        let mut read = vec![None; clips.len()];
        let Some(encoder) = &self.text_encoder else { return Ok(read) };
        let wanted: Vec<(usize, &str)> = clips
            .iter()
            .enumerate()
            .filter(|(_, clip)| clip.features[Modality::Text.index()].is_none())
            // In training, too, a blank transcript is none.
            .filter_map(|(i, clip)| Some((i, clip.transcript.as_deref().filter(|text| !text.trim().is_empty())?)))
            .collect();
        let texts: Vec<&str> = wanted.iter().map(|(_, text)| *text).collect();
        let sequences = encoder.encode(&texts).map_err(|e| match e {
            BertError::Text { .. } => error(InputErrorKind::Unsupported, "text.transcript", e.to_string()),
            e => error(InputErrorKind::Unsupported, "text", e.to_string()),
        })?;
        wanted.iter().zip(sequences).for_each(|((i, _), sequence)| read[*i] = Some(sequence));
        Ok(read)
    }
}

impl<N: Sends> NetworkTransmitter<N> {
    /// The clips as the network reads them: transcripts read, features standardised and packed.
    ///
    /// # Errors
    /// As [`TransmitterHalf::check`].
    pub fn batch(&self, clips: &[ClipInput]) -> Result<Batch, InputError> {
        clips.iter().try_for_each(|clip| self.check(clip))?;
        let read = self.read_transcripts(clips)?;
        let features: Vec<[Option<&Sequence>; 3]> = clips
            .iter()
            .zip(&read)
            .map(|(clip, read)| {
                let [text, audio, visual] = &clip.features;
                [text.as_ref().or(read.as_ref()), audio.as_ref(), visual.as_ref()]
            })
            .collect();
        Batch::pack(&self.config.widths, &self.standardisations, &features).map_err(|e| internal(&e))
    }

    /// The bursts of one round over the clips of a digest.
    fn round(&self, digest: &[Tensor], rho: Option<&[f32]>) -> Result<Vec<Symbols>, InputError> {
        let bursts = self
            .network
            .send(digest, rho)
            .and_then(|z| with_slice(&z, |z| z.chunks_exact(self.config.reals).map(|r| r.to_vec()).collect::<Vec<_>>()))
            .map_err(|e| internal(&e))?;
        bursts.into_iter().map(|reals| Symbols::new(reals).map_err(|e| internal(&e))).collect()
    }
}

fn internal(e: &dyn std::fmt::Display) -> InputError {
    error(InputErrorKind::Unsupported, "clip", e.to_string())
}

impl<N: Sends> TransmitterHalf for NetworkTransmitter<N> {
    fn model_id(&self) -> &str {
        &self.model_id
    }

    fn symbols(&self) -> Option<usize> {
        Some(self.config.reals / 2)
    }

    fn origins(&self) -> &Origins {
        &self.origins
    }

    fn check(&self, clip: &ClipInput) -> Result<(), InputError> {
        let mut any = false;
        for modality in Modality::ALL {
            if let Some(features) = &clip.features[modality.index()] {
                check_features(&self.config, modality, features)?;
                any |= features.frames() > 0;
            }
        }
        if let (Some(text), None) = (&clip.transcript, &clip.features[Modality::Text.index()]) {
            if text.len() > MAX_TRANSCRIPT {
                let message = format!("expected at most {MAX_TRANSCRIPT} bytes, got {}", text.len());
                return Err(error(InputErrorKind::TooLong, "text.transcript", message));
            }
            any |= self.text_encoder.is_some() && !text.trim().is_empty();
            if !any && !text.trim().is_empty() {
                let message = "these weights hold no text encoder; send text features";
                return Err(error(InputErrorKind::Unsupported, "text.transcript", message));
            }
        }
        if !any {
            return Err(error(InputErrorKind::Empty, "clip", "the clip holds no frame of any modality"));
        }
        Ok(())
    }

    fn needs_feedback(&self) -> bool {
        self.config.feedback
    }

    fn encode(&self, clips: &[ClipInput]) -> Result<Vec<Symbols>, InputError> {
        if clips.is_empty() {
            return Ok(Vec::new());
        }
        let batch = self.batch(clips)?;
        if self.config.feedback {
            let message =
                "these weights were trained with feedback: expected what each burst is going to meet, got nothing";
            return Err(error(InputErrorKind::Unsupported, "hints", message));
        }
        self.round(&self.network.digest(&batch).map_err(|e| internal(&e))?, None)
    }

    fn encode_told(&self, clips: &[ClipInput], hints: &[ChannelHint]) -> Result<Vec<Symbols>, InputError> {
        check_rounds(clips, hints)?;
        if clips.is_empty() {
            return Ok(Vec::new());
        }
        let digest = self.network.digest(&self.batch(clips)?).map_err(|e| internal(&e))?;
        let mut bursts = Vec::with_capacity(hints.len());
        for round in hints.chunks(clips.len()) {
            let rho: Vec<f32> = round.iter().map(|hint| hint.rho).collect();
            bursts.extend(self.round(&digest, Some(&rho))?);
        }
        Ok(bursts)
    }
}

/// Whether all bursts are as long as the scheme sends them.
///
/// # Errors
/// Of the first that is not.
pub(crate) fn check_lengths(bursts: &[Equalised], reals: usize) -> Result<(), InputError> {
    match bursts.iter().find(|burst| burst.reals.len() != reals) {
        None => Ok(()),
        Some(burst) => {
            let message = format!("expected {} symbols, got {}", reals / 2, burst.reals.len() / 2);
            Err(error(InputErrorKind::WrongLength, "symbols", message))
        }
    }
}

/// A receiver half: equalised bursts to the predictions of a network.
pub struct NetworkReceiver<N> {
    /// Names the weights.
    pub model_id: String,
    /// The sizes.
    pub config: Config,
    /// The network.
    pub network: N,
}

impl<N: Answers> ReceiverHalf for NetworkReceiver<N> {
    fn model_id(&self) -> &str {
        &self.model_id
    }

    fn symbols(&self) -> Option<usize> {
        Some(self.config.reals / 2)
    }

    fn equaliser(&self) -> Equaliser {
        self.config.equaliser
    }

    fn decode(&self, bursts: &[Equalised]) -> Result<Vec<Prediction>, InputError> {
        let reals = self.config.reals;
        check_lengths(bursts, reals)?;
        if bursts.is_empty() {
            return Ok(Vec::new());
        }
        // What a deep fade amplifies beyond reason under zero forcing is as good as this.
        let data = bursts.iter().flat_map(|b| b.reals.iter().map(|v| v.clamp(-1e3, 1e3))).collect();
        let rho: Vec<f32> = bursts.iter().map(|b| b.rho).collect();
        tensor(data, (bursts.len(), reals))
            .and_then(|received| self.network.answer(&received, &rho))
            .map_err(|e| error(InputErrorKind::WrongLength, "symbols", e.to_string()))
    }
}
