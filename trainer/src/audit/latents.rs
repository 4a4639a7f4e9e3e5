//! The latents that a trained transmitter computes from clips, and the features that it computes them from.

use anyhow::{Context, Result, bail};
use corpus::{Clip, Corpus, Modality};
use nn::layers::Run;
use nn::ops::with_slice;
use schemes::halves::ProposedTransmitter;
use schemes::scheme::ClipInput;

/// Number of clips encoded at once.
const BATCH: usize = 64;

/// Latent of one modality of one clip.
#[derive(Clone, Debug, PartialEq)]
pub struct Latent {
    /// Mean μ of the latent, `[latent]`.
    pub mu: Vec<f32>,
    /// Standard deviation σ of the latent, `[latent]`.
    pub sigma: Vec<f32>,
    /// Standardised features averaged over the clip's frames, `[width]`.
    pub pooled: Vec<f32>,
}

/// A clip with its latents.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Label of the clip, in [−3, 3].
    pub label: f32,
    /// Latents by `Modality::index()`; `None` where the clip or the network lacks the modality.
    pub latents: [Option<Latent>; 3],
}

/// Label and latents of every clip of a split, as the transmitter computes them.
///
/// # Errors
/// If the corpus lacks the split or the transmitter does not accept a clip.
pub fn collect(transmitter: &ProposedTransmitter, corpus: &Corpus, split: &str) -> Result<Vec<Item>> {
    let clips = corpus.split(split)?;
    let mut items = Vec::with_capacity(clips.len());
    for chunk in clips.chunks(BATCH) {
        items.extend(encoded(transmitter, chunk).with_context(|| format!("split `{split}`"))?);
    }
    Ok(items)
}

fn encoded(transmitter: &ProposedTransmitter, clips: &[(usize, &Clip)]) -> Result<Vec<Item>> {
    let inputs: Vec<ClipInput> = clips.iter().map(|(_, clip)| ClipInput::from(*clip)).collect();
    let batch = transmitter.batch(&inputs)?;
    let latents = transmitter.network.latents(&batch, &mut Run::evaluating())?;
    let mut items: Vec<Item> =
        clips.iter().map(|(_, clip)| Item { label: clip.label, latents: [None, None, None] }).collect();
    for modality in Modality::ALL {
        let (Some(latent), Some(packed)) = (&latents[modality.index()], batch.modality(modality)) else { continue };
        let (mu, sigma) = (rows(&latent.gaussian.mu)?, rows(&latent.gaussian.sigma)?);
        let frames = rows(&packed.frames)?;
        for (i, range) in packed.offsets.ranges().enumerate().filter(|(_, range)| !range.is_empty()) {
            let (mu, sigma) = (mu[i].clone(), sigma[i].clone());
            items[i].latents[modality.index()] = Some(Latent { mu, sigma, pooled: mean(&frames[range]) });
        }
    }
    Ok(items)
}

fn rows(tensor: &candle_core::Tensor) -> Result<Vec<Vec<f32>>> {
    let width = tensor.dim(1)?.max(1);
    Ok(with_slice(tensor, |values| values.chunks_exact(width).map(<[f32]>::to_vec).collect())?)
}

fn mean(frames: &[Vec<f32>]) -> Vec<f32> {
    let width = frames.first().map_or(0, Vec::len);
    (0..width).map(|column| frames.iter().map(|f| f[column]).sum::<f32>() / frames.len() as f32).collect()
}

/// The modalities that at least 20 clips of both splits have.
///
/// # Errors
/// If there are fewer than two such modalities, and so no pair to audit.
pub fn modalities(train: &[Item], held_out: &[Item]) -> Result<Vec<Modality>> {
    const LEAST: usize = 20;
    let has = |items: &[Item], m: Modality| items.iter().filter(|i| i.latents[m.index()].is_some()).count() >= LEAST;
    let there: Vec<Modality> = Modality::ALL.into_iter().filter(|m| has(train, *m) && has(held_out, *m)).collect();
    let names: Vec<&str> = there.iter().map(|m| m.name()).collect();
    if there.len() < 2 {
        bail!("an audit needs two modalities that {LEAST} clips have, got {}", names.join(", "));
    }
    Ok(there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_takes_two_modalities_that_clips_of_both_splits_have() {
        let latent = || Some(Latent { mu: vec![0.0], sigma: vec![1.0], pooled: vec![0.0] });
        let items = |n: usize, both: bool| -> Vec<Item> {
            let item = || Item { label: 1.0, latents: [None, latent(), if both { latent() } else { None }] };
            (0..n).map(|_| item()).collect()
        };
        assert_eq!(modalities(&items(30, true), &items(20, true)).unwrap(), [Modality::Audio, Modality::Visual]);
        for (train, held_out) in [(items(30, true), items(19, true)), (items(30, false), items(30, true))] {
            let error = modalities(&train, &held_out).unwrap_err().to_string();
            assert!(error.contains("needs two modalities"), "{error}");
        }
    }
}
