//! The halves of the conventional scheme: what a clip says, sounds and looks like is source coded, sent as one transport block,
//! and read by the proposed network where it arrives.
//!
//! The transmitter is told kind and SNR of the channel and picks modulation and code by measured block error rates; h it does not
//! know. What does not arrive is answered with the best constant. Text features do not cross: the receiver makes them of the
//! transcript.

use crate::halves::{ProposedTransmitter, check_features};
use crate::scheme::{
    ChannelHint, ClipInput, Emission, FilmReader, InputError, InputErrorKind, ReceiverHalf, TransmitterHalf,
    TransportFormat, check_rounds,
};
use candle_core::Tensor;
use corpus::{Modality, Origins};
use metrics::Prediction;
use network::config::{Config, Widths};
use network::proposed::{Receiver, Transmitter};
use nn::ops::{tensor, with_slice};
use nn::params::{Init, ParamError, Params, Scope};
use nr::Mcs;
use nr::{Coherence, Link, Planner};
use phy::{Conditions, Equalised, Equaliser, Symbols};
use source_coding::{Codec, Content, Ranges, Source};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// First path component of its tensors.
pub const PREFIX: &str = "conventional.";
/// Values of an answer.
const ANSWER: usize = 11;
/// The largest transport block, in bytes.
const MAX_BYTES: u32 = 1 << 22;
/// Conditions whose MCS is remembered.
const PLANS: usize = 64;

fn error(kind: InputErrorKind, field: &str, message: impl std::fmt::Display) -> InputError {
    InputError { kind, field: field.into(), message: message.to_string() }
}

/// What both ends know before anything is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Coding {
    /// Codes and decodes contents.
    pub source: Source,
    /// Bytes of a clip of middling size, for which an MCS is picked.
    pub middle: usize,
    /// What is answered to a clip that does not arrive.
    pub lost: Prediction,
}

impl Coding {
    /// From the parameters below `conventional`, for features of these widths.
    ///
    /// # Errors
    /// If they are not to be had.
    pub fn read(root: &Scope, widths: &Widths, codec: Codec) -> Result<Self, ParamError> {
        let scope = root.at("conventional");
        let of = |modality: Modality| -> Result<Option<Ranges>, ParamError> {
            let Some(width) = widths.get(modality).filter(|_| modality != Modality::Text) else { return Ok(None) };
            let column = |name: &str| -> Result<Vec<f32>, ParamError> {
                let values = scope.at(modality.name()).get(name, &[width], Init::Constant(0.0))?;
                Ok(with_slice(&values, <[f32]>::to_vec)?)
            };
            Ok(Some(Ranges::of_columns(column("low")?, column("step")?)))
        };
        let [text, audio, visual] = Modality::ALL.map(of);
        let source = Source::new([text?, audio?, visual?], codec);
        let source = source.map_err(|e| ParamError::Candle(candle_core::Error::Msg(e.to_string())))?;
        let middle = with_slice(&scope.get("middle", &[1], Init::Constant(1.0))?, |v| v[0])?;
        let lost = with_slice(&scope.get("lost", &[ANSWER], Init::Constant(0.0))?, |v| Prediction {
            p_neg: v[0],
            p_zero: v[1],
            p_pos: v[2],
            classes: std::array::from_fn(|k| v[3 + k]),
            score: v[10],
        })?;
        Ok(Coding { source, middle: (middle as usize).max(1), lost })
    }

    /// Its tensors by path.
    ///
    /// # Errors
    /// Candle's.
    pub fn tensors(&self) -> candle_core::Result<HashMap<String, Tensor>> {
        let Prediction { p_neg, p_zero, p_pos, classes, score } = self.lost;
        let lost = [[p_neg, p_zero, p_pos].as_slice(), &classes, &[score]].concat();
        let mut tensors = HashMap::from([
            (format!("{PREFIX}middle"), tensor(vec![self.middle as f32], 1)?),
            (format!("{PREFIX}lost"), tensor(lost, ANSWER)?),
        ]);
        for (modality, ranges) in Modality::ALL.into_iter().zip(self.source.ranges()) {
            let Some(ranges) = ranges else { continue };
            for (name, columns) in [("low", ranges.low()), ("step", ranges.step())] {
                let path = format!("{PREFIX}{}.{name}", modality.name());
                tensors.insert(path, tensor(columns.to_vec(), columns.len())?);
            }
        }
        Ok(tensors)
    }
}

/// The parameters of the scheme's weights: those of the chain that answers, and the coding.
///
/// # Errors
/// If the chain is not of these sizes.
pub fn with_coding(chain: &Params, config: &Config, coding: &Coding) -> Result<Params, ParamError> {
    let mut tensors: HashMap<String, Tensor> = chain.tensors(&[""]).into_iter().collect();
    tensors.extend(coding.tensors()?);
    let params = Params::from_tensors("conventional", tensors, false);
    // What is read is what will be saved.
    Transmitter::new(&params.root(), config)?;
    Receiver::new(&params.root(), config)?;
    Coding::read(&params.root(), &config.widths, coding.source.codec())?;
    Ok(params)
}

/// The transmitter half.
pub struct ConventionalTransmitter {
    model_id: String,
    origins: Origins,
    config: Config,
    takes_text: bool,
    coding: Coding,
    planner: Planner,
    plans: Mutex<VecDeque<(Conditions, Mcs)>>,
}

impl ConventionalTransmitter {
    /// For features of these sizes and origins; `takes_text` if the receiver reads transcripts.
    pub fn new(model_id: String, origins: Origins, config: &Config, takes_text: bool, coding: Coding) -> Self {
        let (planner, plans) = (Planner::measured(), Mutex::default());
        ConventionalTransmitter { model_id, origins, config: *config, takes_text, coding, planner, plans }
    }

    /// What crosses of a clip.
    fn content(&self, clip: &ClipInput) -> Content {
        let [_, audio, visual] = clip.features.each_ref().map(|plane| plane.clone().filter(|plane| plane.frames() > 0));
        let (transcript, planes) = (self.words(clip).map(String::from), [None, audio, visual]);
        Content { transcript, planes, film: clip.film.as_deref().map(<[u8]>::to_vec) }
    }

    /// What was said, if it crosses.
    fn words<'a>(&self, clip: &'a ClipInput) -> Option<&'a str> {
        clip.transcript.as_deref().filter(|text| self.takes_text && !text.trim().is_empty())
    }

    /// The MCS for a clip of middling size.
    fn mcs(&self, conditions: &Conditions) -> Result<Mcs, InputError> {
        let plans = || self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, mcs)) = plans().iter().find(|(known, _)| known == conditions) {
            return Ok(*mcs);
        }
        let mcs = self.plan(self.coding.middle, conditions)?.mcs();
        let mut plans = plans();
        plans.truncate(PLANS - 1);
        plans.push_front((*conditions, mcs));
        Ok(mcs)
    }

    fn plan(&self, bytes: usize, conditions: &Conditions) -> Result<Link, InputError> {
        let plan = self.planner.plan(bytes, conditions, Coherence::Whole);
        Ok(plan.map_err(|e| error(InputErrorKind::Unsupported, "clip", e))?.link)
    }

    fn send(&self, clip: &ClipInput, hint: &ChannelHint) -> Result<Emission, InputError> {
        let failed = |e: &dyn std::fmt::Display| error(InputErrorKind::Unsupported, "clip", e);
        let bytes = self.coding.source.encode(&self.content(clip)).map_err(|e| failed(&e))?;
        let link = match Link::new(bytes.len(), self.mcs(&hint.conditions)?) {
            Ok(link) => link,
            // Too short for that one.
            Err(_) => self.plan(bytes.len(), &hint.conditions)?,
        };
        let format = TransportFormat { mcs: link.mcs().index(), bytes: bytes.len() as u32 };
        Ok(Emission { symbols: link.send(&bytes).map_err(|e| failed(&e))?, format: Some(format) })
    }
}

impl TransmitterHalf for ConventionalTransmitter {
    fn model_id(&self) -> &str {
        &self.model_id
    }

    fn symbols(&self) -> Option<usize> {
        None
    }

    fn origins(&self) -> &Origins {
        &self.origins
    }

    fn check(&self, clip: &ClipInput) -> Result<(), InputError> {
        for modality in [Modality::Audio, Modality::Visual] {
            if let Some(plane) = &clip.features[modality.index()] {
                check_features(&self.config, modality, plane)?;
            }
        }
        if let Some(text) = clip.transcript.as_ref().filter(|text| !text.trim().is_empty()) {
            if text.len() > source_coding::MAX_TRANSCRIPT {
                let message = format!("expected at most {} bytes, got {}", source_coding::MAX_TRANSCRIPT, text.len());
                return Err(error(InputErrorKind::TooLong, "text.transcript", message));
            }
            if !self.takes_text && clip.features.iter().all(Option::is_none) {
                return Err(error(
                    InputErrorKind::Unsupported,
                    "text.transcript",
                    "these weights hold no text encoder",
                ));
            }
        }
        let [_, audio, visual] = &clip.features;
        let frames = [audio, visual].into_iter().flatten().any(|plane| plane.frames() > 0);
        match frames || clip.film.is_some() || self.words(clip).is_some() {
            true => Ok(()),
            false => {
                Err(error(InputErrorKind::Empty, "clip", "a clip has no transcript, no audio and no visual frame"))
            }
        }
    }

    fn sends_films(&self) -> bool {
        true
    }

    fn needs_conditions(&self) -> bool {
        true
    }

    fn encode(&self, _: &[ClipInput]) -> Result<Vec<Symbols>, InputError> {
        Err(error(
            InputErrorKind::Unsupported,
            "hints",
            "expected the conditions that each burst is going to meet, got nothing",
        ))
    }

    fn emit(&self, clips: &[ClipInput], hints: Option<&[ChannelHint]>) -> Result<Vec<Emission>, InputError> {
        let Some(hints) = hints else { return self.encode(clips).map(|_| Vec::new()) };
        check_rounds(clips, hints)?;
        clips.iter().try_for_each(|clip| self.check(clip))?;
        clips.iter().cycle().zip(hints).map(|(clip, hint)| self.send(clip, hint)).collect()
    }
}

/// The receiver half: the whole proposed network, text encoder included.
pub struct ConventionalReceiver {
    /// What both ends know.
    pub coding: Coding,
    /// Reads what arrives.
    pub reader: ProposedTransmitter,
    /// Answers what was read.
    pub network: Receiver,
    /// Makes features of films, where there are extractors.
    pub films: Option<Arc<dyn FilmReader>>,
}

impl ConventionalReceiver {
    fn link(format: Option<TransportFormat>) -> Result<Link, InputError> {
        let wrong = |message: String| error(InputErrorKind::Unsupported, "transport", message);
        let TransportFormat { mcs, bytes } =
            format.ok_or_else(|| wrong("these weights expect a transport block".into()))?;
        if bytes > MAX_BYTES {
            let message = format!("expected at most {MAX_BYTES} bytes, got {bytes}");
            return Err(error(InputErrorKind::TooLong, "transport.bytes", message));
        }
        let mcs = Mcs::new(mcs).map_err(|e| error(InputErrorKind::Unsupported, "transport.mcs", e))?;
        Link::new(bytes as usize, mcs).map_err(|e| wrong(e.to_string()))
    }

    /// What arrived; `None` if it did not, or holds nothing that can be read.
    fn read(&self, burst: &Equalised, format: Option<TransportFormat>) -> Result<Option<ClipInput>, InputError> {
        let link = Self::link(format)?;
        let bytes = match link.receive_equalised(std::slice::from_ref(burst)) {
            Ok(bytes) => bytes,
            Err(lost) if lost.is_lost() => return Ok(None),
            Err(wrong) => return Err(error(InputErrorKind::WrongLength, "symbols", wrong)),
        };
        let content =
            self.coding.source.decode(&bytes).map_err(|e| error(InputErrorKind::Unsupported, "symbols", e))?;
        let mut features = content.planes;
        if let Some(film) = &content.film {
            let wanted = "these weights read films: start the receiver with --extractors DIR";
            let films = self.films.as_ref().ok_or_else(|| error(InputErrorKind::Unsupported, "film", wanted))?;
            let seen = films.read(film)?;
            features.iter_mut().zip(seen).for_each(|(own, seen)| *own = own.take().or(seen));
        }
        let clip = ClipInput { transcript: content.transcript, features, film: None };
        Ok(self.reader.check(&clip).is_ok().then_some(clip))
    }
}

impl ReceiverHalf for ConventionalReceiver {
    fn model_id(&self) -> &str {
        self.reader.model_id()
    }

    fn symbols(&self) -> Option<usize> {
        None
    }

    fn symbols_of(&self, format: Option<TransportFormat>) -> Result<usize, InputError> {
        Ok(Self::link(format)?.channel_uses())
    }

    fn equaliser(&self) -> Equaliser {
        Equaliser::Mmse
    }

    fn decode(&self, _: &[Equalised]) -> Result<Vec<Prediction>, InputError> {
        Self::link(None).map(|_| Vec::new())
    }

    fn decode_formatted(
        &self,
        bursts: &[Equalised],
        formats: &[Option<TransportFormat>],
    ) -> Result<Vec<Prediction>, InputError> {
        let read = bursts.iter().zip(formats).map(|(burst, format)| self.read(burst, *format));
        let read: Vec<Option<ClipInput>> = read.collect::<Result<_, _>>()?;
        let there: Vec<bool> = read.iter().map(Option::is_some).collect();
        let arrived: Vec<ClipInput> = read.into_iter().flatten().collect();
        if arrived.is_empty() {
            return Ok(vec![self.coding.lost; there.len()]);
        }
        let sent = self.reader.encode(&arrived)?;
        let reals = sent.iter().flat_map(|burst| burst.reals().iter().copied()).collect();
        let answers = tensor(reals, (sent.len(), self.reader.config.reals))
            .and_then(|z| self.network.forward(&z, &vec![1.0; sent.len()]))
            .map_err(|e| error(InputErrorKind::Unsupported, "symbols", e))?;
        let mut answers = answers.into_iter();
        let answer = |there: bool| there.then(|| answers.next()).flatten().unwrap_or(self.coding.lost);
        Ok(there.into_iter().map(answer).collect())
    }
}
