//! Pretrained networks that turn the content of a clip into features.
//!
//! [`Whisper`] is the audio encoder; [`AudioExtractor`] puts decoding's [`media::Audio`] through it by the one
//! convention of windows and pooling that training and serving share. [`FaceExtractor`] does the same for the
//! [`media::Frame`]s of a video, by the networks of face-api. [`Identity`] says which network and which convention made
//! a modality's features, so that features and models that do not belong together can be refused.

#![forbid(unsafe_code)]

mod audio;
mod checkpoint;
mod classical;
mod extractors;
pub mod face;
mod findings;
mod layers;
pub mod whisper;

pub use audio::{AudioExtractor, FEATURE_RATE_HZ, NotFinite};
pub use checkpoint::CheckpointError;
pub use corpus::Identity;
pub use extractors::{ExtractError, Extractors, ExtractorsError, pictures, sound};
pub use face::{FaceExtractor, FaceRow};
pub use findings::{Features, Findings, PEAKS, SIGHTINGS, Sighting};
pub use whisper::Whisper;
