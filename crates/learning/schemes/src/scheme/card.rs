//! The model card: what services, evaluation and clients know of weights without looking into them.

use super::{ClipInput, InputError, InputErrorKind, TransportFormat};
use corpus::{Identity, Modality, Origins};
use phy::Equaliser;

/// What a prediction is a distribution over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Task {
    /// An ordinal score.
    Score {
        /// The least score.
        low: f32,
        /// The greatest score.
        high: f32,
        /// Ordered classes that the range is cut into.
        classes: usize,
    },
}

impl Task {
    /// Sentiment as CMU-MOSI labels it: a score in [−3, 3], seven classes.
    pub const SENTIMENT: Task = Task::Score { low: -3.0, high: 3.0, classes: 7 };
}

/// A modality that weights take features of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModalityCard {
    /// Which one.
    pub modality: Modality,
    /// Values in a row of its features.
    pub width: usize,
    /// What made the features trained on, where that is known.
    pub provenance: Option<Identity>,
}

/// Complex channel uses of a transmission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelUses {
    /// The same number for every clip.
    Fixed(usize),
    /// As many as the clip's transport block takes, see [`TransportFormat::channel_uses`].
    PerClip,
}

impl ChannelUses {
    /// The number, if it is the same for every clip.
    pub fn fixed(self) -> Option<usize> {
        match self {
            ChannelUses::Fixed(uses) => Some(uses),
            ChannelUses::PerClip => None,
        }
    }
}

/// What a transmitter needs to know of the channel before it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKnowledge {
    /// Nothing: a clip has one transmission, whatever it will meet.
    Nothing,
    /// Kind and nominal SNR of the channel.
    Conditions,
    /// CSIT, channel state information at the transmitter: h of the burst itself.
    Csit,
}

/// What is known of weights: what they are, what they take, and what they send.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelCard {
    /// SHA-256 over the configuration and the tensors of transmitter and receiver, in hex.
    pub model_id: String,
    /// The scheme as results name it, such as `proposed` or `proposed+feedback`.
    pub scheme: String,
    /// What is predicted.
    pub task: Task,
    /// What features are taken of.
    pub modalities: Vec<ModalityCard>,
    /// Complex channel uses of a transmission.
    pub channel_uses: ChannelUses,
    /// How received symbols are to be equalised.
    pub equaliser: Equaliser,
    /// Least and greatest SNR of training, in dB; `None` if trained without noise, or for bits.
    pub training_snr_db: Option<(f64, f64)>,
    /// What the transmitter needs to know of the channel.
    pub needs: ChannelKnowledge,
    /// Whether a transcript is read, beside features or in place of text features.
    pub takes_transcripts: bool,
    /// Whether a video crosses as it is; other weights take the features that extractors make of it.
    pub takes_media: bool,
}

impl ModelCard {
    /// A card for weights that take no features yet: sentiment, MMSE, nothing known of training and of the channel.
    pub fn new(model_id: impl Into<String>, scheme: impl Into<String>, channel_uses: ChannelUses) -> ModelCard {
        ModelCard {
            model_id: model_id.into(),
            scheme: scheme.into(),
            task: Task::SENTIMENT,
            modalities: Vec::new(),
            channel_uses,
            equaliser: Equaliser::Mmse,
            training_snr_db: None,
            needs: ChannelKnowledge::Nothing,
            takes_transcripts: false,
            takes_media: false,
        }
    }

    /// What made the features trained on, of the modalities where it is known.
    pub fn provenance(&self) -> Origins {
        let mut identities = [None, None, None];
        for card in &self.modalities {
            identities[card.modality.index()].clone_from(&card.provenance);
        }
        Origins::new(identities)
    }

    /// Whether a clip holds anything that these weights could send: a frame of a modality that they take, a transcript,
    /// or a video. Whether they can take what it holds is for the transmitter to say.
    pub fn finds_content(&self, clip: &ClipInput) -> bool {
        let frames = |card: &ModalityCard| clip.features[card.modality.index()].as_ref().map_or(0, |f| f.frames());
        let spoken = clip.transcript.as_ref().is_some_and(|text| !text.trim().is_empty());
        let read = self.takes_transcripts || clip.features.iter().all(Option::is_none);
        self.modalities.iter().any(|card| frames(card) > 0)
            || (spoken && read)
            || (clip.video.is_some() && self.takes_media)
    }

    /// Complex symbols of a burst with this transport format. Arithmetic alone: nothing is built, whatever is claimed.
    ///
    /// # Errors
    /// [`InputErrorKind::Unsupported`] of `transport` if these weights take no transport block, or take nothing else,
    /// and what [`TransportFormat::channel_uses`] says.
    pub fn expected_symbols(&self, format: Option<TransportFormat>) -> Result<usize, InputError> {
        match (self.channel_uses, format) {
            (ChannelUses::Fixed(symbols), None) => Ok(symbols),
            (ChannelUses::PerClip, Some(format)) => format.channel_uses(),
            (ChannelUses::Fixed(_), Some(_)) => Err(InputError::new(
                InputErrorKind::Unsupported,
                "transport",
                "these weights expect no transport block",
            )),
            (ChannelUses::PerClip, None) => {
                Err(InputError::new(InputErrorKind::Unsupported, "transport", "these weights expect a transport block"))
            }
        }
    }

    /// Whether a burst has as many complex symbols as its format says.
    ///
    /// # Errors
    /// As [`ModelCard::expected_symbols`], and [`InputErrorKind::WrongLength`] of `symbols` for another number.
    pub fn check_length(&self, symbols: usize, format: Option<TransportFormat>) -> Result<(), InputError> {
        let expected = self.expected_symbols(format)?;
        if symbols == expected {
            return Ok(());
        }
        let message = format!("expected {expected} symbols, got {symbols}");
        Err(InputError::new(InputErrorKind::WrongLength, "symbols", message))
    }
}
