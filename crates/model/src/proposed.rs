//! The two halves of scheme `proposed` behind the common interface.

use crate::batch::{Batch, Standardisations};
use crate::bert::{Bert, BertError};
use crate::config::Config;
use crate::network::{Receiver, Transmitter};
use crate::ops::{tensor, with_slice};
use crate::scheme::{ClipInput, InputError, InputErrorKind, ReceiverHalf, TransmitterHalf};
use corpus::{Modality, Sequence};
use metrics::Prediction;
use phy::{Equalised, Equaliser, Symbols};

/// The longest transcript accepted, in bytes. What exceeds the text encoder's positions is cut.
pub const MAX_TRANSCRIPT: usize = 1 << 16;

/// The transmitter half.
pub struct ProposedTransmitter {
    /// Names the weights.
    pub model_id: String,
    /// The sizes.
    pub config: Config,
    /// By `Modality::index()`.
    pub standardisations: Standardisations,
    /// Reads transcripts, where the weights hold one.
    pub text_encoder: Option<Bert>,
    /// The network.
    pub network: Transmitter,
}

fn error(kind: InputErrorKind, field: impl Into<String>, message: impl Into<String>) -> InputError {
    InputError { kind, field: field.into(), message: message.into() }
}

impl ProposedTransmitter {
    fn check_features(&self, modality: Modality, features: &Sequence) -> Result<(), InputError> {
        let field = |part: &str| format!("{}.features{part}", modality.name());
        let Some(width) = self.config.widths.get(modality) else {
            let message = format!("these weights were trained without {}", modality.name());
            return Err(error(InputErrorKind::Unsupported, field(""), message));
        };
        if features.width() != width {
            let message = format!("expected {width}, got {}", features.width());
            return Err(error(InputErrorKind::WrongWidth, field(".width"), message));
        }
        if features.frames() > self.config.max_frames {
            let message = format!("expected at most {}, got {}", self.config.max_frames, features.frames());
            return Err(error(InputErrorKind::TooLong, field(".frames"), message));
        }
        if let Some(at) = features.data().iter().position(|v| !v.is_finite()) {
            let message = format!("value {} of frame {} is {}", at % width, at / width, features.data()[at]);
            return Err(error(InputErrorKind::NotFinite, field(".data"), message));
        }
        Ok(())
    }

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

impl ProposedTransmitter {
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
}

fn internal(e: &dyn std::fmt::Display) -> InputError {
    error(InputErrorKind::Unsupported, "clip", e.to_string())
}

impl TransmitterHalf for ProposedTransmitter {
    fn model_id(&self) -> &str {
        &self.model_id
    }

    fn symbols(&self) -> usize {
        self.config.reals / 2
    }

    fn check(&self, clip: &ClipInput) -> Result<(), InputError> {
        let mut any = false;
        for modality in Modality::ALL {
            if let Some(features) = &clip.features[modality.index()] {
                self.check_features(modality, features)?;
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

    fn encode(&self, clips: &[ClipInput]) -> Result<Vec<Symbols>, InputError> {
        if clips.is_empty() {
            return Ok(Vec::new());
        }
        let batch = self.batch(clips)?;
        let bursts = self
            .network
            .forward(&batch)
            .and_then(|z| with_slice(&z, |z| z.chunks_exact(self.config.reals).map(|r| r.to_vec()).collect::<Vec<_>>()))
            .map_err(|e| internal(&e))?;
        bursts.into_iter().map(|reals| Symbols::new(reals).map_err(|e| internal(&e))).collect()
    }
}

/// The receiver half.
pub struct ProposedReceiver {
    /// Names the weights.
    pub model_id: String,
    /// The sizes.
    pub config: Config,
    /// The network.
    pub network: Receiver,
}

impl ReceiverHalf for ProposedReceiver {
    fn model_id(&self) -> &str {
        &self.model_id
    }

    fn symbols(&self) -> usize {
        self.config.reals / 2
    }

    fn equaliser(&self) -> Equaliser {
        self.config.equaliser
    }

    fn decode(&self, bursts: &[Equalised]) -> Result<Vec<Prediction>, InputError> {
        let reals = self.config.reals;
        if let Some(burst) = bursts.iter().find(|b| b.reals.len() != reals) {
            let message = format!("expected {} symbols, got {}", reals / 2, burst.reals.len() / 2);
            return Err(error(InputErrorKind::WrongLength, "symbols", message));
        }
        if bursts.is_empty() {
            return Ok(Vec::new());
        }
        // What a deep fade amplifies beyond reason under zero forcing is as good as this.
        let data = bursts.iter().flat_map(|b| b.reals.iter().map(|v| v.clamp(-1e3, 1e3))).collect();
        let rho: Vec<f32> = bursts.iter().map(|b| b.rho).collect();
        tensor(data, (bursts.len(), reals))
            .and_then(|received| self.network.forward(&received, &rho))
            .map_err(|e| error(InputErrorKind::WrongLength, "symbols", e.to_string()))
    }
}
