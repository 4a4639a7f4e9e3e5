//! δ^text in training: a text encoder that is fine-tuned along with the network, and encoding of transcripts.

use crate::adamw::Group;
use crate::config::Tuning;
use crate::data::{Data, Item};
use anyhow::{Context, Result, ensure};
use candle_core::{Tensor, Var};
use corpus::{Modality, Sequence};
use network::batch::{Batch, Packed};
use nn::bert::{Bert, Checkpoint};
use nn::layers::Run;
use nn::ops::Offsets;
use nn::params::Params;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Number of transcripts that the encoder gets at once.
const SENTENCES: usize = 16;

/// First path component of the text encoder's parameters among those of a run.
pub const PREFIX: &str = "text_encoder.";

/// Index of the text encoder's learning-rate state among those of a step; that of the network is 0.
pub const PACE: usize = 1;

/// AdamW's settings for one parameter of a text encoder with this number of layers.
fn group(tuning: &Tuning, name: &str, rank: usize, layers: usize) -> Group {
    let layer = name.split_once("encoder.layer.").and_then(|(_, rest)| rest.split('.').next()?.parse().ok());
    let below = layer.map_or(layers, |layer: usize| layers.saturating_sub(layer + 1));
    let decay = if rank >= 2 { tuning.weight_decay } else { 0.0 };
    Group { pace: PACE, rate: tuning.layer_decay.powi(below as i32), decay }
}

/// The text encoder that a run fine-tunes: with its current weights, and with their EMA, which is validated and
/// deployed.
pub struct Tuned<'a> {
    checkpoint: &'a Checkpoint,
    tuning: Tuning,
    params: Params,
    bert: Bert,
    averages: Params,
    averaged: Bert,
}

fn built(checkpoint: &Checkpoint, params: &Params) -> Result<Bert> {
    Ok(Bert::new(&params.root(), checkpoint.config(), checkpoint.tokenizer()?)?)
}

fn prefixed(vars: BTreeMap<String, Var>) -> impl Iterator<Item = (String, Var)> {
    vars.into_iter().map(|(name, var)| (format!("{PREFIX}{name}"), var))
}

impl<'a> Tuned<'a> {
    /// A text encoder that starts from the checkpoint.
    ///
    /// # Errors
    /// If all of its layers would be frozen.
    pub fn new(checkpoint: &'a Checkpoint, tuning: Tuning) -> Result<Self> {
        let layers = checkpoint.config().num_hidden_layers;
        ensure!(
            tuning.frozen_layers < layers,
            "tuning.frozen_layers: the text encoder has {layers} layers, so at most {} may be frozen",
            layers - 1
        );
        let frozen = (0..tuning.frozen_layers).map(|layer| format!("encoder.layer.{layer}."));
        let kept: Vec<String> = frozen.chain(["embeddings.".to_string()]).collect();
        let params = checkpoint.params(true).keeping(kept.clone());
        let averages = checkpoint.params(true).keeping(kept);
        let (bert, averaged) = (built(checkpoint, &params)?, built(checkpoint, &averages)?);
        Ok(Tuned { checkpoint, tuning, params, bert, averages, averaged })
    }

    /// Whether the encoder is no longer frozen at `time` in epochs.
    pub fn learns(&self, time: f64) -> bool {
        time >= self.tuning.begin as f64
    }

    /// The trained variables of the encoder, by the names they have in a run.
    pub fn vars(&self) -> BTreeMap<String, Var> {
        prefixed(self.params.vars()).collect()
    }

    /// The EMA of the encoder's variables, by the names they have in a run.
    pub fn averages(&self) -> BTreeMap<String, Var> {
        prefixed(self.averages.vars()).collect()
    }

    /// AdamW's settings for a variable of a run; `None` if it is not one of the encoder's.
    pub fn group(&self, name: &str, rank: usize) -> Option<Group> {
        let name = name.strip_prefix(PREFIX)?;
        Some(group(&self.tuning, name, rank, self.checkpoint.config().num_hidden_layers))
    }

    /// Encodes the transcripts of a batch, given as token ids, one for each clip and empty for a clip without, and
    /// puts the states into the batch. Gradients reach the encoder's variables.
    ///
    /// # Errors
    /// If a tensor operation fails.
    pub fn read(&self, data: &Data, sentences: &[Vec<u32>], batch: &mut Batch, run: &mut Run) -> Result<()> {
        let offsets = Offsets::from_lengths(sentences.iter().map(Vec::len));
        if offsets.frames() == 0 {
            return Ok(());
        }
        let spoken: Vec<Vec<u32>> = sentences.iter().filter(|ids| !ids.is_empty()).cloned().collect();
        let (hidden, _) = self.bert.forward(&spoken, run)?;
        let standardisation = data.standardisations[Modality::Text.index()].as_ref();
        let frames = standardisation.context("a corpus with a text encoder has text")?.forward(&hidden)?;
        batch.modalities[Modality::Text.index()] = Some(Packed { frames, offsets });
        Ok(())
    }

    /// The hidden states of the clips' transcripts, encoded with the EMA of the weights; `None` for clips without a
    /// transcript.
    ///
    /// # Errors
    /// If a tensor operation fails.
    pub fn read_averaged(&self, items: &[&Item], threads: usize) -> Result<Vec<Option<Sequence>>> {
        let tokens: Vec<&[u32]> = items.iter().map(|item| item.tokens.as_slice()).collect();
        read_all(&self.averaged, &tokens, threads, &|_| ())
    }

    /// The encoder's parameters to be deployed: those of `tensors`, which have the names of a run, and for the rest
    /// its own. They are not trainable.
    ///
    /// # Errors
    /// If a tensor is missing or has another shape.
    pub fn deployed(&self, tensors: &BTreeMap<String, Tensor>) -> Result<Params> {
        let mut all = self.averages.tensors(&[""]);
        let own = tensors.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(PREFIX)?, tensor)));
        all.extend(own.map(|(name, tensor)| (name.to_string(), tensor.clone())));
        let params = Params::from_tensors("best", all.into_iter().collect(), false);
        built(self.checkpoint, &params)?;
        Ok(params)
    }

    /// The hidden states of the clips' transcripts, encoded with these parameters; `None` for clips without a
    /// transcript.
    ///
    /// # Errors
    /// If a tensor operation fails.
    pub fn read_with(&self, params: &Params, items: &[&Item], threads: usize) -> Result<Vec<Option<Sequence>>> {
        let tokens: Vec<&[u32]> = items.iter().map(|item| item.tokens.as_slice()).collect();
        read_all(&built(self.checkpoint, params)?, &tokens, threads, &|_| ())
    }

    /// The checkpoint that the encoder started from.
    pub fn checkpoint(&self) -> &'a Checkpoint {
        self.checkpoint
    }
}

/// The last hidden states `[tokens, width]` of each transcript, given as token ids; `None` where there are no ids.
/// `progress` gets the number of transcripts encoded so far.
///
/// # Errors
/// If a tensor operation fails.
pub fn read_all(
    encoder: &Bert,
    tokens: &[&[u32]],
    threads: usize,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Option<Sequence>>> {
    let spoken: Vec<usize> = (0..tokens.len()).filter(|i| !tokens[*i].is_empty()).collect();
    let done = AtomicU64::new(0);
    let share = spoken.len().div_ceil(threads).max(1);
    // The states of a transcript do not depend on its batch, bit for bit, so neither chunks nor threads matter.
    let read = |part: &[usize]| -> Result<Vec<Sequence>> {
        let mut sequences = Vec::with_capacity(part.len());
        for chunk in part.chunks(SENTENCES) {
            let ids: Vec<Vec<u32>> = chunk.iter().map(|i| tokens[*i].to_vec()).collect();
            sequences.extend(encoder.encode_ids(&ids)?);
            let n = chunk.len() as u64;
            progress(done.fetch_add(n, Ordering::Relaxed) + n);
        }
        Ok(sequences)
    };
    let sequences: Vec<Sequence> = std::thread::scope(|scope| {
        let handles: Vec<_> = spoken.chunks(share).map(|part| scope.spawn(|| read(part))).collect();
        let parts = handles.into_iter().map(|handle| handle.join().expect("reading a transcript does not panic"));
        parts.collect::<Result<Vec<_>>>().map(|parts| parts.concat())
    })?;
    let mut read = vec![None; tokens.len()];
    spoken.into_iter().zip(sequences).for_each(|(i, sequence)| read[i] = Some(sequence));
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule;

    #[test]
    fn lower_layers_learn_more_slowly() {
        let tuning = Tuning { begin: 0, rate: 4e-5, layer_decay: 0.5, frozen_layers: 0, weight_decay: 0.01 };
        let rate = |name: &str| group(&tuning, name, 2, 6).rate;
        assert!((rate("encoder.layer.5.output.dense.weight") - 1.0).abs() < 1e-7);
        assert!((rate("encoder.layer.3.output.dense.weight") - 0.25).abs() < 1e-7);
        assert!((rate("embeddings.LayerNorm.weight") - 1.0 / 64.0).abs() < 1e-7);
        assert_eq!(group(&tuning, "encoder.layer.5.output.dense.bias", 1, 6).decay, 0.0);
    }

    #[test]
    fn the_encoder_waits_until_it_begins_and_then_warms_up() {
        let tuning = Tuning { begin: 20, rate: 4e-5, layer_decay: 1.0, frozen_layers: 0, weight_decay: 0.0 };
        assert_eq!(tuning.rate(19.9, 26), 0.0);
        assert!((tuning.rate(20.5, 26) / 4e-5 - 0.5 * schedule::cosine(1.0, schedule::END, 0.5, 6) / 0.5).abs() < 1e-6);
        assert!(tuning.rate(21.0, 26) > 0.9 * 4e-5);
        assert!((tuning.rate(26.0, 26) - 0.05 * 4e-5).abs() < 1e-11);
    }
}
