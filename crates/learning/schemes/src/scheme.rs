//! What services, evaluation and plots know of a scheme: a transmitter and a receiver, each a card and one method over
//! batches with one result an item.

mod card;
mod format;
pub mod isolated;

pub use card::{ChannelKnowledge, ChannelUses, ModalityCard, ModelCard, Task};
pub use format::TransportFormat;

use corpus::{Clip, Modality, Sequence};
use metrics::Prediction;
use phy::{Conditions, Equalised, NoiseKey, Symbols};
use std::fmt::Display;
use std::sync::Arc;

/// What a transmitter is given of one clip.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClipInput {
    /// What was said, for weights that read transcripts; ignored where text features are given.
    pub transcript: Option<String>,
    /// Features by `Modality::index()`, as the corpus has them (not standardised).
    pub features: [Option<Sequence>; 3],
    /// A video for weights that send it whole, coded by [`source_coding::video`]; others do not look at it.
    pub video: Option<Arc<[u8]>>,
}

impl From<&Clip> for ClipInput {
    fn from(clip: &Clip) -> Self {
        let transcript = (!clip.text.is_empty()).then(|| clip.text.clone());
        ClipInput { transcript, features: clip.features.clone(), video: None }
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

/// Why an item is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputErrorKind {
    /// Features of another width than trained on.
    WrongWidth,
    /// NaN or infinity.
    NotFinite,
    /// Nothing that the weights could use.
    Empty,
    /// More frames, text or symbols than accepted.
    TooLong,
    /// Content that these weights, or this process, cannot take.
    Unsupported,
    /// Another number of symbols than the scheme sends.
    WrongLength,
    /// Content that arrived as it was sent and cannot be decoded.
    Damaged,
    /// The model failed on it, which is no fault of the item.
    Internal,
}

/// Why one item of a batch is refused. The other items are not affected.
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

impl InputError {
    /// An error of `field`.
    pub fn new(kind: InputErrorKind, field: impl Into<String>, message: impl Display) -> Self {
        InputError { kind, field: field.into(), message: message.to_string() }
    }
}

/// CSIT, channel state information at the transmitter: what it knows of the channel that one burst is going to meet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Csit {
    /// Kind of the channel and nominal Es/N0: the distribution of the fading, not its realisation.
    pub conditions: Conditions,
    /// ρ = |h|²/(|h|² + N0) ∈ [0, 1] of the very h that the burst will meet; 1 when noiseless.
    pub rho: f32,
}

impl Csit {
    /// Perfect feedback of block fading: what the burst under `key` is going to meet, no symbol of it having been sent.
    pub fn ahead(key: NoiseKey, conditions: &Conditions) -> Self {
        Csit { conditions: *conditions, rho: phy::draw(key, conditions, 0).rho() }
    }
}

/// A burst as it leaves a transmitter.
#[derive(Clone, Debug, PartialEq)]
pub struct Transmission {
    /// Of unit mean power, over all clips for schemes of transport blocks, else of each burst.
    pub symbols: Symbols,
    /// Of a transport block; `None` for schemes that send none.
    pub format: Option<TransportFormat>,
}

impl From<Symbols> for Transmission {
    fn from(symbols: Symbols) -> Self {
        Transmission { symbols, format: None }
    }
}

/// A burst as it comes to a receiver, behind the equaliser that [`ModelCard::equaliser`] names.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedBurst {
    /// x̂ with its noise variance and ρ.
    pub equalised: Equalised,
    /// Of a transport block; `None` for schemes that send none.
    pub format: Option<TransportFormat>,
}

impl From<Equalised> for ReceivedBurst {
    fn from(equalised: Equalised) -> Self {
        ReceivedBurst { equalised, format: None }
    }
}

/// The part of a scheme that runs in the transmitter: clips to complex symbols.
pub trait Transmit: Send + Sync {
    /// What is known of the weights.
    fn card(&self) -> &ModelCard;

    /// One transmission an item, with the same bits in any batch; what is wrong with one clip is no other's fault.
    ///
    /// `csit` is empty, which says nothing of the channel and gives one result for each clip in order; or it holds one
    /// item for each result, in whole rounds over the clips: `csit[i]` is for clip `i mod clips.len()`, so that a clip
    /// that meets many channels is read once. Where [`ModelCard::needs`] is [`ChannelKnowledge::Nothing`] every round
    /// is the same.
    ///
    /// The results are as many as the longer of the two. An item gets an error if its clip cannot be sent, if the
    /// weights need to know the channel and its CSIT is `None` or missing ([`InputErrorKind::Unsupported`] of `csit`),
    /// and each item one if `csit` comes in no whole rounds ([`InputErrorKind::WrongLength`] of `csit`).
    fn transmit(&self, clips: &[ClipInput], csit: &[Option<Csit>]) -> Vec<Result<Transmission, InputError>>;
}

/// The part of a scheme that runs in the receiver: equalised symbols to predictions.
pub trait Receive: Send + Sync {
    /// What is known of the weights.
    fn card(&self) -> &ModelCard;

    /// One prediction a burst, in order, with the same bits in any batch; what is wrong with one burst is no other's
    /// fault. A burst whose check fails, lost in the channel, is answered with a prediction too.
    ///
    /// An item gets an error if [`ModelCard::check_length`] refuses it, or if what it carries arrived and cannot be
    /// read.
    fn receive(&self, bursts: &[ReceivedBurst]) -> Vec<Result<Prediction, InputError>>;
}

/// Makes features of a video that has crossed.
pub trait VideoReader: Send + Sync {
    /// Features by `Modality::index()`, of the bytes that [`source_coding::video`] codes.
    ///
    /// # Errors
    /// What is wrong with the video.
    fn read(&self, video: &[u8]) -> Result<[Option<Sequence>; 3], InputError>;
}

/// How many rounds over the clips `csit` makes: 1 if it is empty.
///
/// # Errors
/// The results of all items, if it makes no whole rounds.
pub(crate) fn rounds<T>(clips: usize, csit: usize) -> Result<usize, Vec<Result<T, InputError>>> {
    if csit == 0 || (clips > 0 && csit.is_multiple_of(clips)) {
        return Ok((csit / clips.max(1)).max(1));
    }
    let message = format!("expected a multiple of {clips}, one for each clip, got {csit}");
    let error = InputError::new(InputErrorKind::WrongLength, "csit", message);
    Err((0..clips.max(csit)).map(|_| Err(error.clone())).collect())
}

/// One result an item: those that passed the check get theirs, in order, out of `done`, or the error that stopped them
/// all.
pub(crate) fn scatter<T>(
    checked: Vec<Result<(), InputError>>,
    done: Result<Vec<Result<T, InputError>>, InputError>,
) -> Vec<Result<T, InputError>> {
    let (mut done, stopped) = match done {
        Ok(done) => (done.into_iter(), None),
        Err(error) => (Vec::new().into_iter(), Some(error)),
    };
    let missing = || InputError::new(InputErrorKind::Internal, "clip", "no result");
    let result = |checked: Result<(), InputError>| {
        checked?;
        done.next().unwrap_or_else(|| Err(stopped.clone().unwrap_or_else(missing)))
    };
    checked.into_iter().map(result).collect()
}
