//! Small networks, their weights folders and clips.
#![allow(dead_code, reason = "each test file uses a part")]

use corpus::{Modality, Origins, Sequence};
use latentlink_schemes::halves::{ProposedReceiver, ProposedTransmitter};
use latentlink_schemes::scheme::{
    ClipInput, Csit, InputError, ModelCard, Receive, ReceivedBurst, Transmission, Transmit,
};
use latentlink_schemes::scheme_kind::SchemeKind;
use latentlink_schemes::weights::{Training, Weights, WeightsError};
use metrics::Prediction;
use network::batch::Standardisation;
use network::config::{Config, Preset, Widths};
use network::proposed::{Network, Receiver, Transmitter};
use nn::bert::{Bert, Checkpoint};
use nn::params::Params;
use nn::random::Stream;
use phy::{Equalised, Symbols};
use std::path::{Path, PathBuf};

/// Audio and visual features; the text encoder is 32 wide.
pub const WIDTHS: Widths = Widths { text: Some(32), audio: Some(5), visual: Some(3) };

/// A network and its text encoder in memory.
pub struct Model {
    pub config: Config,
    pub params: Params,
    pub standardisations: [Option<Standardisation>; 3],
    pub text_encoder: Option<(Checkpoint, Params)>,
}

fn bert(checkpoint: &Checkpoint, params: &Params) -> Bert {
    Bert::new(&params.root(), checkpoint.config(), checkpoint.tokenizer().unwrap()).unwrap()
}

/// The checkpoint of the tests of BERT.
pub fn tiny_bert() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../nn/tests/data/tiny-bert")
}

impl Model {
    /// Untrained, reading transcripts.
    pub fn new(seed: u64) -> Self {
        Model::with(Config::preset(Preset::Small, WIDTHS), seed)
    }

    /// Of these sizes, reading transcripts.
    pub fn with(config: Config, seed: u64) -> Self {
        let checkpoint = Checkpoint::read(&tiny_bert()).unwrap();
        let encoder = checkpoint.params(false);
        bert(&checkpoint, &encoder);
        Model { text_encoder: Some((checkpoint, encoder)), ..Model::deaf(config, seed) }
    }

    /// Without a text encoder.
    pub fn deaf(config: Config, seed: u64) -> Self {
        let params = Params::fresh(seed);
        Network::new(&params.root(), &config).unwrap();
        let mut standardisations = [None, None, None];
        for (modality, width) in config.widths.present() {
            let mean = (0..width).map(|j| 0.1 * j as f32 - 0.3).collect();
            let scale = (0..width).map(|j| 1.0 / (1.0 + j as f32 / 3.0)).collect();
            standardisations[modality.index()] = Some(Standardisation { mean, scale });
        }
        Model { config, params, standardisations, text_encoder: None }
    }

    /// Writes the weights folder; returns the model id.
    pub fn save(&self, folder: &Path) -> Result<String, WeightsError> {
        self.save_as(SchemeKind::Proposed, folder)
    }

    /// The same as weights of another scheme.
    pub fn save_as(&self, scheme: SchemeKind, folder: &Path) -> Result<String, WeightsError> {
        let training = Training {
            corpus: "toy".into(),
            seed: 3,
            snr_db: (-15.0, 21.0),
            channels: vec!["awgn".into()],
            epochs: (5, 4),
            text_encoder: self.text_encoder.as_ref().map(|_| "tiny-bert (frozen)".into()),
            cpu: "any".into(),
        };
        let text_encoder = self.text_encoder.as_ref().map(|(checkpoint, params)| (checkpoint, params));
        let standardisations = &self.standardisations;
        Weights {
            scheme,
            config: &self.config,
            params: &self.params,
            standardisations,
            extractors: &Origins::default(),
            text_encoder,
            training,
        }
        .save(folder)
    }

    /// Of the network alone.
    pub fn card(&self) -> ModelCard {
        ModelCard {
            takes_transcripts: self.text_encoder.is_some(),
            ..ModelCard::of_network("in memory", "proposed", &self.config)
        }
    }

    /// The half on the parameters in memory.
    pub fn transmitter(&self) -> ProposedTransmitter {
        ProposedTransmitter {
            card: self.card(),
            config: self.config,
            standardisations: self.standardisations.clone(),
            text_encoder: self.text_encoder.as_ref().map(|(checkpoint, params)| bert(checkpoint, params)),
            network: Transmitter::new(&self.params.root(), &self.config).unwrap(),
        }
    }

    /// The half on the parameters in memory.
    pub fn receiver(&self) -> ProposedReceiver {
        ProposedReceiver {
            card: self.card(),
            config: self.config,
            network: Receiver::new(&self.params.root(), &self.config).unwrap(),
        }
    }
}

/// Random frames.
pub fn frames(stream: &mut Stream, frames: usize, width: usize) -> Sequence {
    Sequence::new(width, stream.normals(frames * width))
}

/// Clips of many lengths. Of eight in a row, one brings everything, three lack one modality each, three have one only,
/// and one brings text features of its own beside a transcript.
pub fn clips(count: usize, widths: &Widths) -> Vec<ClipInput> {
    const WORDS: [&str; 9] = ["the", "film", "was", "not", "very", "bad,", "and", "I", "love it!"];
    let mut stream = Stream::new(11, &[]);
    let clip = |i: usize| {
        let has: [bool; 3] = match i % 8 {
            0 | 7 => [true; 3],
            k @ 1..=3 => std::array::from_fn(|m| m != k - 1),
            k => std::array::from_fn(|m| m == k - 4),
        };
        let words = 1 + stream.below(12);
        let sentence: Vec<&str> = (0..words).map(|_| WORDS[stream.below(WORDS.len())]).collect();
        let mut clip = ClipInput::default();
        for modality in [Modality::Audio, Modality::Visual] {
            if let (true, Some(width)) = (has[modality.index()], widths.get(modality)) {
                let length = 1 + stream.below(40);
                clip.features[modality.index()] = Some(frames(&mut stream, length, width));
            }
        }
        clip.transcript = has[0].then(|| sentence.join(" "));
        if i % 8 == 7 {
            clip.features[0] = widths.text.map(|width| frames(&mut stream, 3, width));
        }
        clip
    };
    (0..count).map(clip).collect()
}

/// What is sent of clips that can all be sent, nothing being known of the channel.
pub fn sent(half: &dyn Transmit, clips: &[ClipInput]) -> Vec<Symbols> {
    try_sent(half, clips).unwrap()
}

/// The same, or the first error.
pub fn try_sent(half: &dyn Transmit, clips: &[ClipInput]) -> Result<Vec<Symbols>, InputError> {
    half.transmit(clips, &[]).into_iter().map(|result| Ok(result?.symbols)).collect()
}

/// What is sent over channels that are known, or the first error.
pub fn sent_knowing(half: &dyn Transmit, clips: &[ClipInput], csit: &[Csit]) -> Result<Vec<Transmission>, InputError> {
    half.transmit(clips, &csit.iter().copied().map(Some).collect::<Vec<_>>()).into_iter().collect()
}

/// What is made of bursts that can all be received.
pub fn received(half: &dyn Receive, bursts: &[Equalised]) -> Vec<Prediction> {
    let bursts: Vec<ReceivedBurst> = bursts.iter().cloned().map(ReceivedBurst::from).collect();
    half.receive(&bursts).into_iter().collect::<Result<_, _>>().unwrap()
}
