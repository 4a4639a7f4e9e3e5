//! δ^text: a BERT of our own, on the layers of this crate, for any checkpoint of that family.
//!
//! A [`Checkpoint`] is what a folder with `config.json`, `tokenizer.json` and `model.safetensors` holds. It gives the
//! [`Params`](crate::params::Params), fixed or trainable, that a [`Bert`] is built on:
//!
//! ```no_run
//! # fn main() -> Result<(), latentlink_nn::bert::BertError> {
//! # use latentlink_nn::bert::{Bert, Checkpoint};
//! let checkpoint = Checkpoint::read("checkpoint".as_ref())?;
//! let params = checkpoint.params(false);
//! let bert = Bert::new(&params.root(), checkpoint.config(), checkpoint.tokenizer()?)?;
//! let hidden = bert.encode(&["what a wonderful film"])?;
//! # Ok(())
//! # }
//! ```

mod checkpoint;
mod config;
mod encoder;
mod publish;
mod tokenizer;

pub use checkpoint::Checkpoint;
pub use config::{Config, HiddenAct};
pub use encoder::Bert;
pub use publish::published;
pub use tokenizer::Tokenizer;

use crate::params::ParamError;

/// Why a checkpoint cannot be used, or a text not be encoded.
#[derive(Debug, thiserror::Error)]
pub enum BertError {
    /// A file that cannot be read, or that is not what its name says.
    #[error("{file}: {reason}")]
    File {
        /// The file.
        file: String,
        /// Why not.
        reason: String,
    },
    /// A setting that this encoder does not implement, or that makes no sense.
    #[error("{file}: {field}: expected {expected}, got {got}")]
    Setting {
        /// The file.
        file: String,
        /// The field of the file.
        field: &'static str,
        /// What would be accepted.
        expected: String,
        /// What the file says.
        got: String,
    },
    /// A tensor that is missing or wrong.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// A text that cannot be tokenised.
    #[error("cannot tokenise {text:?}: {reason}")]
    Text {
        /// The text.
        text: String,
        /// Why not.
        reason: String,
    },
    /// Candle refused an operation.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}
