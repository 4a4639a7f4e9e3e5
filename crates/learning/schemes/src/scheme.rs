//! What services, evaluation and plots know of a scheme: two halves behind one small interface.

use corpus::{Clip, Modality, Origins, Sequence};
use metrics::Prediction;
use phy::{Conditions, Equalised, Equaliser, NoiseKey, Symbols};
use std::sync::Arc;

/// What a transmitter half is given of one clip.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClipInput {
    /// What was said, for halves that hold a text encoder; ignored where text features are given.
    pub transcript: Option<String>,
    /// Features by `Modality::index()`, as the corpus has them (not standardised).
    pub features: [Option<Sequence>; 3],
    /// A film for halves that send it whole, coded by [`source_coding::film`]; others do not look at it.
    pub film: Option<Arc<[u8]>>,
}

impl From<&Clip> for ClipInput {
    fn from(clip: &Clip) -> Self {
        let transcript = (!clip.text.is_empty()).then(|| clip.text.clone());
        ClipInput { transcript, features: clip.features.clone(), film: None }
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
    /// Kind of the channel and nominal Es/N0: the law of the fading, not what it comes to.
    pub conditions: Conditions,
    /// ρ = |h|²/(|h|² + N0) ∈ [0, 1] of the very h that the burst will meet; 1 when noiseless.
    pub rho: f32,
}

impl ChannelHint {
    /// Perfect feedback of block fading: what the burst under `key` is going to meet, no symbol of it having been sent.
    pub fn ahead(key: NoiseKey, conditions: &Conditions) -> Self {
        ChannelHint { conditions: *conditions, rho: phy::draw(key, conditions, 0).rho() }
    }
}

/// What both ends of a scheme that codes its bits know of a burst beside its symbols: control information, taken to arrive
/// free of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransportFormat {
    /// Index of modulation and code, I_MCS of TS 38.214, table 5.1.3.1-1.
    pub mcs: u8,
    /// Bytes of the transport block.
    pub bytes: u32,
}

/// A burst as it leaves a transmitter half.
#[derive(Clone, Debug, PartialEq)]
pub struct Emission {
    /// Of unit mean power, over all clips for schemes of transport blocks, else of each burst.
    pub symbols: Symbols,
    /// Of a transport block; `None` for schemes that send none.
    pub format: Option<TransportFormat>,
}

impl From<Symbols> for Emission {
    fn from(symbols: Symbols) -> Self {
        Emission { symbols, format: None }
    }
}

/// The part of a scheme that runs in the transmitter: clips to complex symbols.
pub trait TransmitterHalf: Send + Sync {
    /// SHA-256 over config and tensors of both halves, in hex.
    fn model_id(&self) -> &str;

    /// Complex symbols sent for each clip; `None` if clips differ in that.
    fn symbols(&self) -> Option<usize>;

    /// What made the features that the half was trained on, where that is known; features of other origins do not belong.
    fn origins(&self) -> &Origins {
        static UNKNOWN: Origins = Origins::unknown();
        &UNKNOWN
    }

    /// Whether films cross as they are, and not the features that extractors make of them.
    fn sends_films(&self) -> bool {
        false
    }

    /// Whether [`TransmitterHalf::encode`] would take this clip.
    fn check(&self, clip: &ClipInput) -> Result<(), InputError>;

    /// Whether a burst depends on what the transmitter is told of its channel; results are then reported apart.
    fn needs_feedback(&self) -> bool {
        false
    }

    /// Whether a burst depends on kind and SNR of the channel, if on no more than that.
    fn needs_conditions(&self) -> bool {
        self.needs_feedback()
    }

    /// One burst of unit mean power for each clip; the same bits in any batch.
    ///
    /// # Errors
    /// What [`TransmitterHalf::check`] says of the first clip that does not pass it, and for a half that needs feedback or
    /// conditions: it takes clips through [`TransmitterHalf::encode_told`] or [`TransmitterHalf::emit`] alone.
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

    /// One burst for each clip, with its format; where `hints` are given, one for each of these.
    ///
    /// # Errors
    /// As [`TransmitterHalf::encode`] and [`TransmitterHalf::encode_told`].
    fn emit(&self, clips: &[ClipInput], hints: Option<&[ChannelHint]>) -> Result<Vec<Emission>, InputError> {
        let bursts = match hints {
            Some(hints) => self.encode_told(clips, hints),
            None => self.encode(clips),
        };
        Ok(bursts?.into_iter().map(Emission::from).collect())
    }
}

/// Makes features of a film that has crossed.
pub trait FilmReader: Send + Sync {
    /// Features by `Modality::index()`, of the bytes that [`source_coding::film`] codes.
    ///
    /// # Errors
    /// What is wrong with the film.
    fn read(&self, film: &[u8]) -> Result<[Option<Sequence>; 3], InputError>;
}

/// The part of a scheme that runs in the receiver: equalised symbols to predictions.
pub trait ReceiverHalf: Send + Sync {
    /// SHA-256 over config and tensors of both halves, in hex.
    fn model_id(&self) -> &str;

    /// Complex symbols expected for each clip; `None` if clips differ in that.
    fn symbols(&self) -> Option<usize>;

    /// Complex symbols expected of a burst of this format.
    ///
    /// # Errors
    /// If the half takes no such format.
    fn symbols_of(&self, format: Option<TransportFormat>) -> Result<usize, InputError> {
        match (self.symbols(), format) {
            (Some(symbols), None) => Ok(symbols),
            _ => Err(InputError {
                kind: InputErrorKind::Unsupported,
                field: "transport".into(),
                message: "these weights expect no transport block".into(),
            }),
        }
    }

    /// How received symbols are to be equalised for this half.
    fn equaliser(&self) -> Equaliser;

    /// One prediction for each burst; the same bits in any batch.
    ///
    /// # Errors
    /// If a burst has another number of symbols than [`ReceiverHalf::symbols`].
    fn decode(&self, bursts: &[Equalised]) -> Result<Vec<Prediction>, InputError>;

    /// The same of bursts that may be transport blocks, `formats[i]` being that of `bursts[i]`.
    ///
    /// # Errors
    /// If a burst has another number of symbols than [`ReceiverHalf::symbols_of`] its format.
    fn decode_formatted(
        &self,
        bursts: &[Equalised],
        formats: &[Option<TransportFormat>],
    ) -> Result<Vec<Prediction>, InputError> {
        formats.iter().try_for_each(|format| self.symbols_of(*format).map(drop))?;
        self.decode(bursts)
    }
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
