//! The two halves of a trained network behind the common interface: those of scheme `proposed`, and of T-DeepSC.

use crate::scheme::{
    ChannelKnowledge, ChannelUses, ClipInput, Csit, InputError, InputErrorKind, ModalityCard, ModelCard, Receive,
    ReceivedBurst, Transmission, Transmit, rounds, scatter,
};
use candle_core::Tensor;
use corpus::{Modality, Sequence};
use metrics::Prediction;
use network::batch::{Batch, Standardisations};
use network::config::Config;
use network::proposed::{Answers, Receiver, Sends, Transmitter};
use network::tdeepsc;
use nn::bert::Bert;
use nn::ops::{tensor, with_slice};
use phy::Symbols;

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
    /// What is known of the weights.
    pub card: ModelCard,
    /// The sizes.
    pub config: Config,
    /// By `Modality::index()`.
    pub standardisations: Standardisations,
    /// Reads transcripts, where the weights hold one.
    pub text_encoder: Option<Bert>,
    /// The network.
    pub network: N,
}

impl ModelCard {
    /// The card of a network of these sizes alone: nothing known of what made the features, of transcripts or of training.
    pub fn of_network(model_id: impl Into<String>, scheme: impl Into<String>, config: &Config) -> ModelCard {
        let of = |(modality, width)| ModalityCard { modality, width, provenance: None };
        ModelCard {
            modalities: config.widths.present().map(of).collect(),
            equaliser: config.equaliser,
            needs: if config.feedback { ChannelKnowledge::Csit } else { ChannelKnowledge::Nothing },
            ..ModelCard::new(model_id, scheme, ChannelUses::Fixed(config.reals / 2))
        }
    }
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

/// What a clip says, where it has to be read: a blank transcript is none, in training too, and features win.
fn words(clip: &ClipInput) -> Option<&str> {
    let text = clip.transcript.as_deref().filter(|text| !text.trim().is_empty());
    text.filter(|_| clip.features[Modality::Text.index()].is_none())
}

impl<N> NetworkTransmitter<N> {
    /// Whether the network can take this clip.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn check(&self, clip: &ClipInput) -> Result<(), InputError> {
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

    /// Text features from transcripts, for the clips that bring no features of their own and have passed `checked`; what cannot be
    /// tokenised no longer passes it.
    fn read_transcripts(
        &self,
        clips: &[ClipInput],
        checked: &mut [Result<(), InputError>],
    ) -> Result<Vec<Option<Sequence>>, InputError> {
        let mut read = vec![None; clips.len()];
        let Some(encoder) = &self.text_encoder else { return Ok(read) };
        let (mut wanted, mut ids) = (Vec::new(), Vec::new());
        for (i, (clip, checked)) in clips.iter().zip(checked).enumerate() {
            let Some(text) = words(clip).filter(|_| checked.is_ok()) else { continue };
            match encoder.ids(text) {
                Ok(tokens) => {
                    wanted.push(i);
                    ids.push(tokens);
                }
                Err(e) => *checked = Err(error(InputErrorKind::Unsupported, "text.transcript", e.to_string())),
            }
        }
        let sequences = encoder.encode_ids(&ids).map_err(|e| error(InputErrorKind::Internal, "text", e.to_string()))?;
        wanted.into_iter().zip(sequences).for_each(|(i, sequence)| read[i] = Some(sequence));
        Ok(read)
    }
}

impl<N: Sends> NetworkTransmitter<N> {
    /// The clips as the network reads them: transcripts read, features standardised and packed.
    ///
    /// # Errors
    /// What is wrong with the first clip that the network cannot take.
    pub fn batch(&self, clips: &[ClipInput]) -> Result<Batch, InputError> {
        let (checked, batch) = self.pack(clips);
        checked.into_iter().collect::<Result<(), _>>()?;
        batch
    }

    /// Whether the network can take each clip, and one batch of all that it can.
    fn pack(&self, clips: &[ClipInput]) -> (Vec<Result<(), InputError>>, Result<Batch, InputError>) {
        let mut checked: Vec<Result<(), InputError>> = clips.iter().map(|clip| self.check(clip)).collect();
        let read = match self.read_transcripts(clips, &mut checked) {
            Ok(read) => read,
            Err(e) => return (checked, Err(e)),
        };
        let good = clips.iter().zip(&read).zip(&checked).filter(|(_, checked)| checked.is_ok());
        let features: Vec<[Option<&Sequence>; 3]> = good
            .map(|((clip, read), _)| {
                let [text, audio, visual] = &clip.features;
                [text.as_ref().or(read.as_ref()), audio.as_ref(), visual.as_ref()]
            })
            .collect();
        let batch = Batch::pack(&self.config.widths, &self.standardisations, &features).map_err(|e| internal(&e));
        (checked, batch)
    }

    /// The bursts of one round over the clips of a digest.
    fn round(&self, digest: &[Tensor], rho: Option<&[f32]>) -> Result<Vec<Result<Symbols, InputError>>, InputError> {
        let bursts = self
            .network
            .send(digest, rho)
            .and_then(|z| with_slice(&z, |z| z.chunks_exact(self.config.reals).map(|r| r.to_vec()).collect::<Vec<_>>()))
            .map_err(|e| internal(&e))?;
        Ok(bursts.into_iter().map(|reals| Symbols::new(reals).map_err(|e| internal(&e))).collect())
    }

    /// One round of [`Transmit::transmit`] for the clips of a digest, those that `checked` passes.
    fn told(
        &self,
        digest: &Result<Vec<Tensor>, InputError>,
        checked: Vec<Result<(), InputError>>,
        csit: &[Option<Csit>],
    ) -> Vec<Result<Symbols, InputError>> {
        let good = checked.iter().zip(csit).filter(|(checked, _)| checked.is_ok());
        let good: Vec<Option<Csit>> = good.map(|(_, csit)| *csit).collect();
        if good.iter().all(Option::is_none) {
            return scatter(checked, Err(untold()));
        }
        // Every clip of the digest has its row; what is sent without CSIT is refused afterwards.
        let rho: Vec<f32> = good.iter().map(|csit| csit.map_or(1.0, |csit| csit.rho)).collect();
        let sent = digest.as_ref().map_err(InputError::clone).and_then(|digest| self.round(digest, Some(&rho)));
        let told = |(burst, csit): (_, Option<Csit>)| csit.ok_or_else(untold).and(burst);
        scatter(checked, sent.map(|sent| sent.into_iter().zip(good).map(told).collect()))
    }
}

fn untold() -> InputError {
    let message = "these weights were trained with feedback: expected the CSIT of each burst, got none";
    error(InputErrorKind::Unsupported, "csit", message)
}

fn internal(e: &dyn std::fmt::Display) -> InputError {
    error(InputErrorKind::Internal, "clip", e.to_string())
}

impl<N: Sends> Transmit for NetworkTransmitter<N> {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn transmit(&self, clips: &[ClipInput], csit: &[Option<Csit>]) -> Vec<Result<Transmission, InputError>> {
        let rounds = match rounds(clips.len(), csit.len()) {
            Ok(rounds) => rounds,
            Err(refused) => return refused,
        };
        let (checked, batch) = self.pack(clips);
        let digest = batch.and_then(|batch| match batch.size {
            0 => Ok(Vec::new()),
            _ => self.network.digest(&batch).map_err(|e| internal(&e)),
        });
        let results: Vec<Result<Symbols, InputError>> = match self.config.feedback {
            true if csit.is_empty() => self.told(&digest, checked, &vec![None; clips.len()]),
            true => {
                let each = csit.chunks(clips.len().max(1));
                each.flat_map(|csit| self.told(&digest, checked.clone(), csit)).collect()
            }
            false => {
                let sent = digest.and_then(|d| if d.is_empty() { Ok(Vec::new()) } else { self.round(&d, None) });
                repeated(scatter(checked, sent), rounds)
            }
        };
        results.into_iter().map(|result| result.map(Transmission::from)).collect()
    }
}

/// The results of one round, for so many.
pub(crate) fn repeated<T: Clone>(round: Vec<T>, rounds: usize) -> Vec<T> {
    let items = round.len() * rounds;
    if rounds == 1 { round } else { round.iter().cycle().take(items).cloned().collect() }
}

/// A receiver half: equalised bursts to the predictions of a network.
pub struct NetworkReceiver<N> {
    /// What is known of the weights.
    pub card: ModelCard,
    /// The sizes.
    pub config: Config,
    /// The network.
    pub network: N,
}

impl<N: Answers> Receive for NetworkReceiver<N> {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn receive(&self, bursts: &[ReceivedBurst]) -> Vec<Result<Prediction, InputError>> {
        let checked = check_lengths(&self.card, bursts);
        let good =
            bursts.iter().zip(&checked).filter(|(_, checked)| checked.is_ok()).map(|(burst, _)| &burst.equalised);
        let rho: Vec<f32> = good.clone().map(|burst| burst.rho).collect();
        if rho.is_empty() {
            return scatter(checked, Ok(Vec::new()));
        }
        // What a deep fade amplifies beyond reason under zero forcing is as good as this.
        let data = good.flat_map(|burst| burst.reals.iter().map(|v| v.clamp(-1e3, 1e3))).collect();
        let answers = tensor(data, (rho.len(), self.config.reals))
            .and_then(|received| self.network.answer(&received, &rho))
            .map_err(|e| error(InputErrorKind::Internal, "symbols", e.to_string()));
        scatter(checked, answers.map(|answers| answers.into_iter().map(Ok).collect()))
    }
}

/// Whether each burst is as long as the scheme sends it.
pub(crate) fn check_lengths(card: &ModelCard, bursts: &[ReceivedBurst]) -> Vec<Result<(), InputError>> {
    let check = |burst: &ReceivedBurst| match burst.equalised.reals.len() {
        reals if reals.is_multiple_of(2) => card.check_length(reals / 2, burst.format),
        reals => {
            let message = format!("expected pairs of I and Q, got {reals} values");
            Err(error(InputErrorKind::WrongLength, "symbols", message))
        }
    };
    bursts.iter().map(check).collect()
}
