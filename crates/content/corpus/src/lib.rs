//! Clips and where they come from: the corpus folder, the generated corpus `builtin`, and importers.
//!
//! Data enters as a [`CorpusSpec`] and leaves as a [`Corpus`]: validated clips whose index is the row
//! that noise keys, predictions and feature tensors refer to.
#![forbid(unsafe_code)]

pub mod baseline;
pub mod builtin;
mod clip;
mod clips_csv;
mod columns;
mod corpus;
#[cfg(feature = "csd")]
pub mod csd;
mod error;
mod features;
mod folder;
mod folds;
mod load;
mod origin;
mod save;
mod spec;
mod splits;
mod values;

pub use clip::Clip;
pub use clips_csv::Columns;
pub use columns::find_columns;
pub use corpus::Corpus;
pub use error::CorpusError;
pub use features::TensorNames;
pub use folder::{CLIPS_FILE, FEATURES_FILE, read_files};
pub use folds::folds_by_video;
pub use origin::{EXTRACTORS_FILE, Identity, Origins, OtherOrigin};
pub use sequences::{Modality, Sequence};
pub use spec::CorpusSpec;
pub use splits::with_splits;
pub use values::{LABEL_RANGE, Replaced};
