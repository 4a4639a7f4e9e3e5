//! The halves of the conventional scheme: what a clip says, sounds and looks like is source coded, sent as one
//! transport block, and read by the proposed network where it arrives.
//!
//! The transmitter is told kind and SNR of the channel and picks modulation and code by measured block error rates; h
//! it does not know. What does not arrive is answered with the best constant. Text features do not cross: the receiver
//! makes them of the transcript.

use crate::halves::{ProposedTransmitter, check_features};
use crate::scheme::{
    ChannelKnowledge, ChannelUses, ClipInput, Csit, InputError, InputErrorKind, ModelCard, Receive, ReceivedBurst,
    Transmission, Transmit, TransportFormat, VideoReader, rounds, scatter,
};
use candle_core::Tensor;
use corpus::Modality;
use metrics::Prediction;
use network::config::{Config, Widths};
use network::proposed::{Receiver, Transmitter};
use nn::ops::{tensor, with_slice};
use nn::params::{Init, ParamError, Params, Scope};
use nr::{Coherence, Link, Mcs, Planner};
use phy::{Conditions, Equaliser};
use source_coding::{Codec, Content, Ranges, Source};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// First path component of its tensors.
pub const PREFIX: &str = "conventional.";
/// Values of an answer.
const ANSWER: usize = 11;
/// Conditions whose MCS is remembered.
const PLANS: usize = 64;

fn error(kind: InputErrorKind, field: &str, message: impl std::fmt::Display) -> InputError {
    InputError::new(kind, field, message)
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
    card: ModelCard,
    config: Config,
    coding: Coding,
    planner: Planner,
    plans: Mutex<VecDeque<(Conditions, Mcs)>>,
}

impl ConventionalTransmitter {
    /// For features of these sizes; transcripts cross if `card` takes them.
    pub fn new(card: ModelCard, config: &Config, coding: Coding) -> Self {
        let (planner, plans) = (Planner::measured(), Mutex::default());
        ConventionalTransmitter { card, config: *config, coding, planner, plans }
    }

    /// What crosses of a clip.
    fn content(&self, clip: &ClipInput) -> Content {
        let [_, audio, visual] = clip.features.each_ref().map(|plane| plane.clone().filter(|plane| plane.frames() > 0));
        let (transcript, planes) = (self.words(clip).map(String::from), [None, audio, visual]);
        Content { transcript, planes, video: clip.video.as_deref().map(<[u8]>::to_vec) }
    }

    /// What was said, if it crosses.
    fn words<'a>(&self, clip: &'a ClipInput) -> Option<&'a str> {
        clip.transcript.as_deref().filter(|text| self.card.takes_transcripts && !text.trim().is_empty())
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

    /// Whether the clip can be sent.
    ///
    /// # Errors
    /// What is wrong with it.
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
            if !self.card.takes_transcripts && clip.features.iter().all(Option::is_none) {
                return Err(error(
                    InputErrorKind::Unsupported,
                    "text.transcript",
                    "these weights hold no text encoder",
                ));
            }
        }
        let [_, audio, visual] = &clip.features;
        let frames = [audio, visual].into_iter().flatten().any(|plane| plane.frames() > 0);
        match frames || clip.video.is_some() || self.words(clip).is_some() {
            true => Ok(()),
            false => {
                Err(error(InputErrorKind::Empty, "clip", "a clip has no transcript, no audio and no visual frame"))
            }
        }
    }

    /// The bytes that cross of a clip.
    fn code(&self, clip: &ClipInput) -> Result<Vec<u8>, InputError> {
        self.check(clip)?;
        self.coding.source.encode(&self.content(clip)).map_err(|e| error(InputErrorKind::Unsupported, "clip", e))
    }

    /// Those bytes over a channel. What would take too many symbols is refused before any of them is made.
    fn send(&self, bytes: &[u8], csit: Option<Csit>) -> Result<Transmission, InputError> {
        let failed = |e: &dyn std::fmt::Display| error(InputErrorKind::Unsupported, "clip", e);
        let wanted = "expected the conditions that each burst is going to meet, got nothing";
        let conditions = csit.ok_or_else(|| error(InputErrorKind::Unsupported, "csit", wanted))?.conditions;
        let mcs = self.mcs(&conditions)?;
        let mcs = match Link::channel_uses_of(bytes.len(), mcs) {
            Ok(_) => mcs,
            // Too short for that one.
            Err(_) => self.plan(bytes.len(), &conditions)?.mcs(),
        };
        let uses = Link::channel_uses_of(bytes.len(), mcs).map_err(|e| failed(&e))?;
        if uses > TransportFormat::MAX_CHANNEL_USES || bytes.len() > TransportFormat::MAX_BYTES as usize {
            let (most, size) = (TransportFormat::MAX_CHANNEL_USES, bytes.len());
            let message =
                format!("its {size} bytes take {uses} symbols over this channel, a burst holds at most {most}");
            return Err(error(InputErrorKind::TooLong, "clip", message));
        }
        let link = Link::new(bytes.len(), mcs).map_err(|e| failed(&e))?;
        let format = TransportFormat { mcs: link.mcs().index(), bytes: bytes.len() as u32 };
        Ok(Transmission { symbols: link.send(bytes).map_err(|e| failed(&e))?, format: Some(format) })
    }
}

impl ModelCard {
    /// The card of weights of this scheme, from that of the network that reads what arrives: text features do not
    /// cross, what extractors read does.
    #[must_use]
    pub fn conventional(mut self) -> ModelCard {
        self.modalities.retain(|card| card.modality != Modality::Text);
        ModelCard {
            channel_uses: ChannelUses::PerClip,
            equaliser: Equaliser::Mmse,
            needs: ChannelKnowledge::Conditions,
            takes_media: true,
            ..self
        }
    }
}

impl Transmit for ConventionalTransmitter {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn transmit(&self, clips: &[ClipInput], csit: &[Option<Csit>]) -> Vec<Result<Transmission, InputError>> {
        if let Err(refused) = rounds(clips.len(), csit.len()) {
            return refused;
        }
        let untold = vec![None; clips.len()];
        let csit = if csit.is_empty() { &untold } else { csit };
        let coded: Vec<Result<Vec<u8>, InputError>> = clips.iter().map(|clip| self.code(clip)).collect();
        let items = coded.iter().cycle().zip(csit);
        items.map(|(bytes, csit)| self.send(bytes.as_ref().map_err(InputError::clone)?, *csit)).collect()
    }
}

/// The receiver half: the whole proposed network, text encoder included.
pub struct ConventionalReceiver {
    /// What is known of the weights.
    pub card: ModelCard,
    /// What both ends know.
    pub coding: Coding,
    /// Reads what arrives.
    pub reader: ProposedTransmitter,
    /// Answers what was read.
    pub network: Receiver,
    /// Makes features of videos, where there are extractors.
    pub videos: Option<Arc<dyn VideoReader>>,
}

impl ConventionalReceiver {
    /// What arrived; `None` if its check failed.
    ///
    /// # Errors
    /// If the burst is no transport block of its format, or what arrived cannot be read.
    fn read(&self, burst: &ReceivedBurst) -> Result<Option<ClipInput>, InputError> {
        let ReceivedBurst { equalised, format } = burst;
        // Before anything is built for the block: what it claims is held against the symbols that came.
        self.card.check_length(equalised.reals.len() / 2, *format)?;
        let Some(format) = format else { return Ok(None) };
        let link = Link::new(format.bytes as usize, format.scheme()?)
            .map_err(|e| error(InputErrorKind::Unsupported, "transport", e))?;
        let bytes = match link.receive_equalised(std::slice::from_ref(equalised)) {
            Ok(bytes) => bytes,
            Err(lost) if lost.is_lost() => return Ok(None),
            Err(wrong) => return Err(error(InputErrorKind::WrongLength, "symbols", wrong)),
        };
        let content = self.coding.source.decode(&bytes).map_err(|e| error(InputErrorKind::Damaged, "symbols", e))?;
        let mut features = content.planes;
        if let Some(video) = &content.video {
            let wanted = "these weights read videos: start the receiver with --extractors DIR";
            let videos = self.videos.as_ref().ok_or_else(|| error(InputErrorKind::Unsupported, "video", wanted))?;
            let seen = videos.read(video)?;
            features.iter_mut().zip(seen).for_each(|(own, seen)| *own = own.take().or(seen));
        }
        Ok(Some(ClipInput { transcript: content.transcript, features, video: None }))
    }

    /// What the network makes of the clips that arrived, as if the channel had done nothing.
    fn answer(&self, arrived: &[ClipInput]) -> Vec<Result<Prediction, InputError>> {
        let (mut sent, mut checked) = (Vec::new(), Vec::new());
        for result in self.reader.transmit(arrived, &[]) {
            checked.push(result.map(|transmission| sent.push(transmission.symbols)));
        }
        if sent.is_empty() {
            return scatter(checked, Ok(Vec::new()));
        }
        let reals = sent.iter().flat_map(|burst| burst.reals().iter().copied()).collect();
        let answers = tensor(reals, (sent.len(), self.reader.config.reals))
            .and_then(|z| self.network.forward(&z, &vec![1.0; sent.len()]))
            .map_err(|e| error(InputErrorKind::Internal, "symbols", e));
        scatter(checked, answers.map(|answers| answers.into_iter().map(Ok).collect()))
    }
}

impl Receive for ConventionalReceiver {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn receive(&self, bursts: &[ReceivedBurst]) -> Vec<Result<Prediction, InputError>> {
        let mut arrived = Vec::new();
        let read = bursts.iter().map(|burst| Ok(self.read(burst)?.map(|clip| arrived.push(clip))));
        let read: Vec<Result<Option<()>, InputError>> = read.collect();
        let mut answers = self.answer(&arrived).into_iter();
        let missing = || Err(error(InputErrorKind::Internal, "symbols", "no answer"));
        let mut answer = |read: Option<()>| match read {
            Some(()) => answers.next().unwrap_or_else(missing),
            None => Ok(self.coding.lost),
        };
        read.into_iter().map(|read| read.and_then(&mut answer)).collect()
    }
}
