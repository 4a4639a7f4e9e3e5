//! Options of what weights are scored over: which clips, through which channels.

use crate::config::RunConfig;
use crate::config::Validation;
use anyhow::{Context, Result, ensure};
use clap::Args;
use corpus::{Corpus, folds_by_video};
use phy::{ChannelList, Conditions, SnrList};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// What weights are scored over.
#[derive(Args, Clone, Debug)]
pub struct SweepOptions {
    /// Clips that are scored: a split of the corpus, or the fold:I/N of its training split that training held out
    #[arg(long, value_name = "SPLIT", default_value = "test")]
    pub split: ScoredClips,
    /// Channels: none, awgn, rayleigh, rician:K (linear K factor), with commas
    #[arg(long, value_name = "LIST", default_value = "none,awgn,rayleigh")]
    pub channel: ChannelList,
    /// Es/N0 per complex symbol in dB: one value, a list -12,-6,0, or start:stop:step
    #[arg(long, value_name = "LIST", default_value = "-12:21:3", allow_hyphen_values = true)]
    pub snr: SnrList,
    /// Draws of the channel for every clip at every point
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub draws: u32,
}

impl SweepOptions {
    /// The points of the sweep, each once.
    pub fn points(&self) -> Vec<Conditions> {
        phy::sweep(&self.channel, &self.snr)
    }
}

/// Which clips are scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScoredClips {
    /// A split of the corpus.
    Split(String),
    /// One of `folds` folds cut by video from the training split.
    Fold {
        /// Which, from 0.
        fold: usize,
        /// Of how many.
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
    /// Whether the corpus has such clips.
    ///
    /// # Errors
    /// If not, listing the splits there are.
    pub fn check(&self, corpus: &Corpus) -> Result<()> {
        let split = match self {
            ScoredClips::Split(split) => split,
            ScoredClips::Fold { .. } => "train",
        };
        corpus.split(split)?;
        Ok(())
    }

    /// The corpus as a run with these settings sees it: the clips to be scored are a split of it that is called as they are here,
    /// and its training split is without them. A fold is cut with the run's own seed, so it is another for each seed.
    ///
    /// # Errors
    /// If the run was trained on clips of the fold, or the fold cannot be cut.
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
