//! Transcripts as encoded by the text encoder before fine-tuning.

use corpus::Sequence;
use std::collections::BTreeMap;

/// An encoded transcript; without a transcript it has no token ids and no states.
#[derive(Clone, Default)]
pub struct Reading {
    /// Token ids of the transcript.
    pub tokens: Vec<u32>,
    /// Last hidden states of the text encoder, `[tokens, width]`; `None` without a transcript.
    pub states: Option<Sequence>,
}

/// Encoded transcripts by row of the corpus.
pub type Readings = BTreeMap<usize, Reading>;
