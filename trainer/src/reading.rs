//! Transcripts as the text encoder reads them before it is tuned.

use corpus::Sequence;
use std::collections::BTreeMap;

/// A transcript: its token ids, and the encoder's last hidden states. Without a transcript no ids and no states.
#[derive(Clone, Default)]
pub struct Reading {
    /// Token ids.
    pub tokens: Vec<u32>,
    /// Last hidden states `[tokens, width]`.
    pub states: Option<Sequence>,
}

/// Readings by row of the corpus.
pub type Readings = BTreeMap<usize, Reading>;
