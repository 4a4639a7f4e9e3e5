//! The paper's network and the baseline's: what lies between features and the channel, and between the channel and a
//! prediction.
//!
//! Files are named after the paper's blocks: [`extractor`] δ, [`uvib`] ε, [`discriminator`] ζ, [`encoder`] η, [`mvib`] υ and
//! its decision [`head`]. [`proposed`] puts them together, [`tdeepsc`] is T-DeepSC. Both read a [`batch::Batch`] of packed
//! sequences; sizes are those of a [`config::Config`].

#![forbid(unsafe_code)]

pub mod batch;
pub mod bottleneck;
pub mod config;
pub mod discriminator;
pub mod encoder;
pub mod extractor;
pub mod head;
pub mod mvib;
pub mod proposed;
pub mod side_information;
pub mod tdeepsc;
pub mod uvib;
