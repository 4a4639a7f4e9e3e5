//! The data of a run: features and labels of the training clips and the held-out clips.

use crate::config::Validation;
use crate::reading::Readings;
use anyhow::{Context, Result, ensure};
use corpus::{Clip, Corpus, Modality, Origins, Sequence, folds_by_video};
use network::batch::{Batch, Standardisation, Standardisations};
use network::config::Widths;
use nn::random::Stream;

/// A clip as the network gets it.
pub struct Item {
    /// Row of the clip in the corpus.
    pub row: usize,
    /// Features by `Modality::index()`; of the text, the hidden states of the text encoder before fine-tuning. `None`
    /// where the clip lacks the modality.
    pub features: [Option<Sequence>; 3],
    /// Transcript of the clip; empty if it has none.
    pub transcript: String,
    /// Token ids of the transcript; empty without a transcript or without a text encoder.
    pub tokens: Vec<u32>,
    /// Label of the clip, in [−3, 3].
    pub label: f32,
}

impl Item {
    /// The features except the dropped ones, by `Modality::index()`.
    pub fn without(&self, lost: [bool; 3]) -> [Option<&Sequence>; 3] {
        let mut features = self.features.each_ref().map(Option::as_ref);
        features.iter_mut().zip(lost).for_each(|(feature, lost)| *feature = feature.filter(|_| !lost));
        features
    }

    /// Whether the network gets any input from the clip.
    pub fn holds_something(&self) -> bool {
        self.features.iter().any(Option::is_some) || !self.tokens.is_empty()
    }

    /// Draws which of the clip's modalities are dropped, by `Modality::index()`: each with probability `p`,
    /// independently, but never all that it has.
    pub fn lose(&self, p: f32, stream: &mut Stream) -> [bool; 3] {
        let mut has = self.features.each_ref().map(Option::is_some);
        has[Modality::Text.index()] |= !self.tokens.is_empty();
        let lost = has.map(|has| has && stream.uniform() < f64::from(p));
        if lost == has { [false; 3] } else { lost }
    }
}

/// The clips of a run and what is fitted on them.
pub struct Data {
    /// Clips that the network is trained on.
    pub train: Vec<Item>,
    /// Held-out clips, for early stopping and calibration.
    pub held_out: Vec<Item>,
    /// Widths of the network's inputs.
    pub widths: Widths,
    /// Normalisation statistics, fitted on the training clips.
    pub standardisations: Standardisations,
    /// Feature provenance, where it is known.
    pub origins: Origins,
}

impl Data {
    /// Splits the corpus into training and held-out clips. `readings` has the encoded transcript of every clip;
    /// without a text encoder it is empty.
    ///
    /// # Errors
    /// If a split is missing or empty, or the corpus has nothing to train on.
    pub fn cut(
        corpus: &Corpus,
        widths: Widths,
        validation: &Validation,
        seed: u64,
        readings: &Readings,
    ) -> Result<Self> {
        let train = corpus.split("train")?;
        let (train, held_out) = match validation {
            Validation::Split(split) => (train, corpus.split(split)?),
            Validation::Fold { fold, folds } => {
                let (kept, held_out) = folds_by_video(&train, *folds, *fold, seed)
                    .with_context(|| format!("cannot hold out {validation} of the training split"))?;
                let clips = |rows: Vec<usize>| rows.into_iter().map(|row| (row, &corpus.clips[row])).collect();
                (clips(kept), clips(held_out))
            }
        };
        ensure!(train.len() >= 2, "corpus {}: {} training clips are too few", corpus.name, train.len());
        ensure!(!held_out.is_empty(), "corpus {}: no clips to stop on in {validation}", corpus.name);
        ensure!(
            widths.present().next().is_some(),
            "corpus {} has no features; give --text-encoder to read its transcripts",
            corpus.name
        );
        let items =
            |clips: &[(usize, &Clip)]| clips.iter().map(|clip| item(clip, readings)).collect::<Result<Vec<_>>>();
        let (train, held_out) = (items(&train)?, items(&held_out)?);
        for (what, items) in [("training", &train), ("held-out", &held_out)] {
            ensure!(
                items.iter().any(Item::holds_something),
                "corpus {}: none of the {} {what} clips holds any of what the network reads: {}",
                corpus.name,
                items.len(),
                widths.present().map(|(modality, _)| modality.name()).collect::<Vec<_>>().join(", ")
            );
        }
        let mut standardisations = [None, None, None];
        for (modality, width) in widths.present() {
            let sequences = train.iter().filter_map(|item| item.features[modality.index()].as_ref());
            ensure!(
                sequences.clone().next().is_some(),
                "corpus {}: no training clip has {}",
                corpus.name,
                modality.name()
            );
            standardisations[modality.index()] = Some(Standardisation::fit(width, sequences));
        }
        Ok(Data { train, held_out, widths, standardisations, origins: corpus.origins.clone() })
    }

    /// Packs clips with all their modalities into a batch for the network.
    ///
    /// # Errors
    /// If the tensors cannot be created.
    pub fn batch(&self, items: &[&Item]) -> Result<Batch> {
        self.pack(&items.iter().map(|item| item.without([false; 3])).collect::<Vec<_>>())
    }

    /// Packs the features of clips, each by `Modality::index()`, into a batch for the network.
    ///
    /// # Errors
    /// If the tensors cannot be created.
    pub fn pack(&self, clips: &[[Option<&Sequence>; 3]]) -> Result<Batch> {
        Ok(Batch::pack(&self.widths, &self.standardisations, clips)?)
    }
}

fn item((row, clip): &(usize, &Clip), readings: &Readings) -> Result<Item> {
    let mut features = clip.features.clone();
    let mut tokens = Vec::new();
    if !readings.is_empty() {
        let reading = readings.get(row).with_context(|| format!("clip `{}`: its transcript was not read", clip.id))?;
        features[Modality::Text.index()] = reading.states.clone();
        tokens.clone_from(&reading.tokens);
    }
    Ok(Item { row: *row, features, transcript: clip.text.clone(), tokens, label: clip.label })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modalities_are_lost_at_the_stated_rate_and_never_all() {
        let sequence = || Some(Sequence::new(1, vec![1.0]));
        let features = [None, sequence(), sequence()];
        let item = Item { row: 0, features, transcript: String::new(), tokens: vec![1], label: 0.0 };
        let (mut stream, mut lost) = (Stream::new(3, &[]), [0u32; 3]);
        const N: u32 = 20_000;
        for _ in 0..N {
            let now = item.lose(0.3, &mut stream);
            assert_ne!(now, [true; 3]);
            lost.iter_mut().zip(now).for_each(|(count, lost)| *count += u32::from(lost));
        }
        // P(dropped) = p − p³; four standard deviations: one such test in 5,000 would fail by chance.
        let expected = f64::from(N) * (0.3 - 0.3f64.powi(3));
        for count in lost {
            assert!((f64::from(count) - expected).abs() < 4.0 * (expected * 0.73).sqrt(), "{count} {expected}");
        }
        let only = Item { features: [None, None, sequence()], tokens: Vec::new(), ..item };
        assert_eq!(only.lose(1.0, &mut stream), [false; 3]);
    }

    #[test]
    fn what_training_is_stopped_on_is_never_the_test_split() {
        assert_eq!("valid".parse(), Ok(Validation::Split("valid".into())));
        assert_eq!("fold:1/5".parse(), Ok(Validation::Fold { fold: 1, folds: 5 }));
        for wrong in ["test", "train", "fold:5/5", "fold:0/1", "fold:x"] {
            assert!(wrong.parse::<Validation>().is_err(), "{wrong}");
        }
    }
}
