//! What services, evaluation and plots know of a scheme: two halves behind one small interface.

use corpus::{Clip, Modality, Origins, Sequence};
use metrics::Prediction;
use phy::{Equalised, Equaliser, Symbols};

/// What a transmitter half is given of one clip.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClipInput {
    /// What was said, for halves that hold a text encoder; ignored where text features are given.
    pub transcript: Option<String>,
    /// Features by `Modality::index()`, as the corpus has them (not standardised).
    pub features: [Option<Sequence>; 3],
}

impl From<&Clip> for ClipInput {
    fn from(clip: &Clip) -> Self {
        let transcript = (!clip.text.is_empty()).then(|| clip.text.clone());
        ClipInput { transcript, features: clip.features.clone() }
    }
}

impl ClipInput {
    /// The input without these modalities.
    #[must_use]
    pub fn without(mut self, modalities: &[Modality]) -> Self {
        for modality in modalities {
            self.features[modality.index()] = None;
        }
        self.transcript = self.transcript.filter(|_| !modalities.contains(&Modality::Text));
        self
    }
}

/// Why a half cannot take an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputErrorKind {
    /// Features of another width than trained on.
    WrongWidth,
    /// NaN or infinity.
    NotFinite,
    /// Nothing that the half could use.
    Empty,
    /// More frames or text than accepted.
    TooLong,
    /// Content that these weights cannot take.
    Unsupported,
    /// Another number of symbols than the scheme sends.
    WrongLength,
}

/// An input that a half cannot take. The other inputs of a batch are not affected: check each first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct InputError {
    /// What is wrong.
    pub kind: InputErrorKind,
    /// Such as `audio.features.width`.
    pub field: String,
    /// What was expected and what came.
    pub message: String,
}

/// The part of a scheme that runs in the transmitter: clips to complex symbols.
pub trait TransmitterHalf: Send + Sync {
    /// SHA-256 over config and tensors of both halves, in hex.
    fn model_id(&self) -> &str;

    /// Complex symbols sent for each clip.
    fn symbols(&self) -> usize;

    /// What made the features that the half was trained on, where that is known; features of other origins do not belong.
    fn origins(&self) -> &Origins {
        static UNKNOWN: Origins = Origins::unknown();
        &UNKNOWN
    }

    /// Whether [`TransmitterHalf::encode`] would take this clip.
    fn check(&self, clip: &ClipInput) -> Result<(), InputError>;

    /// One burst of unit mean power for each clip; the same bits in any batch.
    ///
    /// # Errors
    /// What [`TransmitterHalf::check`] says of the first clip that does not pass it.
    fn encode(&self, clips: &[ClipInput]) -> Result<Vec<Symbols>, InputError>;
}

/// The part of a scheme that runs in the receiver: equalised symbols to predictions.
pub trait ReceiverHalf: Send + Sync {
    /// SHA-256 over config and tensors of both halves, in hex.
    fn model_id(&self) -> &str;

    /// Complex symbols expected for each clip.
    fn symbols(&self) -> usize;

    /// How received symbols are to be equalised for this half.
    fn equaliser(&self) -> Equaliser;

    /// One prediction for each burst; the same bits in any batch.
    ///
    /// # Errors
    /// If a burst has another number of symbols than [`ReceiverHalf::symbols`].
    fn decode(&self, bursts: &[Equalised]) -> Result<Vec<Prediction>, InputError>;
}
