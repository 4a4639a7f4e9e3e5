//! The material that runs are trained from: a corpus and its transcripts, encoded once for all runs.

use crate::config::{RunConfig, Validation};
use crate::data::Data;
use crate::reading::{Reading, Readings};
use crate::text::read_all;
use anyhow::{Result, ensure};
use corpus::{Clip, Corpus, CorpusSpec, Modality};
use network::config::Widths;
use nn::bert::{Bert, Checkpoint};
use nn::params::Params;
use std::path::Path;

/// A text encoder as loaded, before fine-tuning.
struct TextEncoder {
    checkpoint: Checkpoint,
    params: Params,
    bert: Bert,
}

/// A corpus and, if there is one, its text encoder, with the transcripts encoded so far.
pub struct Material {
    corpus: Corpus,
    encoder: Option<TextEncoder>,
    readings: Readings,
}

impl Material {
    /// Loads a corpus and, if a folder is given, a text encoder. Transcripts are encoded by [`Material::read`].
    ///
    /// # Errors
    /// If corpus or text encoder cannot be used.
    pub fn load(corpus: &CorpusSpec, text_encoder: Option<&Path>) -> Result<Self> {
        let encoder = text_encoder.map(Checkpoint::read).transpose()?;
        Self::new(Corpus::load(corpus)?, encoder)
    }

    /// Material of a corpus and a text encoder that are loaded already.
    ///
    /// # Errors
    /// If the encoder cannot be built, or there is one and the corpus has text features of its own.
    pub fn new(corpus: Corpus, encoder: Option<Checkpoint>) -> Result<Self> {
        ensure!(
            encoder.is_none() || Widths::from(corpus.widths).text.is_none(),
            "corpus {} brings text features of its own: leave out --text-encoder, or the tensor `text`",
            corpus.name
        );
        let built = |checkpoint: Checkpoint| -> Result<TextEncoder> {
            let params = checkpoint.params(false);
            let bert = Bert::new(&params.root(), checkpoint.config(), checkpoint.tokenizer()?)?;
            Ok(TextEncoder { checkpoint, params, bert })
        };
        Ok(Material { corpus, encoder: encoder.map(built).transpose()?, readings: Readings::new() })
    }

    /// The corpus of the material.
    pub fn corpus(&self) -> &Corpus {
        &self.corpus
    }

    /// The text encoder and its parameters before fine-tuning; `None` without one.
    pub fn text_encoder(&self) -> Option<(&Checkpoint, &Params)> {
        self.encoder.as_ref().map(|encoder| (&encoder.checkpoint, &encoder.params))
    }

    /// Widths of the network's inputs: those of the corpus's features, and of the encoder's hidden states for text.
    pub fn widths(&self) -> Widths {
        let mut widths = Widths::from(self.corpus.widths);
        if let Some(encoder) = &self.encoder {
            widths.text = Some(encoder.bert.width());
        }
        widths
    }

    /// The settings with the widths of the network's inputs filled in.
    pub fn settled(&self, mut config: RunConfig) -> RunConfig {
        config.network.widths = self.widths();
        config
    }

    /// Encodes those transcripts that runs stopped on `validation` need and that are not encoded yet. `progress` gets
    /// the number of clips done and their total number. Without a text encoder it does nothing.
    ///
    /// # Errors
    /// If a split is missing, or a transcript cannot be encoded.
    pub fn read(&mut self, validation: &Validation, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<()> {
        let Some(encoder) = &self.encoder else { return Ok(()) };
        let mut clips = self.corpus.split("train")?;
        if let Validation::Split(split) = validation {
            clips.extend(self.corpus.split(split)?);
        }
        clips.retain(|(row, _)| !self.readings.contains_key(row));
        let tokens = clips.iter().map(|(_, clip)| match clip.text.trim().is_empty() {
            true => Ok(Vec::new()),
            false => encoder.bert.tokenizer().ids(&clip.text),
        });
        let tokens: Vec<Vec<u32>> = tokens.collect::<Result<_, _>>()?;
        let total = clips.len() as u64;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let borrowed: Vec<&[u32]> = tokens.iter().map(Vec::as_slice).collect();
        let states = read_all(&encoder.bert, &borrowed, threads, &|done| progress(done, total))?;
        let rows: Vec<usize> = clips.iter().map(|(row, _)| *row).collect();
        let readings = tokens.into_iter().zip(states).map(|(tokens, states)| Reading { tokens, states });
        self.readings.extend(rows.into_iter().zip(readings));
        Ok(())
    }

    /// Messages on missing inputs: for each split with clips that lack some of the network's inputs, a line with their
    /// numbers.
    pub fn lacking(&self) -> Vec<String> {
        let present: Vec<Modality> = self.widths().present().map(|(modality, _)| modality).collect();
        let lacks = |clip: &Clip, modality: Modality| match modality {
            Modality::Text if self.encoder.is_some() => clip.text.trim().is_empty(),
            _ => clip.features[modality.index()].is_none(),
        };
        let line = |split: &str| {
            let clips: Vec<&Clip> = self.corpus.clips.iter().filter(|clip| clip.split == split).collect();
            let counts = present.iter().map(|modality| {
                let count = clips.iter().filter(|clip| lacks(clip, *modality)).count();
                (count, format!("{count} lack {}", modality.name()))
            });
            let nothing = clips.iter().filter(|clip| present.iter().all(|modality| lacks(clip, *modality))).count();
            let all = counts.chain([(nothing, format!("{nothing} hold nothing that the network reads"))]);
            let said: Vec<String> = all.filter(|(count, _)| *count > 0).map(|(_, said)| said).collect();
            (!said.is_empty()).then(|| format!("`{split}`: of {} clips {}", clips.len(), said.join(", ")))
        };
        self.corpus.splits().iter().filter_map(|(split, _)| line(split)).collect()
    }

    /// The data of a run that is stopped on `validation`. A fold is cut with the run's `seed`.
    ///
    /// # Errors
    /// If a split is missing or empty, or there is nothing to train on.
    pub fn data(&self, validation: &Validation, seed: u64) -> Result<Data> {
        Data::cut(&self.corpus, self.widths(), validation, seed, &self.readings)
    }
}
