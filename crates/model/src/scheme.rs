//! What services, evaluation and plots know of a scheme: two halves behind one small interface.

use corpus::{Clip, Modality, Origins, Sequence};
use metrics::Prediction;
use phy::{Conditions, Equalised, Equaliser, NoiseKey, SnrDb, Symbols};

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

/// What a transmitter that knows the channel is told of one burst to come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelHint {
    /// Nominal Es/N0 per complex symbol; `None` when noiseless.
    pub snr_db: Option<SnrDb>,
    /// ρ = |h|²/(|h|² + N0) ∈ [0, 1] of the very h that the burst will meet; 1 when noiseless.
    pub rho: f32,
}

impl ChannelHint {
    /// Perfect feedback of block fading: what the burst under `key` is going to meet, no symbol of it having been sent.
    pub fn ahead(key: NoiseKey, conditions: &Conditions) -> Self {
        ChannelHint { snr_db: conditions.snr_db(), rho: phy::draw(key, conditions, 0).rho() }
    }
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

    /// Whether a burst depends on what the transmitter is told of its channel; results are then reported apart.
    fn needs_feedback(&self) -> bool {
        false
    }

    /// One burst of unit mean power for each clip; the same bits in any batch.
    ///
    /// # Errors
    /// What [`TransmitterHalf::check`] says of the first clip that does not pass it, and for a half that needs feedback:
    /// it takes clips through [`TransmitterHalf::encode_told`] alone.
    fn encode(&self, clips: &[ClipInput]) -> Result<Vec<Symbols>, InputError>;

    /// One burst of unit mean power for each hint; the same bits in any batch. Hints come in whole rounds over the clips,
    /// `hints[i]` for clip `i mod clips.len()`, so that a clip that meets many channels is read once. A half that needs no
    /// feedback sends the same burst whatever it is told.
    ///
    /// # Errors
    /// As [`TransmitterHalf::encode`], and if the hints are no whole rounds.
    fn encode_told(&self, clips: &[ClipInput], hints: &[ChannelHint]) -> Result<Vec<Symbols>, InputError> {
        check_rounds(clips, hints)?;
        let bursts = self.encode(clips)?;
        Ok(bursts.iter().cycle().take(hints.len()).cloned().collect())
    }
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

/// Whether there are as many hints as clips, or several times as many.
///
/// # Errors
/// If not.
pub(crate) fn check_rounds(clips: &[ClipInput], hints: &[ChannelHint]) -> Result<(), InputError> {
    let whole = match clips.len() {
        0 => hints.is_empty(),
        clips => !hints.is_empty() && hints.len().is_multiple_of(clips),
    };
    if whole {
        return Ok(());
    }
    Err(InputError {
        kind: InputErrorKind::WrongLength,
        field: "hints".into(),
        message: format!("expected a multiple of {}, one for each clip, got {}", clips.len(), hints.len()),
    })
}
