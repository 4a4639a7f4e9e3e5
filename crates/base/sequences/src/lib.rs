//! The modalities and the sequences of feature frames, types that content and networks share.

#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

/// A modality of a clip. The order of the variants is used everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Modality {
    /// The text modality: the words spoken.
    Text,
    /// The audio modality: the sound of the voice.
    Audio,
    /// The visual modality: the movements of the face.
    Visual,
}

impl Modality {
    /// All three modalities in their order: text, audio, visual.
    pub const ALL: [Modality; 3] = [Modality::Text, Modality::Audio, Modality::Visual];

    /// The name of the modality in files, tensors and messages: `text`, `audio` or `visual`.
    pub fn name(self) -> &'static str {
        match self {
            Modality::Text => "text",
            Modality::Audio => "audio",
            Modality::Visual => "visual",
        }
    }

    /// The index of the modality in [`Modality::ALL`], 0 … 2.
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
    /// A sequence of frames of `width` values from row-major data, `[frames, width]`.
    ///
    /// # Panics
    /// If `width` is 0 or does not divide the length of `data`.
    pub fn new(width: usize, data: Vec<f32>) -> Self {
        assert!(width > 0 && data.len().is_multiple_of(width), "{} values do not make rows of {width}", data.len());
        Sequence { width, data }
    }

    /// The number of values in a frame.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of frames, which may be 0.
    pub fn frames(&self) -> usize {
        self.data.len() / self.width
    }

    /// All values, frame after frame, `[frames, width]`.
    pub fn data(&self) -> &[f32] {
        &self.data
    }
}
