//! Options for what weights are scored over: clips and channels.

use crate::config::RunConfig;
use crate::config::Validation;
use anyhow::{Context, Result, ensure};
use clap::Args;
use corpus::{Corpus, folds_by_video};
use phy::{ChannelList, Conditions, SnrList};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Options for what weights are scored over: clips, channels, SNRs and draws.
#[derive(Args, Clone, Debug)]
pub struct SweepOptions {
    /// Clips that are scored: a split of the corpus, or the fold:I/N of its training split that training held out
    #[arg(long, value_name = "SPLIT", default_value = "test")]
    pub split: ScoredClips,
    /// Channels, separated by commas: none, awgn, rayleigh, rician:K (linear K factor)
    #[arg(long, value_name = "LIST", default_value = "none,awgn,rayleigh")]
    pub channel: ChannelList,
    /// Es/N0 per complex symbol in dB: one value, a list -12,-6,0, or start:stop:step
    #[arg(long, value_name = "LIST", default_value = "-12:21:3", allow_hyphen_values = true)]
    pub snr: SnrList,
    /// Channel draws for every clip at every point
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub draws: u32,
}

impl SweepOptions {
    /// The points of the sweep, each channel and SNR once.
    pub fn points(&self) -> Vec<Conditions> {
        phy::sweep(&self.channel, &self.snr)
    }
}

/// The clips that are scored: a split, or a held-out fold of the training split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScoredClips {
    /// The clips of this split of the corpus.
    Split(String),
    /// The clips of one of `folds` folds that are cut by video from the training split.
    Fold {
        /// Index of the fold, from 0.
        fold: usize,
        /// Number of folds.
        folds: usize,
    },
}

impl FromStr for ScoredClips {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(Validation::Fold { fold, folds }) => Ok(ScoredClips::Fold { fold, folds }),
            Err(wrong) if text.starts_with("fold:") => Err(wrong),
            _ => Ok(ScoredClips::Split(text.into())),
        }
    }
}

impl fmt::Display for ScoredClips {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScoredClips::Split(split) => f.write_str(split),
            ScoredClips::Fold { fold, folds } => Validation::Fold { fold: *fold, folds: *folds }.fmt(f),
        }
    }
}

impl ScoredClips {
    /// Checks that the corpus has the split that is scored, or the training split that the fold is cut from.
    ///
    /// # Errors
    /// If the split is missing, listing those that the corpus has.
    pub fn check(&self, corpus: &Corpus) -> Result<()> {
        let split = match self {
            ScoredClips::Split(split) => split,
            ScoredClips::Fold { .. } => "train",
        };
        corpus.split(split)?;
        Ok(())
    }

    /// The corpus with the clips to be scored as a split named after this value; of a fold, they are taken out of the
    /// training split. A fold is cut with the training seed of the run, so each seed has another one. `run` gives the
    /// run's settings and is called for a fold only.
    ///
    /// # Errors
    /// If the run was not trained with this fold held out, or the fold cannot be cut.
    pub fn of<'a>(&self, corpus: &'a Corpus, run: impl FnOnce() -> Result<RunConfig>) -> Result<Cow<'a, Corpus>> {
        let ScoredClips::Fold { fold, folds } = *self else { return Ok(Cow::Borrowed(corpus)) };
        let wanted = Validation::Fold { fold, folds };
        let run = run().with_context(|| format!("--split {wanted}: cannot tell what the weights were trained on"))?;
        ensure!(
            run.validation == wanted,
            "--split {wanted}: these weights have been trained on its clips; expected weights of --validation {wanted}, got {}",
            run.validation
        );
        let (_, held_out) = folds_by_video(&corpus.split("train")?, folds, fold, run.seed)?;
        let mut corpus = corpus.clone();
        held_out.iter().for_each(|row| corpus.clips[*row].split = self.to_string());
        Ok(Cow::Owned(corpus))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_is_any_name_and_a_fold_is_checked() {
        let parsed = |text: &str| text.parse::<ScoredClips>();
        assert_eq!(parsed("test"), Ok(ScoredClips::Split("test".into())));
        assert_eq!(parsed("fold:1/5"), Ok(ScoredClips::Fold { fold: 1, folds: 5 }));
        for text in ["test", "train", "fold:4/5"] {
            assert_eq!(parsed(text).unwrap().to_string(), text);
        }
        assert_eq!(parsed("fold:5/5").unwrap_err(), "`fold:5/5`: expected fold:I/N with I < N and N >= 2");
    }
}
