//! Clips and where they come from: the corpus folder, the generated corpus `builtin`, and importers.

mod clip;

pub use clip::{Clip, Modality, Sequence};
