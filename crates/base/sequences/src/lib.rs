//! What both content and networks speak of: the names of modalities, and sequences of feature frames.

#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

/// The three modalities, in the order used everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Modality {
    /// What is said.
    Text,
    /// How it sounds.
    Audio,
    /// How the face moves.
    Visual,
}

impl Modality {
    /// All three, in order.
    pub const ALL: [Modality; 3] = [Modality::Text, Modality::Audio, Modality::Visual];

    /// The name used in files, tensors and messages.
    pub fn name(self) -> &'static str {
        match self {
            Modality::Text => "text",
            Modality::Audio => "audio",
            Modality::Visual => "visual",
        }
    }

    /// The position in [`Modality::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

impl std::str::FromStr for Modality {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Modality::ALL.into_iter().find(|modality| modality.name() == text);
        found.ok_or_else(|| format!("unknown modality `{text}`, expected text, audio or visual"))
    }
}

/// A sequence of feature frames, `[frames, width]`, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    width: usize,
    data: Vec<f32>,
}

impl Sequence {
    /// From row-major data.
    ///
    /// # Panics
    /// If `width` is 0 or does not divide the length of `data`.
    pub fn new(width: usize, data: Vec<f32>) -> Self {
        assert!(width > 0 && data.len().is_multiple_of(width), "{} values do not make rows of {width}", data.len());
        Sequence { width, data }
    }

    /// Values per frame.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.data.len() / self.width
    }

    /// All values, frame after frame.
    pub fn data(&self) -> &[f32] {
        &self.data
    }
}
