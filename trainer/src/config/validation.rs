//! The clips that early stopping is decided on.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The clips that early stopping is decided on, never those of the test split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validation {
    /// The clips of this split of the corpus.
    Split(String),
    /// The clips of one of `folds` folds that are cut by video from the training split.
    Fold {
        /// Index of the fold, from 0.
        fold: usize,
        /// Number of folds, at least 2.
        folds: usize,
    },
}

impl FromStr for Validation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix("fold:") else {
            return match text {
                "" | "test" | "train" => Err(format!("`{text}` cannot be stopped on, expected a split or fold:I/N")),
                _ => Ok(Validation::Split(text.into())),
            };
        };
        let wrong = || format!("`{text}`: expected fold:I/N with I < N and N >= 2");
        let (fold, folds) = rest.split_once('/').ok_or_else(wrong)?;
        let (fold, folds) = (fold.parse().map_err(|_| wrong())?, folds.parse().map_err(|_| wrong())?);
        if folds < 2 || fold >= folds { Err(wrong()) } else { Ok(Validation::Fold { fold, folds }) }
    }
}

impl std::fmt::Display for Validation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Validation::Split(split) => f.write_str(split),
            Validation::Fold { fold, folds } => write!(f, "fold:{fold}/{folds}"),
        }
    }
}
