//! Every size of a network, saved with its weights.

use crate::tdeepsc::Sizes;
use phy::Equaliser;
use sequences::Modality;
use serde::{Deserialize, Serialize};

/// What the decision head emits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadKind {
    /// A distribution over the score: nine ordered cells, the class 0 split at zero.
    #[default]
    Distribution,
    /// The paper's regressor, trained with L1.
    L1,
    /// A regressor trained with the squared error, as T-DeepSC's is.
    Mse,
}

/// Dropout probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// On attention weights.
    pub attention: f32,
    /// After each ReLU.
    pub relu: f32,
    /// On the residual branches.
    pub residual: f32,
    /// On the embeddings of audio and visual frames.
    pub embedding: f32,
    /// On the input of the text branch.
    pub text: f32,
}

/// Widths of the features, `None` for a modality that the network does without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Widths {
    /// Of text features or of the text encoder.
    pub text: Option<usize>,
    /// Of audio features.
    pub audio: Option<usize>,
    /// Of visual features.
    pub visual: Option<usize>,
}

impl Widths {
    /// The width of one modality.
    pub fn get(&self, modality: Modality) -> Option<usize> {
        match modality {
            Modality::Text => self.text,
            Modality::Audio => self.audio,
            Modality::Visual => self.visual,
        }
    }

    /// The modalities that the network takes.
    pub fn present(&self) -> impl Iterator<Item = (Modality, usize)> + '_ {
        Modality::ALL.into_iter().filter_map(|m| Some((m, self.get(m)?)))
    }
}

impl From<[Option<usize>; 3]> for Widths {
    fn from([text, audio, visual]: [Option<usize>; 3]) -> Self {
        Widths { text, audio, visual }
    }
}

/// Every size of a network: of scheme `proposed`, and of the others as far as they share it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Feature widths.
    pub widths: Widths,
    /// Width d of the extractors and of the fused representation X.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Transformer layers of the audio and visual extractors.
    pub layers: usize,
    /// Inner width of their feed-forward parts.
    pub feed_forward: usize,
    /// Hidden width of the bottlenecks' encoders.
    pub hidden: usize,
    /// Width of the bottlenecks' latents.
    pub latent: usize,
    /// Hidden width of the discriminators.
    pub discriminator: usize,
    /// Transmitted reals, two a complex symbol.
    pub reals: usize,
    /// Dropout probabilities.
    pub dropout: Dropout,
    /// The decision head.
    pub head: HeadKind,
    /// How the receiver equalises.
    pub equaliser: Equaliser,
    /// Longest sequence accepted, in frames.
    pub max_frames: usize,
    /// Whether the transmitter's encoder is told ρ of the burst to come; scheme `proposed` alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub feedback: bool,
    /// Of T-DeepSC alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t_deepsc: Option<Sizes>,
}

/// A set of sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// The sizes of the paper's public predecessor.
    Paper,
    /// Quick on two cores.
    Small,
}

impl std::str::FromStr for Preset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "paper" => Ok(Preset::Paper),
            "small" => Ok(Preset::Small),
            _ => Err(format!("unknown preset `{text}`, expected paper or small")),
        }
    }
}

impl std::fmt::Display for Preset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Preset::Paper => "paper",
            Preset::Small => "small",
        })
    }
}

impl Config {
    /// The sizes of a preset for features of these widths.
    pub fn preset(preset: Preset, widths: Widths) -> Self {
        let paper = Config {
            widths,
            width: 50,
            heads: 5,
            layers: 3,
            feed_forward: 200,
            hidden: 1024,
            latent: 50,
            discriminator: 256,
            reals: 50,
            dropout: Dropout { attention: 0.5, relu: 0.3, residual: 0.3, embedding: 0.2, text: 0.0 },
            head: HeadKind::Distribution,
            equaliser: Equaliser::Mmse,
            max_frames: 512,
            feedback: false,
            t_deepsc: None,
        };
        match preset {
            Preset::Paper => paper,
            Preset::Small => Config {
                width: 32,
                heads: 4,
                layers: 1,
                feed_forward: 64,
                hidden: 256,
                latent: 32,
                discriminator: 128,
                dropout: Dropout { attention: 0.1, relu: 0.2, residual: 0.1, embedding: 0.1, text: 0.0 },
                ..paper
            },
        }
    }

    /// Whether the sizes make a network.
    ///
    /// # Errors
    /// Names the field that does not.
    pub fn check(&self) -> Result<(), String> {
        const MOST: usize = 1 << 16;
        let sizes = [
            ("width", self.width),
            ("heads", self.heads),
            ("feed_forward", self.feed_forward),
            ("hidden", self.hidden),
            ("latent", self.latent),
            ("discriminator", self.discriminator),
            ("reals", self.reals),
            ("max_frames", self.max_frames),
        ];
        for (name, size) in sizes {
            if size == 0 || size > MOST {
                return Err(format!("{name}: expected 1 to {MOST}, got {size}"));
            }
        }
        if self.layers > 64 {
            return Err(format!("layers: expected at most 64, got {}", self.layers));
        }
        if !self.reals.is_multiple_of(2) {
            return Err(format!("reals: expected an even number, two a symbol, got {}", self.reals));
        }
        if !self.width.is_multiple_of(self.heads) {
            return Err(format!("width: {} is no multiple of heads, {}", self.width, self.heads));
        }
        if let Some((m, w)) = self.widths.present().find(|(_, w)| *w == 0 || *w > MOST) {
            return Err(format!("widths.{}: expected 1 to {MOST}, got {w}", m.name()));
        }
        if self.widths.present().next().is_none() {
            return Err("widths: no modality at all".into());
        }
        if let Some(sizes) = &self.t_deepsc {
            sizes.check()?;
        }
        let d = self.dropout;
        for (name, p) in [
            ("attention", d.attention),
            ("relu", d.relu),
            ("residual", d.residual),
            ("embedding", d.embedding),
            ("text", d.text),
        ] {
            if !(0.0..1.0).contains(&p) {
                return Err(format!("dropout.{name}: expected 0 <= p < 1, got {p}"));
            }
        }
        Ok(())
    }
}
